import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_WINDOWS, sparkWindows, type WindowOptions } from '../../../phone/windows/options.ts'
import type { Sample } from '../../../phone/windows/sample.ts'
import { restoreEngine, snapshotOf } from '../../../phone/windows/snapshot.ts'
import { advance, newWatermark } from '../../../phone/windows/watermark.ts'
import { WindowEngine } from '../../../phone/windows/window-engine.ts'
import { windowId } from '../../../phone/windows/window-id.ts'
import { lastStart, windowNumber } from '../../../phone/windows/window-times.ts'
import { startsOf } from './per-window-reference.ts'
import { allTold, at, RECEIVED_MS, T0_US } from './worked-example.ts'

const SPARK = sparkWindows('>=3.4')

/** The windows of samples that come in one batch. */
function windowsOf(samples: readonly Sample[]) {
  const engine = new WindowEngine({ ...SPARK, watermark: 'device' })
  const later = samples.map((sample) => ({ ...sample, sessionId: 'later', tUs: sample.tUs + 1e9 }))
  return [samples, later, []]
    .flatMap((batch) => engine.process(batch, RECEIVED_MS))
    .filter(({ sessionId }) => sessionId !== 'later')
}

const bounds = (sample: Sample) =>
  windowsOf([sample]).map(({ startUs, endUs }) => [startUs, endUs].map((us) => (us - T0_US) / 1e6))

describe('windows (W)', () => {
  it.each([
    [0, -8],
    [1.999999, -8],
    [2, -6],
    [9.999999, 0],
    [10, 2],
  ])('W-1, T1: a sample at %d s is in the windows from %d s on, its start in, its end out', (seconds, first) => {
    expect(bounds(at('A', seconds, 1))).toEqual([0, 2, 4, 6, 8].map((more) => [first + more, first + more + 10]))
  })

  it('W-2: starts are whole slides since 1970, in any time zone', () => {
    for (const { startUs, endUs } of windowsOf([at('A', 7.3, 1)])) {
      expect(startUs % 2_000_000).toBe(0)
      expect(windowNumber(endUs) * 2_000_000).toBe(endUs)
    }
  })

  it('W-3, W-4, T2: every sample is in exactly five windows, before 1970 too', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2e15, max: 2e15 }), (tUs) => {
        const starts = startsOf(tUs)
        const hold = starts.every((start) => start <= tUs && tUs < start + 10_000_000)
        return hold && starts.length === 5 && lastStart(tUs) === starts[0]
      }),
      { numRuns: 10_000 },
    )
  })

  it('W-5, T12: recordings and phones are apart, two recordings of one phone at the same time too', () => {
    const one = at('A', 1, 1)
    const windows = windowsOf([
      one,
      { ...one, sessionId: 'other', magnitude: 5 },
      { ...one, deviceId: 'B', magnitude: 9 },
    ])
    expect(windows).toHaveLength(15)
    expect(new Set(windows.map(({ samples }) => samples))).toEqual(new Set([1]))
    expect(new Set(windows.map(({ avgMagnitude }) => avgMagnitude))).toEqual(new Set([1, 5, 9]))
  })

  it('W-6, T9: a sample without a time or a magnitude is in no window, and calls nobody a sprinter', () => {
    const engine = new WindowEngine(SPARK)
    const bad = [
      { ...at('A', 1, 1), tUs: Number.NaN },
      at('A', 1, Number.NaN),
      at('A', 1, Number.POSITIVE_INFINITY),
      { ...at('A', 1, 1), total: Number.NaN },
    ]
    engine.process(bad, RECEIVED_MS)
    expect(engine.flush('A', 'recording of A')).toEqual([])
    expect(engine.counters).toMatchObject({ unusable: 4, samples: 0 })
    expect(engine.parts.devices.size).toBe(0)
  })

  it('W-7: the average is that of all magnitudes, in whatever order they came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (magnitudes) => {
          const [window] = windowsOf(magnitudes.map((magnitude) => at('A', 1, magnitude)))
          const mean = magnitudes.reduce((sum, value) => sum + value, 0) / magnitudes.length
          expect(Math.abs((window?.avgMagnitude ?? -1) - mean)).toBeLessThanOrEqual(1e-9 * Math.max(mean, 1))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('W-8: a gap in the data is a gap in the windows', () => {
    const ends = windowsOf([at('A', 1, 1), at('A', 101, 1)]).map(({ endUs }) => (endUs - T0_US) / 1e6)
    expect(ends).toEqual([2, 4, 6, 8, 10, 102, 104, 106, 108, 110])
  })
})

describe('batches and watermarks (B)', () => {
  it('B-1, B-2: the watermark starts in 1970 and follows the largest event time, in floored milliseconds, by the delay', () => {
    const watermark = newWatermark()
    expect(watermark).toEqual({ previousUs: 0, currentUs: 0 })
    advance(watermark, 20_000_999, 10_000)
    expect(watermark).toEqual({ previousUs: 0, currentUs: 10_000_000 })
    advance(watermark, undefined, 10_000)
    expect(watermark).toEqual({ previousUs: 10_000_000, currentUs: 10_000_000 })
  })

  it('B-2: a batch without samples of the accelerometer leaves it', () => {
    const engine = new WindowEngine(SPARK)
    engine.process([at('A', 30, 1)], RECEIVED_MS)
    const before = engine.parts.watermark.currentUs
    engine.process([], RECEIVED_MS)
    expect(engine.parts.watermark).toEqual({ previousUs: before, currentUs: before })
  })

  it('B-3, T4: it never goes back, however samples are shuffled, and stands still during a batch', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 5 }), { maxLength: 20 }),
        (batches) => {
          const engine = new WindowEngine(SPARK)
          let before = 0
          for (const batch of batches) {
            for (const window of engine.process(
              batch.map((seconds) => at('A', seconds, 1)),
              RECEIVED_MS,
            ))
              expect(window.endUs).toBeLessThanOrEqual(before)
            expect(engine.parts.watermark.currentUs).toBeGreaterThanOrEqual(before)
            before = engine.parts.watermark.currentUs
          }
        },
      ),
    )
  })

  it("B-4: a global watermark lets one phone's clock finish another's windows; X-1: one of its own does not", () => {
    const batches = [[at('A', 1, 1)], [at('B', 60, 1)], []]
    const finished = (options: WindowOptions) => {
      const engine = new WindowEngine(options)
      return batches.flatMap((batch) => engine.process(batch, RECEIVED_MS)).filter(({ deviceId }) => deviceId === 'A')
        .length
    }
    expect(finished(SPARK)).toBe(5)
    expect(finished(DEFAULT_WINDOWS)).toBe(0)
  })
})

describe('late samples (L)', () => {
  it('L-1: a late sample is lost for its finished windows and counts in its others', () => {
    const engine = new WindowEngine(SPARK)
    for (const seconds of [1, 16.2, 16.2]) engine.process([at('A', seconds, 1)], RECEIVED_MS)
    // Finished up to 6.2.
    engine.process([at('A', 1.5, 9)], RECEIVED_MS)
    expect(engine.counters).toMatchObject({ late_pairs: 3, late_samples: 1 })
    const [first, second] = engine.process([at('A', 20.1, 1)], RECEIVED_MS).concat(engine.process([], RECEIVED_MS))
    expect(allTold([first, second].flatMap((window) => window ?? []))).toEqual([
      'A [-2,8) 5 n2 walking',
      'A [0,10) 5 n2 walking',
    ])
  })

  it('L-2: what is late is judged by the watermark of the batch before, or by the one in force', () => {
    const droppedBy = (options: WindowOptions) => {
      const engine = new WindowEngine(options)
      engine.process([at('A', 14, 1)], RECEIVED_MS)
      engine.process([at('A', 1, 1)], RECEIVED_MS)
      return engine.counters.late_pairs
    }
    // Of A@1 the windows end at 2, 4, 6, 8 and 10; the watermark in force is at 4, the one before in 1970.
    expect(droppedBy(sparkWindows('>=3.4'))).toBe(0)
    expect(droppedBy(sparkWindows('<=3.3'))).toBe(2)
  })

  it('L-3: it counts pairs of sample and window', () => {
    const engine = new WindowEngine(sparkWindows('<=3.3'))
    engine.process([at('A', 60, 1)], RECEIVED_MS)
    engine.process([at('A', 1, 1), at('A', 1, 2)], RECEIVED_MS)
    expect(engine.counters).toMatchObject({ late_pairs: 10, late_samples: 2, samples: 3 })
  })

  it('L-4, T6: what is no later than the delay behind the maximum is never lost', () => {
    const step = fc.tuple(fc.double({ min: 0, max: 3, noNaN: true }), fc.double({ min: 0, max: 9.999, noNaN: true }))
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.constantFrom('>=3.4', '<=3.3'),
        (steps, version) => {
          const engine = new WindowEngine(sparkWindows(version as '>=3.4'))
          let newest = 20
          for (const [on, behind] of steps) {
            newest += on
            engine.process([at('A', newest, 1)], RECEIVED_MS)
            engine.process([at('A', newest - behind, 1)], RECEIVED_MS)
          }
          expect(engine.counters.late_pairs).toBe(0)
        },
      ),
    )
  })
})

describe('what comes out (E)', () => {
  it('E-1: a window is finished once the watermark has reached its end, after the batch is merged', () => {
    const engine = new WindowEngine(SPARK)
    engine.process([at('A', 1, 1)], RECEIVED_MS)
    engine.process([at('A', 12, 1)], RECEIVED_MS)
    // The watermark is at 2.
    expect(allTold(engine.process([at('A', 1.5, 3)], RECEIVED_MS))).toEqual(['A [-8,2) 2 n2 walking'])
  })

  it('E-2, T7: every window comes out once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: 0, max: 120, noNaN: true }), { maxLength: 6 }), { maxLength: 40 }),
        (batches) => {
          for (const options of [SPARK, sparkWindows('<=3.3'), DEFAULT_WINDOWS]) {
            const engine = new WindowEngine(options)
            const ids = [...batches, [300], []]
              .flatMap((batch) =>
                engine.process(
                  batch.map((seconds) => at('A', seconds, 1)),
                  RECEIVED_MS + 1e6,
                ),
              )
              .map(({ deviceId, sessionId, endUs }) => windowId(deviceId, sessionId, endUs))
            expect(new Set(ids).size).toBe(ids.length)
          }
        },
      ),
    )
  })

  it('E-5: a pause finishes what the watermark has passed, and what comes after it is late by that watermark', () => {
    const engine = new WindowEngine(SPARK)
    engine.process([at('A', 1, 1)], RECEIVED_MS)
    engine.process([at('A', 12, 1)], RECEIVED_MS)
    expect(allTold(engine.process([], RECEIVED_MS))).toEqual(['A [-8,2) 1 n1 stationary'])
    engine.process([at('A', 1.5, 3)], RECEIVED_MS)
    expect(engine.counters.late_pairs).toBe(1)
  })

  it('E-6: without newer data the last windows stay open', () => {
    const engine = new WindowEngine(SPARK)
    for (let seconds = 0; seconds <= 30; seconds++) engine.process([at('A', seconds, 1)], RECEIVED_MS)
    const last = engine.process([], RECEIVED_MS).at(-1)
    expect(last?.endUs).toBe(T0_US + 20e6)
    for (let i = 0; i < 5; i++) expect(engine.process([], RECEIVED_MS)).toEqual([])
  })

  it('E-7: within a batch the windows of a recording come in the order of their ends all the same', () => {
    const engine = new WindowEngine(SPARK)
    engine.process([at('A', 5, 1), at('A', 1, 1), at('A', 3, 1)], RECEIVED_MS)
    engine.process([at('A', 60, 1)], RECEIVED_MS)
    const ends = engine.process([], RECEIVED_MS).map(({ endUs }) => endUs)
    expect(ends).toEqual(ends.toSorted((a, b) => a - b))
    expect(ends).toHaveLength(7)
  })
})

describe('identity and state (S)', () => {
  it('S-1, X-6: a window has the same identity however often it is worked out, and no other has it', () => {
    expect(windowId('A', 'r', T0_US)).toBe(windowId('A', 'r', T0_US))
    const ids = [
      windowId('A', 'r', T0_US),
      windowId('A', 'r', T0_US + 2e6),
      windowId('A', 's', T0_US),
      windowId('Ar', '', T0_US),
    ]
    expect(new Set([...ids, windowId('', 'Ar', T0_US)]).size).toBe(5)
  })

  it('S-2, X-5: a snapshot of another version or of other rules is not taken', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    engine.process([at('A', 1, 1)], RECEIVED_MS)
    const snapshot = JSON.parse(JSON.stringify(snapshotOf(engine)))
    expect(restoreEngine(DEFAULT_WINDOWS, snapshot)).toBeDefined()
    expect(restoreEngine(DEFAULT_WINDOWS, { ...snapshot, version: 2 })).toBeUndefined()
    expect(restoreEngine({ ...DEFAULT_WINDOWS, watermark: 'global' }, snapshot)).toBeUndefined()
    expect(restoreEngine({ ...DEFAULT_WINDOWS, lateAfter: 'current' }, snapshot)).toBeUndefined()
    expect(restoreEngine({ ...DEFAULT_WINDOWS, delayMs: 5_000 }, snapshot)).toBeUndefined()
    for (const nothing of [null, 'x', {}, [], { ...snapshot, devices: [{}] }, { ...snapshot, counters: {} }])
      expect(restoreEngine(DEFAULT_WINDOWS, nothing)).toBeUndefined()
  })
})
