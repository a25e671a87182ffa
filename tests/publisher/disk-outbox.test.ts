import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DiskOutbox, type DiskOutboxSettings, openDiskOutbox } from '../../publisher/disk-outbox.ts'
import type { Outbox } from '../../publisher/outbox.ts'
import { readContents } from '../../publisher/outbox-contents.ts'
import { readOutboxSnapshot } from '../../publisher/outbox-snapshot.ts'
import { readSentMark, SentMark } from '../../publisher/sent-mark.ts'
import { lookAtLog } from '../../src/durable-log/look.ts'
import { StreamSets } from '../../src/ledger.ts'
import { silentLog } from '../../src/log.ts'
import { seeded } from '../durable-log/support/logs.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { reading } from './support.ts'

const DIR = '/data/outbox'
const ALL = { readings: 1_000, bytes: 10_000_000 }
const NOTHING = new StreamSets()

/** A Pi whose disk forgets what was not synced when the power goes. */
class Pi {
  readonly disk: MemoryFileSystem
  clock = new ManualClock()

  constructor(seed = 1) {
    this.disk = new MemoryFileSystem(seeded(seed))
  }

  open(settings: Partial<DiskOutboxSettings> = {}): Promise<DiskOutbox> {
    this.clock = new ManualClock()
    return openDiskOutbox(
      { dir: DIR, limit: 1_000, aloneMs: 0, syncEveryMs: 0, segmentBytes: 4096, ...settings },
      { clock: this.clock, log: silentLog(), fs: this.disk },
    )
  }

  /** What the files say, whoever has them open. */
  async onDisk() {
    const { records } = await lookAtLog(this.disk, DIR)
    const each = async function* () {
      yield* records
    }
    return readContents(each(), await readOutboxSnapshot(this.disk, DIR))
  }

  async segments(): Promise<number> {
    return (await this.disk.list(DIR)).filter((name) => /\d{10}/.test(name)).length
  }
}

async function fill(outbox: Outbox, first: number, last: number, stream = 'aaaaaaaa'): Promise<void> {
  for (let seq = first; seq <= last; seq++) await outbox.append(reading(seq, stream))
}

function setOf(names: Iterable<string>): StreamSets {
  const result = new StreamSets()
  for (const name of names) {
    const [stream = '', seq = ''] = name.split('.')
    result.add(stream, Number(seq))
  }
  return result
}

const names = (first: number, last: number, stream = 'aaaaaaaa') =>
  Array.from({ length: last - first + 1 }, (_, i) => `${stream}.${first + i}`)

async function sent(outbox: Outbox): Promise<string[]> {
  return (await outbox.take(ALL)).map((r) => `${r.stream}.${r.seq}`)
}

/** What a memory disk does takes turns of the event loop. */
async function diskIdle(): Promise<void> {
  for (let i = 0; i < 10; i++) await settled()
}

describe('an outbox on disk', () => {
  it('has its readings after a power cut, in order, each of its own stream and byte for byte', async () => {
    const pi = new Pi()
    const first = await pi.open()
    await fill(first, 1, 3)
    pi.disk.crash()
    const second = await pi.open()
    await fill(second, 1, 2, 'bbbbbbbb')
    pi.disk.crash()
    const third = await pi.open()
    expect(third).toMatchObject({ size: 5, unsent: 5, unspooled: 5, givenUp: 0, durable: true })
    expect(await third.take(ALL)).toEqual([
      { ...reading(1), after: 'aaaaaaaa.0' },
      reading(2),
      reading(3),
      { ...reading(1, 'bbbbbbbb'), after: 'aaaaaaaa.3' },
      reading(2, 'bbbbbbbb'),
    ])
  })

  it('joins the first reading of a start to the last one before, also when that is long in the table', async () => {
    const pi = new Pi()
    const first = await pi.open()
    await fill(first, 1, 20)
    await first.learn(NOTHING, setOf(names(1, 20)))
    await first.close()
    const second = await pi.open()
    expect(second.size).toBe(0)
    await second.close()
    const third = await pi.open()
    await fill(third, 1, 1, 'bbbbbbbb')
    expect(await third.take(ALL)).toMatchObject([{ seq: 1, after: 'aaaaaaaa.20' }])
  })

  it('synced each 5 s, loses in a power cut only what came after the last sync, and declares it', async () => {
    const pi = new Pi()
    // Nothing that was not synced survives.
    Object.assign(pi, { disk: new MemoryFileSystem(() => 0) })
    // A new segment would be a sync of its own.
    const outbox = await pi.open({ syncEveryMs: 5_000, segmentBytes: 100_000 })
    await fill(outbox, 1, 3)
    await pi.clock.advance(5_000)
    await diskIdle()
    await fill(outbox, 4, 6)
    pi.disk.crash()
    const again = await pi.open({ syncEveryMs: 5_000 })
    await fill(again, 1, 1, 'bbbbbbbb')
    expect((await again.take(ALL)).map((r) => [r.seq, r.after])).toEqual([
      [1, 'aaaaaaaa.0'],
      [2, undefined],
      [3, undefined],
      [1, 'aaaaaaaa.3'],
    ])
  })

  it('synced each reading, gives none out to be sent before it is on the disk', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    const appended = outbox.append(reading(1))
    expect(await outbox.take(ALL)).toEqual([])
    await appended
    expect(await outbox.take(ALL)).toHaveLength(1)
  })

  it('forgets what is in the table, and gives its room back', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await fill(outbox, 1, 60)
    const before = await pi.segments()
    await outbox.learn(NOTHING, setOf(names(1, 59)))
    await pi.clock.advance(60_000)
    await diskIdle()
    await outbox.tidy()
    expect(before).toBeGreaterThan(10)
    expect(await pi.segments()).toBeLessThanOrEqual(2)
    pi.disk.crash()
    expect(await sent(await pi.open())).toEqual(['aaaaaaaa.60'])
  })

  it('sends what is in the table once more when the power went before that was written down', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await fill(outbox, 1, 3)
    await outbox.learn(NOTHING, setOf(names(1, 2)))
    pi.disk.crash()
    expect(await sent(await pi.open())).toEqual(names(1, 3))
  })

  it('keeps declaring what it has given up, also when the power goes and the disk has forgotten it', async () => {
    const pi = new Pi()
    const outbox = await pi.open({ limit: 3 })
    await fill(outbox, 1, 30)
    await outbox.tidy()
    expect(await pi.segments()).toBeLessThanOrEqual(3)
    pi.disk.crash()
    const again = await pi.open({ limit: 3 })
    expect((await again.take(ALL)).map((r) => [r.seq, r.after])).toEqual([
      [28, 'aaaaaaaa.0'],
      [29, 'aaaaaaaa.0'],
      [30, 'aaaaaaaa.0'],
    ])
  })

  it('keeps a reading it has given up on the disk until the one that declares it is durable', async () => {
    const pi = new Pi()
    Object.assign(pi, { disk: new MemoryFileSystem(() => 0) })
    const outbox = await pi.open({ limit: 3, syncEveryMs: 5_000, segmentBytes: 100_000 })
    await fill(outbox, 1, 3)
    await pi.clock.advance(5_000)
    await diskIdle()
    await outbox.append(reading(4))
    await outbox.tidy()
    pi.disk.crash()
    expect(await sent(await pi.open({ limit: 3 }))).toEqual(names(1, 3))
  })

  it('over its limit after a start, gives up only when a new reading can declare it', async () => {
    const pi = new Pi()
    await fill(await pi.open(), 1, 5)
    pi.disk.crash()
    const outbox = await pi.open({ limit: 3 })
    expect(outbox.size).toBe(5)
    await outbox.append(reading(1, 'bbbbbbbb'))
    expect(outbox).toMatchObject({ size: 3, givenUp: 3 })
    expect((await outbox.take(ALL)).at(-1)).toMatchObject({ stream: 'bbbbbbbb', after: 'aaaaaaaa.0' })
  })

  it('keeps no more than twice what it holds on the disk, though one reading never gets into the table', async () => {
    const pi = new Pi()
    const outbox = await pi.open({ limit: 10_000 })
    await fill(outbox, 1, 1)
    let most = 0
    for (let seq = 2; seq < 300; seq += 5) {
      await fill(outbox, seq, seq + 4)
      await outbox.learn(NOTHING, setOf(names(2, seq + 3)))
      await outbox.tidy()
      most = Math.max(most, await pi.segments())
    }
    expect(most).toBeLessThanOrEqual(5)
    pi.disk.crash()
    expect((await (await pi.open()).take(ALL)).map((r) => [r.seq, r.after])).toEqual([
      [1, 'aaaaaaaa.0'],
      [301, undefined],
    ])
  })

  it('moves readings that stay one segment at a time, each still in its place', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await fill(outbox, 1, 120)
    await outbox.learn(NOTHING, setOf(names(25, 119)))
    const before = await pi.segments()
    for (let minute = 0; minute < 15; minute++) {
      await pi.clock.advance(60_000)
      await diskIdle()
    }
    await outbox.tidy()
    // Some four readings are a segment.
    expect(before).toBeGreaterThanOrEqual(30)
    expect(await pi.segments()).toBeLessThanOrEqual(16)
    pi.disk.crash()
    expect(await sent(await pi.open())).toEqual([...names(1, 24), ...names(120, 120)])
  })

  it('loses no reading that stays, whenever the power goes while it is moved', async () => {
    for (let calls = 1; calls <= 60; calls++) {
      const pi = new Pi(calls)
      const outbox = await pi.open({ syncEveryMs: 5_000 })
      await fill(outbox, 1, 40)
      await pi.clock.advance(5_000)
      await diskIdle()
      await outbox.learn(NOTHING, setOf(names(3, 38)))
      const crashed = pi.disk.crashAfter(calls)
      await Promise.race([crashed, outbox.tidy().then(() => outbox.append(reading(41)))])
      pi.disk.crash()
      const back = await sent(await pi.open())
      expect(back.filter((name) => ['aaaaaaaa.1', 'aaaaaaaa.2', 'aaaaaaaa.39', 'aaaaaaaa.40'].includes(name))).toEqual([
        ...names(1, 2),
        ...names(39, 40),
      ])
      expect(back).toEqual([...new Set(back)].sort((a, b) => Number(a.slice(9)) - Number(b.slice(9))))
    }
  })

  it('remembers what is noted, and that a bridge was seen', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    expect(outbox.notes).toEqual({ bridge_seen: false, clock_wait: null, newest_ms: null })
    const clock_wait = { boot: 'boot-1', since: 77, over: true }
    outbox.note({ bridge_seen: true })
    outbox.note({ clock_wait })
    await diskIdle()
    pi.disk.crash()
    expect((await pi.open()).notes).toMatchObject({ bridge_seen: true, clock_wait })
  })

  it('takes a bridge for seen where it cannot know: it would give readings up for nothing', async () => {
    const pi = new Pi()
    await fill(await pi.open(), 1, 1)
    for (const name of await pi.disk.list(DIR)) if (name.includes('snapshot')) await pi.disk.unlink(`${DIR}/${name}`)
    pi.disk.kill()
    expect((await pi.open()).notes.bridge_seen).toBe(true)
  })

  it('where no bridge was ever seen gives up after a restart what is older than a day, by times that are right', async () => {
    const pi = new Pi()
    const first = await pi.open({ aloneMs: 86_400_000 })
    const at = (ms: number) => ({ clock: 'synced', datetimestamp: new Date(ms).toISOString() })
    const now = pi.clock.now()
    await first.append(reading(1, 'aaaaaaaa', at(now - 90_000_000)))
    await first.append(reading(2, 'aaaaaaaa', { clock: 'unsynced', datetimestamp: '1970-01-01T00:00:00.000Z' }))
    await first.append(reading(3, 'aaaaaaaa', at(now - 80_000_000)))
    pi.disk.crash()
    const again = await pi.open({ aloneMs: 86_400_000 })
    await again.append(reading(4, 'aaaaaaaa', at(now)))
    expect(again.givenUp).toBe(1)
    expect(await sent(again)).toEqual(names(2, 4))
    await pi.clock.advance(7_000_000)
    await again.append(reading(5, 'aaaaaaaa', at(now + 7_000_000)))
    // The one whose time nothing vouches for is older than this run, nobody knows by how much; it stands before the third.
    expect(again.givenUp).toBe(1)
    await pi.clock.advance(80_000_000)
    await again.append(reading(6, 'aaaaaaaa', at(now + 87_000_000)))
    expect(again.givenUp).toBe(4)
  })

  it('on a full disk keeps new readings in memory, sends them, and writes them when there is room', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await fill(outbox, 1, 3)
    pi.disk.capacity = pi.disk.used
    await fill(outbox, 4, 6)
    expect(await sent(outbox)).toEqual(names(1, 6))
    pi.disk.capacity = Number.POSITIVE_INFINITY
    await fill(outbox, 7, 7)
    pi.disk.crash()
    expect(await sent(await pi.open())).toEqual(names(1, 7))
  })

  it('on a full disk makes room of what has gone into the table, and goes on', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await fill(outbox, 1, 30)
    pi.disk.capacity = pi.disk.used
    await fill(outbox, 31, 33)
    await outbox.learn(NOTHING, setOf(names(1, 30)))
    await outbox.tidy()
    pi.disk.crash()
    const again = await pi.open()
    const back = await sent(again)
    expect(back.slice(-3)).toEqual(names(31, 33))
  })

  it('whose write failed says so and takes no more readings', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await fill(outbox, 1, 2)
    pi.disk.failNext('datasync')
    await expect(outbox.append(reading(3))).rejects.toMatchObject({ code: 'E_LOG_IO' })
    await expect(outbox.failed).rejects.toMatchObject({ code: 'E_LOG_IO', message: expect.stringContaining(DIR) })
    await outbox.close()
    expect((await sent(await pi.open())).slice(0, 2)).toEqual(names(1, 2))
  })

  it('is refused a directory in which another publisher runs, or that it cannot write', async () => {
    const pi = new Pi()
    await pi.open()
    await expect(pi.open()).rejects.toMatchObject({ code: 'E_RIVAL', message: expect.stringContaining(DIR) })
    const other = new Pi()
    other.disk.failNext('open', 'EACCES')
    await expect(other.open()).rejects.toMatchObject({
      code: 'E_LOG_IO',
      message: `The directory ${DIR} cannot be used for a log: permission denied.`,
    })
  })

  it('is refused a directory in which the log is of another program', async () => {
    const pi = new Pi()
    const { openDurableLog } = await import('../../src/durable-log/durable-log.ts')
    const log = await openDurableLog({ dir: DIR }, { clock: pi.clock, log: silentLog(), fs: pi.disk })
    await log.append(Buffer.from('something else'))
    await log.close()
    await expect(pi.open()).rejects.toMatchObject({ code: 'E_LOG_CORRUPT' })
  })
})

type Step =
  | { do: 'append'; readings: number; heldBack: boolean }
  | { do: 'send'; lost: boolean }
  | { do: 'ledger'; commit: number }
  | { do: 'sync' | 'tidy' | 'crash' | 'kill' | 'close' | 'disk full' | 'room' | 'settle' | 'boot' }
  | { do: 'crash within'; calls: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      readings: fc.integer({ min: 1, max: 4 }),
      heldBack: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), lost: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ledger' as const), commit: fc.nat(6) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('sync', 'tidy', 'crash', 'kill', 'close') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('disk full', 'room') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('settle', 'settle', 'boot') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('crash within' as const), calls: fc.integer({ min: 1, max: 12 }) }),
  },
)

/** A Pi, a bridge and a table, with all that was ever measured. */
class World {
  readonly #pi: Pi
  readonly #settings: { limit: number; syncEveryMs: number; segmentBytes: number }
  readonly order: string[] = []
  readonly spooled: string[] = []
  readonly committed = new Set<string>()
  /** By place: the earliest place that a row in the table names as before it. */
  readonly declaredFrom: number[] = []
  /** Known to be on the disk. */
  #durable = new Set<string>()
  /** The outbox of this run knows them to be in the table. */
  #released = new Set<string>()
  /** It knew so when that was written down. */
  readonly #forgotten = new Set<string>()
  /** What each said when it was first sent. */
  readonly #said = new Map<string, string | null>()
  #stream = 0
  #seq = 0
  #boot = 1
  #corrections = 0
  #full = false
  outbox!: DiskOutbox

  constructor(seed: number, settings: { limit: number; syncEveryMs: number; segmentBytes: number }) {
    this.#pi = new Pi(seed)
    this.#settings = settings
  }

  async start(): Promise<void> {
    this.#stream++
    this.#seq = 0
    this.outbox = await this.#pi.open({ ...this.#settings, boot: this.#bootId })
  }

  /** From the first message of a run on, taking for a while needs no disk: also a dead outbox then says what it holds. */
  async begin(): Promise<void> {
    await this.settle()
    await this.append()
    while ((await this.send(true)) > 0);
  }

  async append(heldBack = false): Promise<void> {
    const name = `stream${this.#stream}.${++this.#seq}`
    this.order.push(name)
    const takenAt = heldBack ? { boot: this.#bootId, ms: this.order.length } : undefined
    await this.outbox.append(reading(this.#seq, `stream${this.#stream}`), takenAt)
    if (this.#settings.syncEveryMs === 0 && !this.#full) this.#durable.add(name)
  }

  async send(lost: boolean): Promise<number> {
    const taken = await this.outbox.take({ readings: 3, bytes: 1_000_000 })
    for (const { stream, seq, after, datetimestamp } of taken) {
      const name = `${stream}.${seq}`
      const before = this.#said.get(name) ?? datetimestamp
      expect(datetimestamp, `${name} has changed after it was sent`).toBe(before)
      this.#said.set(name, before)
      if (lost || this.spooled.includes(name)) continue
      this.spooled.push(name)
      if (typeof after === 'string') this.declaredFrom[this.place(name)] = this.place(after)
    }
    return taken.length
  }

  /** The clock is set, each time to another time. A full disk cannot remember it. */
  async settle(): Promise<void> {
    if (this.#full) return
    const correction = `correction ${++this.#corrections}`
    await this.outbox.settle((r) => ({ ...r, datetimestamp: correction }))
    expect(this.outbox.heldBack).toBe(0)
  }

  /** The next start is one of the machine, which corrects nothing of before. */
  reboot(): void {
    this.#boot++
  }

  async hear(commit: number): Promise<void> {
    for (const name of this.spooled.slice(0, this.committed.size + commit)) this.committed.add(name)
    await this.outbox.learn(setOf(this.spooled), setOf(this.committed))
    this.outbox.resendSkipped()
    this.#released = new Set(this.committed)
  }

  async sync(): Promise<void> {
    await this.#pi.clock.advance(5_000)
    await diskIdle()
    this.#allIsDurable()
  }

  async tidy(): Promise<void> {
    await this.sync()
    await this.outbox.tidy()
    if (!this.#full) for (const name of this.#released) this.#forgotten.add(name)
  }

  async end(how: 'crash' | 'kill' | 'close'): Promise<void> {
    if (how === 'close') {
      await this.tidy()
      await this.outbox.close()
    } else if (how === 'kill') {
      this.#allIsDurable()
      this.#pi.disk.kill()
    } else this.#pi.disk.crash()
    await this.#restart()
  }

  async crashWithin(calls: number): Promise<void> {
    const crashed = this.#pi.disk.crashAfter(calls)
    const atWork = async () => {
      await Promise.all([this.append(), this.append(), this.outbox.tidy()])
      await this.#pi.clock.advance(60_000)
      await diskIdle()
    }
    await Promise.race([crashed, atWork()])
    this.#pi.disk.crash()
    await this.#restart()
  }

  fillDisk(): void {
    this.#full = true
    this.#pi.disk.capacity = this.#pi.disk.used
  }

  /** The outbox notices with the next reading, or by itself. */
  async makeRoom(): Promise<void> {
    this.#pi.disk.capacity = Number.POSITIVE_INFINITY
    await this.outbox.tidy()
    this.#full = false
  }

  place(name: string): number {
    return name.endsWith('.0') ? -1 : this.order.indexOf(name)
  }

  async #restart(): Promise<void> {
    const before = await this.#held()
    this.#full = false
    this.#pi.disk.capacity = Number.POSITIVE_INFINITY
    await this.start()
    const stored = (await this.#pi.onDisk()).held
    const held = stored.map(({ reading: { stream, seq } }) => `${stream}.${seq}`)
    expect(this.outbox.size).toBe(held.length)
    const mark = (await readSentMark(this.#pi.disk, DIR)) ?? Number.POSITIVE_INFINITY
    const unsent = held.filter((_, i) => (stored[i]?.order ?? 0) > mark)
    expect(unsent.filter((name) => this.#said.has(name))).toEqual([])
    const places = held.map((name) => this.place(name))
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
    const safe = before.filter((name) => this.#durable.has(name))
    expect(held).toEqual(expect.arrayContaining(safe))
    expect(held.filter((name) => this.#forgotten.has(name))).toEqual([])
    this.#durable = new Set(held)
    this.#released = new Set()
    await this.begin()
  }

  #allIsDurable(): void {
    if (!this.#full) for (const name of this.order) this.#durable.add(name)
  }

  get #bootId(): string {
    return `boot-${this.#boot}`
  }

  /** Only where it does not matter what was sent: after the end. */
  async #held(): Promise<string[]> {
    this.outbox.rewind('uncommitted')
    return sent(this.outbox)
  }
}

it('wherever the power goes: what was synced is held in order, what was forgotten stays so, what was sent never changes, and every reading is in the table or declared missing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.record({
        limit: fc.integer({ min: 1, max: 12 }),
        syncEveryMs: fc.constantFrom(0, 5_000),
        segmentBytes: fc.constantFrom(2048, 4096),
      }),
      fc.integer(),
      async (steps, settings, seed) => {
        const world = new World(seed, settings)
        await world.start()
        await world.begin()
        for (const s of steps) {
          if (s.do === 'append') for (let i = 0; i < s.readings; i++) await world.append(s.heldBack)
          else if (s.do === 'send') await world.send(s.lost)
          else if (s.do === 'ledger') await world.hear(s.commit)
          else if (s.do === 'sync') await world.sync()
          else if (s.do === 'tidy') await world.tidy()
          else if (s.do === 'settle') await world.settle()
          else if (s.do === 'boot') world.reboot()
          else if (s.do === 'disk full') world.fillDisk()
          else if (s.do === 'room') await world.makeRoom()
          else if (s.do === 'crash within') await world.crashWithin(s.calls)
          else await world.end(s.do)
        }
        await world.makeRoom()
        await world.settle()
        await world.append()
        for (let round = 0; world.outbox.size > 0 && round < 100; round++) {
          world.outbox.rewind('unspooled')
          while (world.outbox.unsent > 0) await world.send(false)
          await world.hear(1_000)
        }
        expect(world.outbox).toMatchObject({ size: 0, unsent: 0, unspooled: 0 })
        for (const [index, name] of world.order.entries()) {
          if (world.committed.has(name)) continue
          const declared = world.declaredFrom.some((from, by) => from !== undefined && from < index && by > index)
          expect(declared, `${name} is missing and not declared`).toBe(true)
        }
      },
    ),
    { numRuns: 700 },
  )
})

describe('the mark of what was sent', () => {
  const marked = fc.oneof(
    fc.record({ do: fc.constant('reach' as const), on: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ do: fc.constantFrom('rest', 'rest', 'narrow', 'crash', 'kill', 'disk full', 'room', 'disk fails') }),
    fc.record({ do: fc.constant('crash within' as const), calls: fc.integer({ min: 1, max: 5 }) }),
  )

  it('is never before what was sent, wherever the power goes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(marked, { maxLength: 30 }), fc.integer(), async (steps, seed) => {
        const disk = new MemoryFileSystem(seeded(seed))
        await disk.makeDirectory('/data')
        await disk.syncDirectory('/')
        let last = 0
        let sentTo = 0
        let mark = await SentMark.open(disk, '/data', last, silentLog())
        const restart = async () => {
          disk.capacity = Number.POSITIVE_INFINITY
          const known = await readSentMark(disk, '/data')
          expect(known ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(sentTo)
          mark = await SentMark.open(disk, '/data', last, silentLog())
        }
        for (const step of steps) {
          if (step.do === 'reach') {
            last += step.on
            await mark.reach(last)
            sentTo = last
          } else if (step.do === 'rest') await mark.rest()
          else if (step.do === 'narrow') await mark.narrow()
          else if (step.do === 'disk full') disk.capacity = disk.used
          else if (step.do === 'disk fails') disk.failNext('datasync')
          else if (step.do === 'room') disk.capacity = Number.POSITIVE_INFINITY
          else if (step.do === 'crash within') {
            const crashed = disk.crashAfter(step.calls)
            last += 900
            const atWork = Promise.all([mark.narrow(), mark.reach(last)]).then(() => {
              sentTo = last
            })
            await Promise.race([crashed, atWork])
            disk.crash()
            await restart()
          } else {
            if (step.do === 'crash') disk.crash()
            else disk.kill()
            await restart()
          }
        }
        disk.kill()
        await restart()
      }),
      { numRuns: 500 },
    )
  })

  it('is exact after a rest, and says nothing where there is none', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    expect(await readSentMark(pi.disk, DIR)).toBe(0)
    await fill(outbox, 1, 5)
    await outbox.take({ readings: 3, bytes: 1_000_000 })
    expect(await readSentMark(pi.disk, DIR)).toBeGreaterThan(5)
    await pi.clock.advance(120_000)
    await diskIdle()
    expect(await readSentMark(pi.disk, DIR)).toBe(3)
    expect(await readSentMark(pi.disk, '/data')).toBeUndefined()
  })

  it('of an outbox that knew none says that all may have been sent', async () => {
    const pi = new Pi()
    await fill(await pi.open(), 1, 5)
    await pi.disk.unlink(`${DIR}/outbox.sent`)
    pi.disk.kill()
    await pi.open()
    expect(await readSentMark(pi.disk, DIR)).toBe(5)
  })
})
