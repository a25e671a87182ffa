import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zstdDecompressed } from '../../emulator/zstd.ts'
import { frameOf, skippable, zstdFrame } from './zstd-frame.ts'

const MB = 1024 * 1024
/** 400 rows, made by zstd 1.5 at level 3. */
const REFERENCE = readFileSync(new URL('rows-400.ndjson.zst', import.meta.url))

function referenceRows(): string {
  const rows = Array.from({ length: 400 }, (_, i) => i + 1)
  return rows
    .map(
      (i) =>
        `{"uuid":"row-${i}","seq":${i},"temperature":${20 + (i % 7)}.${(i * 37) % 100},"hostname":"pi-${i % 5}"}\n`,
    )
    .join('')
}

describe('zstd on a Node without it', () => {
  it('reads what the reference compressor writes', () => {
    expect(zstdDecompressed(REFERENCE, MB).toString()).toBe(referenceRows())
  })

  it('reads any frames: stored and repeated blocks, with and without size and checksum, several, with others between', () => {
    const block = fc.oneof(
      fc.record({ stored: fc.uint8Array({ maxLength: 300 }) }),
      fc.record({ repeated: fc.nat(255), times: fc.nat(100_000) }),
    )
    const options = fc.record(
      { windowLog: fc.integer({ min: 17, max: 22 }), checksum: fc.boolean() },
      { requiredKeys: [] },
    )
    const frame = fc.tuple(fc.array(block, { minLength: 1, maxLength: 6 }), options, fc.nat(20))
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 3 }), (frames) => {
        const body = frames.flatMap(([blocks, how, skipped]) => [frameOf(blocks, how), skippable(skipped)])
        const content = frames.flatMap(([blocks]) =>
          blocks.map((part) => ('stored' in part ? part.stored : Buffer.alloc(part.times, part.repeated))),
        )
        expect(zstdDecompressed(Buffer.concat(body), 4 * MB).equals(Buffer.concat(content))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('refuses a body that was cut off anywhere', () => {
    const several = Buffer.concat([
      zstdFrame('rows', { checksum: true }),
      skippable(3),
      zstdFrame('rows', { windowLog: 20 }),
    ])
    const whole = [zstdFrame('rows', { checksum: true }).length, zstdFrame('rows', { checksum: true }).length + 11]
    for (const [body, ends] of [
      [REFERENCE, []],
      [several, whole],
    ] as const)
      for (let end = 0; end < body.length; end += 1)
        if (!(ends as readonly number[]).includes(end))
          expect(() => zstdDecompressed(body.subarray(0, end), MB), `${end}`).toThrow('it ends in the middle')
  })

  it('stops when a body becomes too large, whatever it says of itself', () => {
    const block = { repeated: 0x61, times: 128 * 1024 }
    const blocks = Array.from({ length: 9 }, () => block)
    expect(zstdDecompressed(frameOf(blocks.slice(1), { windowLog: 20 }), MB)).toHaveLength(MB)
    const bombs = [frameOf(blocks), frameOf(blocks, { windowLog: 20 }), zstdFrame('rows', { says: 2 ** 40 })]
    for (const bomb of bombs) expect(() => zstdDecompressed(bomb, MB)).toThrow(`it holds more than ${MB} bytes`)
  })

  it('takes no memory for a window of gigabytes', () => {
    expect(() => zstdDecompressed(zstdFrame('rows', { windowLog: 30 }), MB)).toThrow('it needs a window of more than')
  })

  it('ends with rows or with an error, whatever bytes it is given', () => {
    const flipped = fc.tuple(fc.nat(REFERENCE.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
      const body = Buffer.from(REFERENCE)
      body[at] = (body[at] as number) ^ mask
      return body
    })
    fc.assert(
      fc.property(fc.oneof(flipped, fc.uint8Array()), (body) => {
        try {
          expect(zstdDecompressed(body, MB).length).toBeLessThanOrEqual(MB)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 300 },
    )
  })
})
