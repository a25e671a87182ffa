import { describe, expect, it } from 'vitest'
import { segmentName } from '../../src/durable-log/segment.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { contents, DIR, openOn, readAll, seeded, text } from './support/logs.ts'
import { MemoryFileSystem } from './support/memory-filesystem.ts'

/** Whether a promise has settled by now. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  promise.then(
    () => {
      pending = false
    },
    () => {
      pending = false
    },
  )
  await settled()
  return pending
}

describe('appending', () => {
  it('serves all that wait with one write and one datasync, and tells them in order', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs, { segmentBytes: 1 << 20 })
    const before = { ...fs.counts }
    const told: number[] = []
    const first = log.append(text('first'))
    await settled()
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => log.append(text(`${i}`)).then((sequence) => told.push(sequence))),
    )
    await first
    expect(told).toEqual(Array.from({ length: 100 }, (_, i) => i + 2))
    expect((fs.counts.write ?? 0) - (before.write ?? 0)).toBe(2)
    expect((fs.counts.datasync ?? 0) - (before.datasync ?? 0)).toBe(2)
  })

  it('gives numbers in the order of the calls, known before the promise settles', async () => {
    const log = await openOn(new MemoryFileSystem())
    expect(log.nextSequence).toBe(1)
    const one = log.append(text('a'))
    expect(log.nextSequence).toBe(2)
    const three = log.append([text('b'), text('c')])
    expect(log.nextSequence).toBe(4)
    expect(await one).toBe(1)
    expect(await three).toBe(3)
    expect(await log.append([])).toBe(3)
    expect(await contents(log)).toEqual(['1:a', '2:b', '3:c'])
  })

  it('takes bodies of no bytes, and of all a segment holds', async () => {
    const log = await openOn(new MemoryFileSystem())
    await log.append(new Uint8Array(0))
    await log.append(Buffer.alloc(4096 - 32 - 16, 7))
    expect((await readAll(log)).map(({ body }) => body.length)).toEqual([0, 4048])
    await expect(log.append(Buffer.alloc(4049))).rejects.toMatchObject({ code: 'E_LOG_FULL', retryable: false })
    expect(log.nextSequence).toBe(3)
  })

  it('acknowledges into a new segment only when that and the old one would survive a power cut', async () => {
    const fs = new MemoryFileSystem(() => 0)
    for (let i = 1; i <= 8; i++) {
      const log = await openOn(fs, { segmentBytes: 300 })
      expect(await log.append(Buffer.alloc(100, i))).toBe(i)
      fs.crash()
    }
    const log = await openOn(fs, { segmentBytes: 300 })
    expect((await readAll(log)).length).toBe(8)
    expect(log.usage().segments).toBe(4)
  })

  it('starts where it is told, once', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs, { startAt: 500 })
    expect(await log.append(text('x'))).toBe(500)
    await log.close()
    expect((await openOn(fs, { startAt: 9000 })).nextSequence).toBe(501)
  })
})

describe('a write or sync that fails', () => {
  it.each(['write', 'datasync'] as const)(
    '%s: nobody is told that all is well, and nothing works any more',
    async (call) => {
      const fs = new MemoryFileSystem()
      const log = await openOn(fs)
      await log.append(text('one'))
      fs.failNext(call)
      const inFlight = log.append(text('two'))
      // It is being written now: the others wait for the next turn.
      await new Promise((resolve) => setImmediate(resolve))
      const waiting = log.append(text('three'))
      const syncing = log.sync()
      for (const outcome of await Promise.allSettled([inFlight, waiting, syncing, log.failed]))
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'E_LOG_IO', hint: expect.any(String) } })
      await expect(log.append(text('four'))).rejects.toMatchObject({ code: 'E_LOG_IO' })
      await expect(log.deleteBefore(1)).rejects.toMatchObject({ code: 'E_LOG_IO' })
      expect(log.durableSequence).toBe(1)
      await log.close()
      expect((await contents(await openOn(fs))).slice(0, 1)).toEqual(['1:one'])
    },
  )

  it('a sync that says the disk is full is a failed sync all the same', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    fs.failNext('datasync', 'ENOSPC')
    await expect(log.append(text('one'))).rejects.toMatchObject({ code: 'E_LOG_IO' })
    await expect(log.failed).rejects.toMatchObject({ code: 'E_LOG_IO' })
  })
})

describe('a full disk', () => {
  it('refuses all that wait, leaves nothing of them, and takes them when there is room', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    await log.append(text('one'))
    fs.capacity = fs.used + 10
    const refused = { code: 'E_LOG_FULL', retryable: true, hint: expect.any(String) }
    for (const outcome of await Promise.allSettled([log.append(text('two')), log.append(text('three'))]))
      expect(outcome).toMatchObject({ status: 'rejected', reason: refused })
    expect(log.nextSequence).toBe(2)
    fs.capacity = Number.POSITIVE_INFINITY
    expect(await log.append(text('four'))).toBe(2)
    fs.crash()
    const again = await openOn(fs)
    expect(await contents(again)).toEqual(['1:one', '2:four'])
    expect(again.report.tornTail).toBeUndefined()
  })

  it('at a new segment leaves the old one usable for what fits', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs, { segmentBytes: 300 })
    await log.append(Buffer.alloc(200, 1))
    fs.capacity = fs.used + 31
    await expect(log.append(Buffer.alloc(100, 2))).rejects.toMatchObject({ code: 'E_LOG_FULL' })
    expect(await log.append(text('fits'))).toBe(2)
    fs.crash()
    const again = await openOn(fs, { segmentBytes: 300 })
    expect((await readAll(again)).length).toBe(2)
    expect(again.report.corrupt).toEqual([])
  })

  it('whose half-written tail cannot be cut off is a failure of the log', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    fs.capacity = fs.used + 10
    fs.failNext('truncate')
    await expect(log.append(text('one'))).rejects.toMatchObject({ code: 'E_LOG_IO' })
    await expect(log.failed).rejects.toMatchObject({ code: 'E_LOG_IO' })
  })

  it('still opens, reads and deletes', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs, { segmentBytes: 300 })
    for (let i = 1; i <= 6; i++) await log.append(Buffer.alloc(100, i))
    fs.capacity = fs.used
    fs.crash()
    const again = await openOn(fs, { segmentBytes: 300 })
    expect(again.report.freeBytes).toBe(0)
    await expect(again.append(Buffer.alloc(100))).rejects.toMatchObject({ code: 'E_LOG_FULL' })
    await again.deleteBefore(5)
    expect(await again.append(Buffer.alloc(100, 7))).toBe(7)
    expect((await readAll(again)).map(({ sequence }) => sequence)).toEqual([5, 6, 7])
  })

  it('closes: the word of having been closed is left out', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    await log.append(text('one'))
    fs.capacity = fs.used + 3
    await log.close()
    const again = await openOn(fs)
    expect(await contents(again)).toEqual(['1:one'])
    expect(again.report.closedProperly).toBe(false)
  })
})

describe('a limit', () => {
  it('refuses what would go over it, before a number is given, and takes more after a deletion', async () => {
    const log = await openOn(new MemoryFileSystem(), { maxBytes: 2000 })
    let taken = 0
    for (;;) {
      try {
        await log.append(Buffer.alloc(100))
        taken++
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_LOG_FULL', retryable: true })
        break
      }
    }
    expect(log.usage().bytes).toBeLessThanOrEqual(2000)
    expect(log.usage().bytes).toBeGreaterThan(2000 - 116 - 32)
    expect(log.nextSequence).toBe(taken + 1)
    await log.deleteBefore(taken)
    expect(await log.append(Buffer.alloc(100))).toBe(taken + 1)
  })

  it('counts what waits', async () => {
    const log = await openOn(new MemoryFileSystem(), { maxBytes: 2000 })
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => log.append(Buffer.alloc(100))))
    expect(log.usage().bytes).toBeLessThanOrEqual(2000)
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(log.usage().records)
  })
})

describe('syncing now and then', () => {
  it('acknowledges after the write, and syncs so long after the first that is not durable; at rest no timer runs', async () => {
    const fs = new MemoryFileSystem()
    const clock = new ManualClock()
    const log = await openOn(fs, { syncEveryMs: 5000 }, { clock })
    expect(clock.sleeping).toBe(0)
    await log.append(text('one'))
    await clock.advance(3000)
    await log.append(text('two'))
    expect(log.durableSequence).toBe(0)
    expect(clock.sleeping).toBe(1)
    await clock.advance(2000)
    await settled()
    await settled()
    expect(log.durableSequence).toBe(2)
    expect(clock.sleeping).toBe(0)
  })

  it('loses in a power cut at most what is above durableSequence', async () => {
    const fs = new MemoryFileSystem(() => 0)
    const log = await openOn(fs, { syncEveryMs: 5000 })
    await log.append([text('one'), text('two')])
    await log.sync()
    expect(log.durableSequence).toBe(2)
    await log.append(text('three'))
    fs.crash()
    expect(await contents(await openOn(fs))).toEqual(['1:one', '2:two'])
  })

  it('makes everything durable when it is closed, and stops its timer', async () => {
    const fs = new MemoryFileSystem(() => 0)
    const clock = new ManualClock()
    const log = await openOn(fs, { syncEveryMs: 5000 }, { clock })
    const last = log.append(text('one'))
    await log.close()
    expect(await last).toBe(1)
    await settled()
    expect(clock.sleeping).toBe(0)
    fs.crash()
    expect(await contents(await openOn(fs))).toEqual(['1:one'])
  })

  it('tells the owner when the sync of the timer fails', async () => {
    const fs = new MemoryFileSystem()
    const clock = new ManualClock()
    const log = await openOn(fs, { syncEveryMs: 5000 }, { clock })
    await log.append(text('one'))
    expect(await isPending(log.failed)).toBe(true)
    fs.failNext('datasync')
    await clock.advance(5000)
    await expect(log.failed).rejects.toMatchObject({ code: 'E_LOG_IO' })
  })
})

describe('deleting', () => {
  it('takes whole segments only, the oldest first, each gone for good before the next', async () => {
    for (let round = 0; round < 140; round++) {
      const calls = 1 + (round % 7)
      const fs = new MemoryFileSystem(seeded(round))
      const log = await openOn(fs, { segmentBytes: 300 })
      for (let i = 1; i <= 8; i++) await log.append(Buffer.alloc(100, i))
      expect(log.usage()).toMatchObject({ segments: 4, records: 8 })
      const crashed = fs.crashAfter(calls)
      await Promise.race([crashed, log.deleteBefore(6)])
      fs.crash()
      const again = await openOn(fs, { segmentBytes: 300 })
      expect(again.report.gaps).toEqual([])
      expect(again.firstSequence).toBeLessThanOrEqual(5)
      const left = (await readAll(again)).map(({ sequence }) => sequence)
      expect(left).toEqual(Array.from({ length: 9 - again.firstSequence }, (_, i) => again.firstSequence + i))
    }
  })

  it('never takes the segment that is written, so that numbers go on after a start', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs, { segmentBytes: 300 })
    for (let i = 1; i <= 4; i++) await log.append(Buffer.alloc(100, i))
    await log.deleteBefore(1_000)
    expect(log.firstSequence).toBe(3)
    await log.close()
    expect((await openOn(fs)).nextSequence).toBe(5)
  })
})

describe('reading', () => {
  it('gives what was written at the call, whatever is appended and deleted meanwhile', async () => {
    const log = await openOn(new MemoryFileSystem(), { segmentBytes: 300 })
    for (let i = 1; i <= 6; i++) await log.append(Buffer.alloc(100, i))
    const read = log.read(2)
    await log.append(Buffer.alloc(100, 7))
    const got: number[] = []
    for await (const { sequence } of read) {
      got.push(sequence)
      if (sequence === 3) await log.deleteBefore(6)
      await log.append(Buffer.alloc(100, 8))
    }
    // Number 4 stands in the segment that was open when it was deleted.
    expect(got).toEqual([2, 3, 4, 5, 6])
  })

  it('begins in the middle of a segment without reading what is before', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs, { segmentBytes: 8 << 20 })
    for (let i = 0; i < 40; i++) await log.append(Array.from({ length: 100 }, (_, k) => Buffer.alloc(500, k)))
    for (const from of [1, 17, 1999, 3999, 4000]) {
      const read = await readAll(log, from)
      expect(read[0]?.sequence).toBe(from)
      expect(read.length).toBe(4001 - from)
    }
    expect(await readAll(log, 4001)).toEqual([])
    expect(await readAll(log, 9999)).toEqual([])
  })

  it('may stop before the end', async () => {
    const log = await openOn(new MemoryFileSystem())
    await log.append([text('a'), text('b')])
    for await (const { sequence } of log.read(1)) {
      expect(sequence).toBe(1)
      break
    }
    await log.close()
  })
})

describe('a directory', () => {
  it('has one owner at a time', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    await expect(openOn(fs)).rejects.toMatchObject({ code: 'E_RIVAL', hint: expect.any(String) })
    await log.close()
    await (await openOn(fs)).close()
  })

  it.each([
    ['EACCES', 'permission denied'],
    ['EROFS', 'the disk is read-only'],
  ])('that cannot be written (%s) is told in one clear sentence', async (code, reason) => {
    const fs = new MemoryFileSystem()
    fs.makeDirectory = () => Promise.reject(Object.assign(new Error(code), { code }))
    await expect(openOn(fs)).rejects.toMatchObject({
      code: 'E_LOG_IO',
      message: `The directory ${DIR} cannot be used for a log: ${reason}.`,
      hint: expect.any(String),
    })
  })

  it('without any room is told in one clear sentence', async () => {
    const fs = new MemoryFileSystem()
    fs.makeDirectory = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
    await expect(openOn(fs)).rejects.toMatchObject({
      code: 'E_LOG_FULL',
      message: `The disk under ${DIR} is full.`,
      hint: expect.stringContaining('make room'),
    })
  })

  it('on a network share is refused before anything is written, and what to do is said', async () => {
    const fs = Object.assign(new MemoryFileSystem(), { networkShare: () => Promise.resolve('NFS') })
    await expect(openOn(fs)).rejects.toMatchObject({
      code: 'E_LOG_IO',
      message: `The directory ${DIR} lies on a network share (NFS).`,
      hint: expect.stringContaining('on a disk of this machine'),
    })
    expect(await fs.list(DIR)).toEqual([])
  })

  it('that was just made is still there after a power cut', async () => {
    const fs = new MemoryFileSystem(() => 0)
    const log = await openOn(fs)
    await log.append(text('one'))
    fs.crash()
    expect(await fs.list(DIR)).toEqual([segmentName(1)])
  })

  it('is let go when the log is closed, and what comes then is refused', async () => {
    const log = await openOn(new MemoryFileSystem())
    await Promise.all([log.close(), log.close()])
    await expect(log.append(text('late'))).rejects.toMatchObject({ code: 'E_SHUTDOWN' })
    await expect(log.deleteBefore(1)).rejects.toMatchObject({ code: 'E_SHUTDOWN' })
  })
})

it('tells how long the disk has been at it: one that hangs does not fail', async () => {
  const clock = new ManualClock()
  const fs = new MemoryFileSystem()
  let letGo: () => void = () => undefined
  let hangs: Promise<void> | undefined
  const openFile = fs.open.bind(fs)
  fs.open = async (...args) => {
    const file = await openFile(...args)
    const datasync = file.datasync.bind(file)
    return Object.assign(file, {
      datasync: async () => {
        await hangs
        await datasync()
      },
    })
  }
  const log = await openOn(fs, {}, { clock })
  await log.append(text('quick'))
  await settled()
  expect(log.busyMs).toBe(0)
  hangs = new Promise((resolve) => {
    letGo = resolve
  })
  const slow = log.append(text('slow'))
  await clock.advance(40_000)
  expect(log.busyMs).toBe(40_000)
  letGo()
  await slow
  await settled()
  expect(log.busyMs).toBe(0)
  await log.close()
})
