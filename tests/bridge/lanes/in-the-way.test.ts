import { describe, expect, it } from 'vitest'
import { type Deliverable, InTheWay } from '../../../bridge/lanes/in-the-way.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'

const MINUTE = 60_000
const LOOK = 10_000

/** How a lane stands at a time. */
type Life = (now: number, served: number) => Omit<Deliverable, 'device'>

const well: Life = (now) => ({ untakenSince: now - 100, takenAt: now - 100, failedAfter: undefined })
const stuckSince =
  (since: number): Life =>
  (_now, served) => ({ untakenSince: since, takenAt: undefined, failedAfter: served })

describe('a device that cannot be delivered', () => {
  /** Looks every ten seconds; when each device is first found to be in the way. */
  const found = (
    lives: Readonly<Record<string, Life>>,
    until: number,
    { crowded = false, rows = {} as Readonly<Record<string, number>>, before = (_spool: MemorySpool) => {} } = {},
  ): Record<string, number> => {
    const spool = new MemorySpool(1_000_000)
    before(spool)
    for (const hostname of Object.keys(lives))
      for (let seq = 1; seq <= (rows[hostname] ?? 1); seq++) {
        const row = { stream: 'aaaaaaaa', seq, json: Buffer.from('{}'), receivedAt: 0, arrived: 0 }
        void spool.append([{ device: spool.device(hostname), rows: [row] }])
      }
    const watch = new InTheWay()
    const first: Record<string, number> = {}
    let served = 0
    for (let now = 0; now <= until; now += LOOK) {
      const lanes = Object.entries(lives).map(([hostname, life]) => ({
        device: spool.device(hostname),
        ...life(now, served),
      }))
      if (lanes.some(({ takenAt }) => takenAt !== undefined && now - takenAt < LOOK)) served++
      for (const { hostname } of watch.look(lanes, served, crowded, now)) first[hostname] ??= now
    }
    return first
  }

  it('is moved aside after ten minutes, while others can be delivered', () => {
    expect(found({ stuck: stuckSince(MINUTE), well }, 12 * MINUTE)).toEqual({ stuck: 11 * MINUTE })
  })

  it('is moved aside sooner when the others wait for the room its rows take', () => {
    expect(found({ stuck: stuckSince(MINUTE), well }, 12 * MINUTE, { crowded: true })).toEqual({ stuck: 3 * MINUTE })
  })

  it('stays where it is in an outage: none is delivered, and it is not the device then', () => {
    const tookBefore: Life = (_now, served) => ({ untakenSince: 5_000, takenAt: 4_000, failedAfter: served })
    expect(found({ stuck: stuckSince(0), tookBefore }, 60 * MINUTE, { crowded: true })).toEqual({})
  })

  it('has its time anew when an outage is over', () => {
    const back = 20 * MINUTE
    const recovered: Life = (now, served) => (now < back ? stuckSince(0)(now, served) : well(now, served))
    expect(found({ stuck: stuckSince(0), recovered }, 40 * MINUTE)).toEqual({ stuck: back + 10 * MINUTE })
    expect(found({ stuck: stuckSince(0), recovered }, 40 * MINUTE, { crowded: true })).toEqual({
      stuck: back + 2 * MINUTE,
    })
  })

  it('is not one that has not been tried since the others are served: its channel waits for its turn', () => {
    const waitsForItsTurn: Life = () => ({ untakenSince: 0, takenAt: undefined, failedAfter: 0 })
    const back = 20 * MINUTE
    const recovered: Life = (now, served) => (now < back ? stuckSince(0)(now, served) : well(now, served))
    expect(found({ waitsForItsTurn, recovered }, 60 * MINUTE)).toEqual({})
  })

  it('is one that a person has to decide about, though nobody tries it any more', () => {
    const held: Life = () => ({ untakenSince: 0, takenAt: undefined, failedAfter: Number.POSITIVE_INFINITY })
    expect(found({ held, well }, 12 * MINUTE)).toEqual({ held: 10 * MINUTE })
  })

  it('is moved aside with few others at a time, those with most rows first', () => {
    const names = Array.from({ length: 25 }, (_, i) => `stuck-${i}`)
    const lives = Object.fromEntries(names.map((name) => [name, stuckSince(0)]))
    const rows = Object.fromEntries(names.map((name, i) => [name, i + 1]))
    const first = Object.keys(found({ ...lives, well }, 10 * MINUTE, { rows }))
    expect(first.sort()).toEqual(names.slice(-10).sort())
  })

  it('is moved aside once, and not without rows', () => {
    const before = (spool: MemorySpool) => {
      spool.device('aside').aside = true
    }
    const lives = { aside: stuckSince(0), none: stuckSince(0), well }
    expect(found(lives, 12 * MINUTE, { before, rows: { none: 0 } })).toEqual({})
  })
})
