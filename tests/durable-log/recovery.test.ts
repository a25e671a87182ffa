import { describe, expect, it } from 'vitest'
import { FRAME_OVERHEAD } from '../../src/durable-log/frame.ts'
import { SEGMENT_HEADER, segmentName } from '../../src/durable-log/segment.ts'
import { contents, DIR, openOn, readAll, seeded, text } from './support/logs.ts'
import { MemoryFileSystem } from './support/memory-filesystem.ts'

const FIRST = `${DIR}/${segmentName(1)}`

/** A closed log of these records, each in a write of its own, and where each begins. */
async function written(records: readonly string[], segmentBytes = 4096): Promise<[MemoryFileSystem, number[]]> {
  const fs = new MemoryFileSystem()
  const log = await openOn(fs, { segmentBytes })
  let at = SEGMENT_HEADER
  const places: number[] = []
  for (const record of records) {
    await log.append(text(record))
    places.push(at)
    at += FRAME_OVERHEAD + record.length
  }
  await log.close()
  return [fs, places]
}

function flip(fs: MemoryFileSystem, path: string, at: number): Buffer {
  const bytes = fs.peek(path)
  bytes.writeUInt8((bytes[at] as number) ^ 0x10, at)
  fs.poke(path, bytes)
  return bytes
}

describe('a torn tail', () => {
  it('is cut wherever in the last two records the file ends, the others stay, and the log goes on', async () => {
    const [whole, places] = await written(['one', 'two', 'three', 'four'])
    const bytes = whole.peek(FIRST)
    // Without the mark of having been closed.
    const end = bytes.length - FRAME_OVERHEAD
    const [, , third = 0, fourth = 0] = places
    for (let cut = third; cut <= end; cut++) {
      const fs = new MemoryFileSystem()
      await fs.makeDirectory('/data')
      await fs.makeDirectory(DIR)
      fs.poke(FIRST, bytes.subarray(0, cut))
      const log = await openOn(fs)
      const left = cut === end ? 4 : cut >= fourth ? 3 : 2
      const expected = ['1:one', '2:two', '3:three', '4:four'].slice(0, left)
      expect(await contents(log)).toEqual(expected)
      const clean = [third, fourth, end].includes(cut)
      const { tornTail, corrupt, gaps } = log.report
      expect({ tornTail: tornTail !== undefined, corrupt, gaps }).toEqual({ tornTail: !clean, corrupt: [], gaps: [] })
      expect(await log.append(text('next'))).toBe(left + 1)
      fs.crash()
      expect(await contents(await openOn(fs))).toEqual([...expected, `${left + 1}:next`])
    }
  })

  it('is cut when any byte of the last record is damaged, as nothing says that it was ever durable', async () => {
    const [whole, places] = await written(['one', 'two', 'three'])
    const bytes = whole.peek(FIRST)
    const end = bytes.length - FRAME_OVERHEAD
    for (let at = places[2] ?? 0; at < end; at++) {
      const fs = new MemoryFileSystem()
      await fs.makeDirectory('/data')
      await fs.makeDirectory(DIR)
      fs.poke(FIRST, bytes.subarray(0, end))
      flip(fs, FIRST, at)
      const log = await openOn(fs)
      expect(await contents(log)).toEqual(['1:one', '2:two'])
      expect(log.report.corrupt).toEqual([])
      expect(log.report.tornTail?.offset).toBe(places[2])
    }
  })

  it('with whole records behind the tear is cut too, and kept for a person to look at', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    await log.append([text('a'), text('b'), text('c')])
    fs.kill()
    const before = flip(fs, FIRST, SEGMENT_HEADER + FRAME_OVERHEAD + 1 + FRAME_OVERHEAD)
    const again = await openOn(fs)
    expect(await contents(again)).toEqual(['1:a'])
    const { evidence, recordsBeyond, offset } = again.report.tornTail ?? {}
    expect(recordsBeyond).toBe(1)
    expect(fs.peek(`${DIR}/${evidence}`)).toEqual(before.subarray(offset))
  })
})

describe('a damaged record that had been durable', () => {
  it('is skipped, counted and kept as evidence, once; all others are there, and its number is not given again', async () => {
    const [fs, places] = await written(['one', 'two', 'three', 'four'])
    const damaged = flip(fs, FIRST, (places[1] ?? 0) + FRAME_OVERHEAD)
    const log = await openOn(fs)
    expect(await contents(log)).toEqual(['1:one', '3:three', '4:four'])
    const place = { file: segmentName(1), offset: places[1], bytes: FRAME_OVERHEAD + 3, sequence: 2, records: 1 }
    const evidence = `${segmentName(1)}.corrupt`
    expect(log.report).toMatchObject({ corrupt: [{ ...place, evidence, known: false }], tornTail: undefined, gaps: [] })
    expect(fs.peek(`${DIR}/${evidence}`)).toEqual(damaged)
    expect(fs.peek(FIRST)).toEqual(damaged)
    expect(await log.append(text('five'))).toBe(5)
    fs.crash()
    const again = await openOn(fs)
    expect(again.report.corrupt).toMatchObject([{ ...place, known: true }])
    expect(await contents(again)).toEqual(['1:one', '3:three', '4:four', '5:five'])
    await again.deleteBefore(5)
    expect((await fs.list(DIR)).sort()).toEqual([evidence, segmentName(5)])
  })

  it('is known as that without a close: every later write says that what is before it was durable', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    for (const record of ['one', 'two', 'three']) await log.append(text(record))
    fs.kill()
    flip(fs, FIRST, SEGMENT_HEADER + FRAME_OVERHEAD)
    const again = await openOn(fs)
    expect(await contents(again)).toEqual(['2:two', '3:three'])
    expect(again.report).toMatchObject({ corrupt: [{ sequence: 1, records: 1 }], tornTail: undefined })
  })

  it('costs only itself whichever of its bytes is damaged, its length included', async () => {
    const [whole, places] = await written(['one', 'two', 'three', 'four'])
    for (let at = places[1] ?? 0; at < (places[2] ?? 0); at++) {
      const fs = new MemoryFileSystem()
      await fs.makeDirectory('/data')
      await fs.makeDirectory(DIR)
      fs.poke(FIRST, whole.peek(FIRST))
      flip(fs, FIRST, at)
      const log = await openOn(fs)
      expect(await contents(log)).toEqual(['1:one', '3:three', '4:four'])
      expect(log.report.corrupt).toMatchObject([{ sequence: 2, records: 1 }])
    }
  })

  it('is found while reading too, when the disk lost it after the opening', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    for (const record of ['one', 'two', 'three']) await log.append(text(record))
    const damaged = flip(fs, FIRST, SEGMENT_HEADER + FRAME_OVERHEAD)
    expect(await contents(log)).toEqual(['2:two', '3:three'])
    expect(fs.peek(`${FIRST}.corrupt`)).toEqual(damaged)
    await log.append(text('four'))
    expect(await contents(log, 3)).toEqual(['3:three', '4:four'])
    expect(await fs.list(DIR)).toContain(segmentName(4))
  })

  it('may be a bad sector that cannot even be read', async () => {
    const records = Array.from({ length: 30 }, (_, i) => `${i + 1}`.padEnd(500, '.'))
    const [fs] = await written(records, 64 * 1024)
    fs.spoil(FIRST, 5000, 5001)
    const log = await openOn(fs, { segmentBytes: 64 * 1024 })
    const lost = log.report.corrupt[0]?.records ?? 0
    // A page of 4 KiB holds eight of them, and two stand across its edges.
    expect(lost).toBeGreaterThanOrEqual(8)
    expect(lost).toBeLessThanOrEqual(10)
    expect((await readAll(log)).length).toBe(30 - lost)
    expect(log.nextSequence).toBe(31)
  })

  it('is kept although there is no room for a copy: the segment itself becomes the evidence when it is deleted', async () => {
    const [fs, places] = await written(['one', 'two'])
    const damaged = flip(fs, FIRST, places[0] ?? 0)
    fs.capacity = fs.used
    const log = await openOn(fs)
    expect(log.report.corrupt).toMatchObject([{ records: 1, evidence: undefined }])
    expect(await contents(log)).toEqual(['2:two'])
    await expect(log.append(text('three'))).rejects.toMatchObject({ code: 'E_LOG_FULL' })
    fs.capacity = Number.POSITIVE_INFINITY
    expect(await log.append(text('three'))).toBe(3)
    await log.deleteBefore(3)
    expect(fs.peek(`${FIRST}.corrupt`)).toEqual(damaged)
  })
})

describe('a segment', () => {
  it('whose header is damaged still gives its records', async () => {
    const [fs] = await written(['one', 'two'])
    flip(fs, FIRST, 3)
    const log = await openOn(fs)
    expect(await contents(log)).toEqual(['1:one', '2:two'])
    expect(log.report.corrupt).toMatchObject([{ offset: 0, bytes: SEGMENT_HEADER, records: 0 }])
    expect(await log.append(text('three'))).toBe(3)
    expect(await fs.list(DIR)).toContain(segmentName(3))
  })

  it('of which nothing is left is kept, and no number it may have held is given again', async () => {
    const [fs] = await written(['one', 'two'])
    const size = fs.peek(FIRST).length
    fs.poke(FIRST, Buffer.alloc(size))
    for (let i = 0; i < 2; i++) {
      const log = await openOn(fs)
      expect(await contents(log)).toEqual([])
      expect(log.report.corrupt.at(-1)).toMatchObject({ sequence: 1, records: undefined })
      expect(log.nextSequence).toBeGreaterThan(2)
      fs.crash()
    }
    const log = await openOn(fs)
    const next = await log.append(text('new'))
    fs.crash()
    const again = await openOn(fs)
    expect(await contents(again)).toEqual([`${next}:new`])
    expect(again.report.corrupt.at(-1)).toMatchObject({ sequence: 1, records: next - 1 })
  })

  it('that is missing between others is a gap, and the rest is there', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs, { segmentBytes: 300 })
    for (let i = 1; i <= 6; i++) await log.append(Buffer.alloc(100, i))
    await log.close()
    expect((await fs.list(DIR)).sort()).toEqual([segmentName(1), segmentName(3), segmentName(5)])
    await fs.unlink(`${DIR}/${segmentName(3)}`)
    const again = await openOn(fs, { segmentBytes: 300 })
    expect(again.report.gaps).toEqual([{ sequence: 3, records: 2 }])
    expect((await readAll(again)).map(({ sequence }) => sequence)).toEqual([1, 2, 5, 6])
  })

  it('that was never finished is removed, as no record was acknowledged into it', async () => {
    const [fs] = await written(['one'])
    fs.poke(`${DIR}/${segmentName(2)}`, Buffer.alloc(20))
    const log = await openOn(fs)
    expect(log.report.unfinished).toEqual([segmentName(2)])
    expect(await contents(log)).toEqual(['1:one'])
  })

  it('of a format yet to come is refused and not touched', async () => {
    const fs = new MemoryFileSystem()
    await fs.makeDirectory('/data')
    await fs.makeDirectory(DIR)
    const { crc32 } = await import('node:zlib')
    const header = Buffer.alloc(100)
    header.write('SNOWLOG\n')
    header.writeUInt32LE(2, 8)
    header.writeBigUInt64LE(1n, 12)
    header.writeUInt32LE(crc32(header.subarray(0, 20)), 20)
    fs.poke(FIRST, header)
    await expect(openOn(fs)).rejects.toMatchObject({ code: 'E_LOG_CORRUPT' })
    expect(fs.peek(FIRST)).toEqual(header)
  })
})

it('what a dead process wrote and could not sync is made durable before it is called that', async () => {
  for (let seed = 0; seed < 50; seed++) {
    const fs = new MemoryFileSystem(seeded(seed))
    const log = await openOn(fs)
    await log.append(text('one'))
    fs.failNext('datasync')
    await expect(log.append(text('two'))).rejects.toMatchObject({ code: 'E_LOG_IO' })
    fs.kill()
    const again = await openOn(fs)
    expect(await contents(again)).toEqual(['1:one', '2:two'])
    fs.crash()
    expect(await contents(await openOn(fs))).toEqual(['1:one', '2:two'])
  }
})
