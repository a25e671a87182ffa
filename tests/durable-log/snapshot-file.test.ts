import { expect, it } from 'vitest'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import { seeded, text } from './support/logs.ts'
import { MemoryFileSystem } from './support/memory-filesystem.ts'

const PATH = '/state.snapshot'

async function content(fs: MemoryFileSystem): Promise<string | undefined> {
  return (await readSnapshot(fs, PATH))?.bytes.toString()
}

it('gives back what was written last', async () => {
  const fs = new MemoryFileSystem()
  expect(await readSnapshot(fs, PATH)).toBeUndefined()
  for (const value of ['one', 'two', '', 'three']) {
    await writeSnapshot(fs, PATH, text(value))
    fs.crash()
    expect(await readSnapshot(fs, PATH)).toEqual({ bytes: text(value), previous: false })
  }
})

it('is the old one or the new one after a power cut at any step, and the new one once it was told written', async () => {
  for (let seed = 0; seed < 200; seed++) {
    for (let calls = 1; calls <= 6; calls++) {
      const fs = new MemoryFileSystem(seeded(seed * 10 + calls))
      await writeSnapshot(fs, PATH, Buffer.alloc(1000, 'o'))
      await writeSnapshot(fs, PATH, Buffer.alloc(2000, 'n'))
      const crashed = fs.crashAfter(calls).then(() => false)
      const written = await Promise.race([crashed, writeSnapshot(fs, PATH, Buffer.alloc(3000, 'x')).then(() => true)])
      fs.crash()
      const bytes = (await readSnapshot(fs, PATH))?.bytes
      const expected = written ? [3000] : [2000, 3000]
      expect(expected).toContain(bytes?.length)
    }
  }
})

it('falls back to the previous one when the newest is damaged, torn or gone, and keeps that when it writes again', async () => {
  const fs = new MemoryFileSystem()
  await writeSnapshot(fs, PATH, text('old'))
  await writeSnapshot(fs, PATH, text('new'))
  const whole = fs.peek(PATH)
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const damaged = Buffer.from(whole)
    damaged.writeUInt8((damaged[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3)
    fs.poke(PATH, damaged)
    expect(await readSnapshot(fs, PATH)).toEqual({ bytes: text('old'), previous: true })
  }
  for (let length = 0; length < whole.length; length++) {
    fs.poke(PATH, whole.subarray(0, length))
    expect(await content(fs)).toBe('old')
  }
  await writeSnapshot(fs, PATH, text('newer'))
  expect(await content(fs)).toBe('newer')
  await fs.unlink(PATH)
  expect(await content(fs)).toBe('old')
})

it('stays as it was when the disk is full, and says so', async () => {
  const fs = new MemoryFileSystem()
  await writeSnapshot(fs, PATH, text('old'))
  fs.capacity = fs.used + 10
  await expect(writeSnapshot(fs, PATH, text('new'))).rejects.toMatchObject({ code: 'E_LOG_FULL' })
  expect(await content(fs)).toBe('old')
  expect(await fs.list('/')).toEqual(['state.snapshot'])
})

it.each(['write', 'datasync', 'rename', 'syncDirectory'] as const)(
  'says when %s fails, and the old one or the new one is there',
  async (call) => {
    const fs = new MemoryFileSystem()
    await writeSnapshot(fs, PATH, text('old'))
    fs.failNext(call)
    await expect(writeSnapshot(fs, PATH, text('new'))).rejects.toMatchObject({ code: 'E_LOG_IO' })
    expect(['old', 'new']).toContain(await content(fs))
  },
)
