import { describe, expect, it, onTestFinished } from 'vitest'
import type { ClockLook } from '../../publisher/clock-sync.ts'
import { ClockWait } from '../../publisher/clock-wait.ts'
import { openDiskOutbox } from '../../publisher/disk-outbox.ts'
import { createMemoryOutbox } from '../../publisher/memory-outbox.ts'
import type { Outbox } from '../../publisher/outbox.ts'
import { silentLog } from '../../src/log.ts'
import { type Reading, timesOf } from '../../src/reading.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { reading } from './support.ts'

const ALL = { readings: 1_000, bytes: 10_000_000 }
const WAIT_MS = 600_000
/** What the clock shows after the Pi has started, and what it is. */
const WRONG = Date.UTC(2026, 10, 19, 8)
const RIGHT = Date.UTC(2026, 10, 22, 12)

/** A Pi whose clock was left behind while it was off; its disk and its boots outlive a run of the program. */
class Pi {
  readonly clock = new ManualClock(WRONG)
  readonly disk = new MemoryFileSystem()
  boot = 'boot-1'
  look: ClockLook = { state: 'unsynced', expected: true }
  outbox!: Outbox
  wait!: ClockWait
  letGo = 0
  #seq = 0
  #stream = 0

  async start(where: 'in memory' | 'on disk' = 'in memory', waitMs = WAIT_MS): Promise<this> {
    const { clock, boot } = this
    const log = silentLog()
    const bounds = { limit: 100_000, aloneMs: 0 }
    this.outbox =
      where === 'in memory'
        ? createMemoryOutbox(bounds, clock)
        : await openDiskOutbox({ dir: '/outbox', ...bounds, syncEveryMs: 0, boot }, { clock, log, fs: this.disk })
    this.wait = new ClockWait(waitMs, {
      clock,
      boot: { boot, ms: () => clock.monotonic() },
      sync: { look: async () => this.look },
      outbox: this.outbox,
      log,
      onSettled: () => this.letGo++,
    })
    this.#stream++
    this.#seq = 0
    const { wait } = this
    onTestFinished(() => wait.close())
    await wait.begin()
    return this
  }

  /** As the publisher does. */
  async take(count = 1): Promise<void> {
    for (let i = 0; i < count; i++) {
      const moment = await this.wait.moment()
      const { compact, ...times } = timesOf(moment.epochMs)
      const seq = ++this.#seq
      const plain = reading(seq, `stream-${this.#stream}`)
      const made = { ...plain, ...times, rowid: `${compact}_${plain.uuid}`, clock: moment.clock }
      await this.outbox.append(...this.wait.asKept(made, moment))
    }
  }

  /** NTP steps the clock; the program sees it at its next look. */
  async setClock(): Promise<void> {
    this.clock.setWall(RIGHT)
    this.look = { state: 'synced', expected: false }
    await this.clock.advance(1_000)
    await this.idle()
  }

  async kill(): Promise<void> {
    await this.wait.close()
    this.disk.kill()
  }

  async idle(): Promise<void> {
    for (let i = 0; i < 20; i++) await settled()
  }

  sent(): Promise<Reading[]> {
    return this.outbox.take(ALL)
  }

  times(readings: readonly Reading[]): (string | null)[][] {
    return readings.map(({ clock, datetimestamp }) => [clock, datetimestamp])
  }
}

describe('a reading taken before the clock is set', () => {
  it('waits, and so does the next, and goes with its right time when the clock is set', async () => {
    const pi = await new Pi().start()
    pi.wait.connected()
    await pi.take()
    await pi.clock.advance(90_000)
    await pi.take()
    expect(await pi.sent()).toEqual([])
    expect([pi.outbox.heldBack, pi.outbox.unsent, pi.letGo]).toEqual([2, 0, 0])
    await pi.setClock()
    await pi.take()
    expect(pi.letGo).toBe(1)
    const [first, second, third] = await pi.sent()
    expect(first).toEqual({
      ...reading(1, 'stream-1'),
      after: 'stream-1.0',
      rowid: '20261122115830_pi-a-stream-1-1',
      ts: RIGHT / 1000 - 90,
      datetimestamp: '2026-11-22T11:58:30.000Z',
      systemtime: '11/22/2026 11:58:30',
      clock: 'corrected',
    })
    expect(second).toMatchObject({ clock: 'corrected', datetimestamp: '2026-11-22T12:00:00.000Z' })
    expect(third).toMatchObject({ clock: 'synced', datetimestamp: '2026-11-22T12:00:01.000Z' })
  })

  it('goes as it is when the clock was not set in time, and later ones follow at once', async () => {
    const pi = await new Pi().start()
    pi.wait.connected()
    await pi.take(2)
    await pi.clock.advance(WAIT_MS - 1_000)
    expect(await pi.sent()).toEqual([])
    await pi.clock.advance(1_000)
    expect((await pi.sent()).map((r) => [r.seq, r.clock])).toEqual([
      [1, 'unsynced'],
      [2, 'unsynced'],
    ])
    await pi.take()
    expect(await pi.sent()).toMatchObject([{ seq: 3, clock: 'unsynced' }])
    await pi.setClock()
    pi.outbox.rewind('uncommitted')
    expect((await pi.sent()).map((r) => r.clock)).toEqual(['unsynced', 'unsynced', 'unsynced'])
    await pi.take()
    expect(await pi.sent()).toMatchObject([{ seq: 4, clock: 'synced' }])
  })

  it('waits without end while there is no connection: it could not be sent anyway', async () => {
    const pi = await new Pi().start()
    await pi.take()
    await pi.clock.advance(10 * WAIT_MS)
    expect(pi.outbox.heldBack).toBe(1)
    pi.wait.connected()
    await pi.clock.advance(5_000)
    await pi.setClock()
    expect(await pi.sent()).toMatchObject([{ clock: 'corrected' }])
  })

  it('waits for nothing where the clock is not expected to be set', async () => {
    const pi = new Pi()
    pi.look = { state: 'unsynced', expected: false }
    await pi.start()
    await pi.take()
    pi.wait.connected()
    expect(await pi.sent()).toMatchObject([{ seq: 1, clock: 'unsynced' }])
    await pi.take()
    expect(await pi.sent()).toMatchObject([{ seq: 2, clock: 'unsynced' }])
  })

  it('is corrected even there, if the clock is set before there was a connection', async () => {
    const pi = new Pi()
    pi.look = { state: 'unsynced', expected: false }
    await pi.start()
    await pi.take()
    await pi.clock.advance(3_600_000)
    await pi.setClock()
    pi.wait.connected()
    expect(await pi.sent()).toMatchObject([{ clock: 'corrected', datetimestamp: '2026-11-22T11:00:00.000Z' }])
  })

  it('does not wait with a wait of 0', async () => {
    const pi = await new Pi().start('in memory', 0)
    pi.wait.connected()
    await pi.take()
    expect(await pi.sent()).toMatchObject([{ clock: 'unsynced' }])
  })

  it('goes when nobody wants to wait any more', async () => {
    const pi = await new Pi().start()
    pi.wait.connected()
    await pi.take()
    await pi.wait.giveUp()
    expect(await pi.sent()).toMatchObject([{ clock: 'unsynced' }])
  })

  it('is not stuck when the wait ends while it is being made', async () => {
    const pi = await new Pi().start()
    pi.wait.connected()
    const moment = await pi.wait.moment()
    await pi.setClock()
    await pi.outbox.append(...pi.wait.asKept(reading(1), moment))
    expect(await pi.sent()).toMatchObject([{ clock: 'corrected', datetimestamp: '2026-11-22T12:00:00.000Z' }])
  })

  it('does not wait when the clock is set from the start', async () => {
    const pi = new Pi()
    pi.look = { state: 'synced', expected: false }
    await pi.start()
    await pi.take()
    expect(await pi.sent()).toMatchObject([{ clock: 'synced' }])
  })
})

describe('across a restart, on disk', () => {
  it('of the program: what an earlier run took is corrected like what this one takes', async () => {
    const pi = await new Pi().start('on disk')
    await pi.take()
    await pi.clock.advance(60_000)
    await pi.kill()
    await pi.clock.advance(60_000)
    await pi.start('on disk')
    expect(pi.outbox.heldBack).toBe(1)
    pi.wait.connected()
    await pi.take()
    expect(await pi.sent()).toEqual([])
    await pi.setClock()
    expect(pi.times(await pi.sent())).toEqual([
      ['corrected', '2026-11-22T11:58:00.000Z'],
      ['corrected', '2026-11-22T12:00:00.000Z'],
    ])
  })

  it('of the program, with the clock set meanwhile: it is corrected at the start', async () => {
    const pi = await new Pi().start('on disk')
    await pi.take()
    await pi.clock.advance(60_000)
    await pi.kill()
    await pi.setClock()
    await pi.start('on disk')
    expect(pi.times(await pi.sent())).toEqual([['corrected', '2026-11-22T11:59:00.000Z']])
  })

  it('of the machine: nothing proves how long that was off, so the reading stays as it is', async () => {
    const pi = await new Pi().start('on disk')
    await pi.take()
    await pi.kill()
    pi.boot = 'boot-2'
    await pi.setClock()
    await pi.start('on disk')
    expect(pi.times(await pi.sent())).toEqual([['unsynced', '2026-11-19T08:00:00.000Z']])
  })

  it('a reading that was let go never changes again, whatever the clock does', async () => {
    const pi = await new Pi().start('on disk')
    await pi.take()
    await pi.setClock()
    const before = await pi.sent()
    expect(before).toMatchObject([{ clock: 'corrected' }])
    pi.disk.crash()
    pi.clock.setWall(RIGHT + 86_400_000)
    await pi.start('on disk')
    expect(await pi.sent()).toEqual(before)
  })

  it('nor does one that went uncorrected, though the boot is the same and the clock is set at last', async () => {
    const pi = await new Pi().start('on disk')
    await pi.take()
    await pi.wait.giveUp()
    const before = await pi.sent()
    await pi.kill()
    await pi.setClock()
    await pi.start('on disk')
    expect(await pi.sent()).toEqual(before)
  })

  it('the wait goes on where it was, and is over once in a boot', async () => {
    const pi = await new Pi().start('on disk')
    pi.wait.connected()
    await pi.take()
    await pi.clock.advance(WAIT_MS - 60_000)
    await pi.idle()
    await pi.kill()
    await pi.start('on disk')
    pi.wait.connected()
    await pi.take()
    expect(await pi.sent()).toEqual([])
    await pi.clock.advance(60_000)
    await pi.idle()
    expect(await pi.sent()).toHaveLength(2)
    await pi.kill()
    await pi.start('on disk')
    await pi.take()
    expect(await pi.sent()).toHaveLength(3)
    await pi.kill()
    pi.boot = 'boot-2'
    await pi.start('on disk')
    await pi.take()
    expect((await pi.sent()).map((r) => r.stream)).toEqual(['stream-1', 'stream-2', 'stream-3'])
    expect(pi.outbox.heldBack).toBe(1)
  })

  it('on a full disk readings are corrected in memory and go: a clock is no reason to stop', async () => {
    const pi = await new Pi().start('on disk')
    await pi.take(2)
    pi.disk.capacity = pi.disk.used
    await pi.take()
    await pi.setClock()
    expect((await pi.sent()).map((r) => r.clock)).toEqual(['corrected', 'corrected', 'corrected'])
  })
})
