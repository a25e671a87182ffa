import fc from 'fast-check'
import { expect, it } from 'vitest'
import { checkCompression, compressed, decompressed, type Encoding, encodingOf } from '../../bridge/compression.ts'

const HAS_ZSTD = encodingOf('auto') === 'zstd'
const ENCODINGS: readonly Encoding[] = HAS_ZSTD ? ['gzip', 'zstd'] : ['gzip']

it.each(ENCODINGS)('rows that were compressed as %s come back as they were, small or large', async (encoding) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 2_000 }), async (piece, times) => {
      const rows = Buffer.concat(Array(times).fill(piece))
      expect(decompressed(await compressed(rows, encoding)).equals(rows)).toBe(true)
    }),
    { numRuns: 30 },
  )
})

it('zstd on a Node without it is a mistake in the settings, and auto is not', () => {
  if (HAS_ZSTD) expect(() => checkCompression('zstd')).not.toThrow()
  else expect(() => checkCompression('zstd')).toThrow(expect.objectContaining({ code: 'E_CONFIG_INVALID' }))
  expect(() => checkCompression('auto')).not.toThrow()
})
