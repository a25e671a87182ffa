import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_WINDOWS, sparkWindows, type WindowOptions } from '../../../phone/windows/options.ts'
import type { ActivityWindow, Sample } from '../../../phone/windows/sample.ts'
import { restoreEngine, snapshotOf } from '../../../phone/windows/snapshot.ts'
import { WindowEngine } from '../../../phone/windows/window-engine.ts'
import { comparable, PerWindowReference } from './per-window-reference.ts'
import { RECEIVED_MS, T0_US } from './worked-example.ts'

const UNBOUNDED = { futureMs: null, maxDevices: null, maxWindows: null, maxRecordings: null } as const
const MODES: readonly WindowOptions[] = [
  sparkWindows('>=3.4'),
  sparkWindows('<=3.3'),
  { ...DEFAULT_WINDOWS, ...UNBOUNDED },
  { ...DEFAULT_WINDOWS, ...UNBOUNDED, lateAfter: 'current' },
]

const sample: fc.Arbitrary<Sample> = fc.record({
  deviceId: fc.constantFrom('A', 'B', 'C'),
  sessionId: fc.constantFrom('morning', 'evening'),
  // Round times too: those lie on the edges of windows.
  tUs: fc
    .oneof(
      fc.integer({ min: 0, max: 60_000_000 }),
      fc.integer({ min: 0, max: 60 }).map((s) => s * 1_000_000),
    )
    .map((us) => T0_US + us),
  magnitude: fc.double({ min: 0, max: 40, noNaN: true }),
  total: fc.option(fc.double({ min: 0, max: 40, noNaN: true }), { nil: undefined, freq: 8 }),
})
/** Batches whose samples drift on, so that windows are finished on the way. */
const batches = fc
  .array(fc.array(sample, { maxLength: 8 }), { maxLength: 25 })
  .map((list) => list.map((batch, i) => batch.map((one) => ({ ...one, tUs: one.tUs + i * 4_000_000 }))))

const far = (deviceId: string): Sample => ({ deviceId, sessionId: 'end', tUs: T0_US + 1e9, magnitude: 1 })
/** Finishes all that is open. */
const END = [['A', 'B', 'C'].map(far), []]

describe('the windows', () => {
  it.each(MODES)('are those of the rules applied to every window by itself: %j', (options) => {
    fc.assert(
      fc.property(batches, (list) => {
        const engine = new WindowEngine(options)
        const reference = new PerWindowReference(options.watermark === 'device', options.lateAfter)
        for (const batch of [...list, ...END])
          expect(comparable(engine.process(batch, RECEIVED_MS))).toEqual(comparable(reference.process(batch)))
        expect(engine.counters.late_pairs).toBe(reference.droppedPairs)
      }),
      { numRuns: 60 },
    )
  })

  it('T5: are those of all samples put together, where nothing is ever late', () => {
    fc.assert(
      fc.property(batches, (list) => {
        const engine = new WindowEngine({ ...DEFAULT_WINDOWS, ...UNBOUNDED, delayMs: Number.POSITIVE_INFINITY })
        const reference = new PerWindowReference(true, 'previous', Number.POSITIVE_INFINITY)
        reference.process(list.flat())
        for (const batch of list) expect(engine.process(batch, RECEIVED_MS)).toEqual([])
        const recordings = ['A', 'B', 'C'].flatMap((id) =>
          ['morning', 'evening'].map((session) => [id, session] as const),
        )
        const open = recordings.flatMap(([id, session]) => {
          const state = engine.parts.devices.get(id)?.recordings.get(session)
          return state === undefined ? [] : state.finish(T0_US * 2, (ends) => ends)
        })
        expect(comparable(open)).toEqual(comparable(reference.rest()))
      }),
      { numRuns: 60 },
    )
  })

  it('of one recording come in the order of their ends, bounds and flushes included', () => {
    fc.assert(
      fc.property(batches, fc.array(fc.nat(5)), (list, flushes) => {
        const engine = new WindowEngine({ ...DEFAULT_WINDOWS, maxWindows: 12, maxDevices: 2, maxRecordings: 2 })
        const last = new Map<string, number>()
        for (const [i, batch] of list.entries())
          for (const window of [
            ...engine.process(batch, RECEIVED_MS + i * 1000),
            ...(flushes.includes(i % 6) ? engine.flush('A', 'morning') : []),
          ]) {
            const key = `${window.deviceId} ${window.sessionId}`
            // A phone that was given up because of others starts anew.
            if (engine.counters.evicted_devices === 0 && engine.counters.evicted_recordings === 0)
              expect(window.endUs).toBeGreaterThan(last.get(key) ?? 0)
            last.set(key, window.endUs)
          }
      }),
      { numRuns: 60 },
    )
  })
})

describe('a restart (T8)', () => {
  it('from snapshots at any points gives the same windows, in the same order, to the last digit', () => {
    type Event = { readonly batch: readonly Sample[] } | { readonly flush: 'morning' | 'evening' }
    const events = fc
      .tuple(
        batches,
        fc.array(fc.tuple(fc.nat(25), fc.constantFrom('morning' as const, 'evening' as const)), { maxLength: 4 }),
      )
      .map(([list, flushes]) => {
        const all: Event[] = list.map((batch) => ({ batch }))
        for (const [where, flush] of flushes) all.splice(where, 0, { flush })
        return all
      })
    const step = (engine: WindowEngine, event: Event): ActivityWindow[] =>
      'flush' in event ? engine.flush('A', event.flush) : engine.process(event.batch, RECEIVED_MS)
    fc.assert(
      fc.property(events, fc.array(fc.nat(30), { maxLength: 6 }), (list, restarts) => {
        const options = { ...DEFAULT_WINDOWS, maxDevices: 2, maxWindows: 20 }
        const steady = new WindowEngine(options)
        let restarted = new WindowEngine(options)
        for (const [i, event] of list.entries()) {
          if (restarts.includes(i)) {
            const back = restoreEngine(options, JSON.parse(JSON.stringify(snapshotOf(restarted))))
            if (back === undefined) throw new Error('the snapshot was not taken')
            restarted = back
          }
          expect(step(restarted, event)).toEqual(step(steady, event))
        }
        expect(snapshotOf(restarted)).toEqual(snapshotOf(steady))
      }),
      { numRuns: 60 },
    )
  })

  it('a snapshot does not change with what comes after it', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    const one = { deviceId: 'A', sessionId: 'r', tUs: T0_US, magnitude: 1, total: 9 }
    engine.process([one], RECEIVED_MS)
    engine.note('A', 'r', { tUs: T0_US, activity: 'walking', confidence: null })
    const snapshot = snapshotOf(engine)
    const before = structuredClone(snapshot)
    engine.process([one, { ...one, sessionId: 's' }], RECEIVED_MS)
    engine.note('A', 'r', { tUs: T0_US + 1, activity: 'running', confidence: null })
    engine.flush('A', 'r')
    expect(snapshot).toEqual(before)
  })
})
