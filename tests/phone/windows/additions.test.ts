import { describe, expect, it } from 'vitest'
import { DEFAULT_WINDOWS, type WindowOptions } from '../../../phone/windows/options.ts'
import type { Sample } from '../../../phone/windows/sample.ts'
import { WindowEngine } from '../../../phone/windows/window-engine.ts'
import { at, T0_US } from './worked-example.ts'

const T0_MS = T0_US / 1000
const RECORDING = ['A', 'recording of A'] as const

/** A sample every tenth of a second, in batches of a second, received as they end. */
function record(engine: WindowEngine, from: number, to: number, phone = 'A') {
  const windows = []
  for (let second = from; second < to; second++) {
    const batch = Array.from({ length: 10 }, (_, i) => at(phone, second + i / 10, 1)).filter(
      ({ tUs }) => tUs < T0_US + to * 1e6,
    )
    windows.push(...engine.process(batch, T0_MS + (second + 1) * 1000))
  }
  return windows
}

const ends = (windows: readonly { readonly endUs: number }[]) => windows.map(({ endUs }) => (endUs - T0_US) / 1e6)

describe('X-2: a recording that ends', () => {
  it('gives its last windows, those it only began as partial, and none of which it has less than half', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    const before = record(engine, 0, 37)
    expect(ends(before).at(-1)).toBe(24)
    expect(engine.idle(T0_MS + 36_000)).toEqual([])
    expect(engine.idle(T0_MS + 37_000)).toEqual([{ deviceId: 'A', sessionId: 'recording of A' }])
    const rest = engine.flush(...RECORDING)
    expect(ends(rest)).toEqual([26, 28, 30, 32, 34, 36, 38, 40, 42])
    expect(
      rest.filter(({ partial }) => partial).map(({ endUs, coverage }) => [(endUs - T0_US) / 1e6, coverage]),
    ).toEqual([
      [38, 0.9],
      [40, 0.7],
      [42, 0.5],
    ])
    expect(engine.idle(T0_MS + 99_000)).toEqual([])
    expect(engine.flush(...RECORDING)).toEqual([])
  })

  it('never gives a window again that was finished so, whatever still comes', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    record(engine, 0, 37)
    engine.flush(...RECORDING)
    const after = [...record(engine, 30, 80), ...engine.flush(...RECORDING)]
    // Up to 46 all windows that had begun were finished.
    expect(ends(after)[0]).toBe(48)
    expect(engine.counters.late_pairs).toBeGreaterThan(0)
  })

  it('says of no other recording of the phone that it has ended', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    record(engine, 0, 20)
    const other = (seconds: number): Sample => ({ ...at('A', seconds, 5), sessionId: 'other' })
    engine.process([other(19), other(21)], T0_MS + 30_000)
    expect(engine.idle(T0_MS + 25_000)).toEqual([{ deviceId: 'A', sessionId: 'recording of A' }])
    engine.flush(...RECORDING)
    engine.process([other(20)], T0_MS + 31_000)
    expect(engine.counters.late_pairs).toBe(0)
  })

  it('is not closed into the future by one stray sample', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    record(engine, 0, 20)
    engine.process([at('A', 3600, 1)], T0_MS + 20_000)
    engine.flush(...RECORDING)
    record(engine, 40, 60)
    expect(engine.counters.late_pairs).toBe(0)
    expect(ends(engine.flush(...RECORDING)).at(-1)).toBeLessThan(70)
  })
})

describe('X-3: a sample ahead of its receipt', () => {
  it('by more than a minute is counted and kept, and moves no watermark', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    engine.process([at('A', 1, 1)], T0_MS)
    engine.process([at('A', 60, 1), at('A', 60.001, 1)], T0_MS)
    expect(engine.counters.future_events).toBe(1)
    expect(engine.parts.devices.get('A')?.watermark.currentUs).toBe(T0_US + 50e6)
    const panes = engine.parts.devices.get('A')?.recordings.get('recording of A')?.state.panes
    expect(panes?.map(({ samples }) => samples)).toEqual([1, 2])
  })

  it('still gives windows where a whole phone is ahead', () => {
    const engine = new WindowEngine({ ...DEFAULT_WINDOWS, maxWindows: 8 })
    const windows = []
    for (let second = 0; second < 60; second++)
      windows.push(...engine.process([at('A', 3600 + second, 1)], T0_MS + second * 1000))
    expect(engine.counters.future_events).toBe(60)
    windows.push(...engine.flush(...RECORDING))
    expect(ends(windows)).toEqual(Array.from({ length: windows.length }, (_, i) => 3602 + 2 * i))
    expect(windows.length).toBeGreaterThan(30)
  })
})

describe('X-4: bounds', () => {
  const bounded = (bounds: Partial<WindowOptions>) => new WindowEngine({ ...DEFAULT_WINDOWS, ...bounds })

  it('of phones: the one not heard from for longest is finished', () => {
    const engine = bounded({ maxDevices: 2 })
    record(engine, 0, 10, 'A')
    record(engine, 0, 10, 'B')
    record(engine, 10, 11, 'A')
    const windows = record(engine, 0, 1, 'C')
    expect(new Set(windows.map(({ deviceId }) => deviceId))).toEqual(new Set(['B']))
    expect([...engine.parts.devices.keys()]).toEqual(['A', 'C'])
    expect(engine.counters.evicted_devices).toBe(1)
  })

  it('of recordings: the one not heard from for longest is finished', () => {
    const engine = bounded({ maxRecordings: 3 })
    for (let i = 0; i < 50; i++) engine.process([{ ...at('A', 1, 1), sessionId: `recording ${i}` }], T0_MS)
    expect(engine.parts.devices.get('A')?.recordings.size).toBe(3)
    expect(engine.counters.evicted_recordings).toBe(47)
  })

  it('of windows: those that end first are finished, and what is finished comes once', () => {
    const engine = bounded({})
    const scattered = Array.from({ length: 200 }, (_, i) => at('A', i * 100, 1))
    const windows = engine.process(scattered.toReversed(), T0_MS)
    expect(windows).toHaveLength(1000 - 64)
    expect(engine.counters.evicted_windows).toBe(1000 - 64)
    const rest = engine.process(scattered, T0_MS)
    const seen = [...windows, ...rest].map(({ endUs }) => endUs)
    expect(new Set(seen).size).toBe(seen.length)
  })
})

it('a message whose samples lie hours apart is taken like any other where there is no bound', () => {
  const engine = new WindowEngine({ ...DEFAULT_WINDOWS, maxFinished: null })
  const scattered = Array.from({ length: 30_000 }, (_, i) => at('A', ((i * 7919) % 30_000) * -12, 1))
  const windows = engine.process(scattered, T0_MS)
  expect(windows.length).toBe(150_000 - 64)
  expect(windows.every(({ endUs }, i) => endUs > (windows[i - 1]?.endUs ?? 0))).toBe(true)
})

it('of a message whose samples lie far apart the last 4,096 windows come, the others are counted, and none of them comes later', () => {
  const engine = new WindowEngine(DEFAULT_WINDOWS)
  const scattered = Array.from({ length: 2_000 }, (_, i) => at('A', (i - 2_000) * 12, 1))
  const windows = engine.process(scattered, T0_MS)
  expect(windows).toHaveLength(4_096)
  expect(engine.counters.dropped_windows).toBe(10_000 - 64 - 4_096)
  expect(engine.counters.windows).toBe(4_096)
  const rest = [...engine.process(scattered, T0_MS), ...engine.flush(...RECORDING)]
  expect(Math.min(...rest.map(({ endUs }) => endUs))).toBeGreaterThan(windows.at(-1)?.endUs ?? Number.NaN)
})

it('two hours of readings in one message give all their windows', () => {
  const engine = new WindowEngine(DEFAULT_WINDOWS)
  const windows = engine.process(
    Array.from({ length: 7_200 }, (_, i) => at('A', i - 7_200, 1)),
    T0_MS,
  )
  expect(windows.length + engine.flush(...RECORDING).length).toBeGreaterThanOrEqual(3_600)
  expect(engine.counters.dropped_windows).toBe(0)
})

describe('what the phone itself says', () => {
  it('comes with the windows that end after it', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    record(engine, 0, 3)
    const note = (seconds: number, activity: string) =>
      engine.note(...RECORDING, { tUs: T0_US + seconds * 1e6, activity, confidence: 'high' })
    note(9, 'running')
    note(3, 'walking')
    const windows = [...record(engine, 3, 40), ...engine.flush(...RECORDING)]
    const said = new Map(windows.map(({ endUs, own }) => [(endUs - T0_US) / 1e6, own?.activity]))
    expect([2, 4, 8, 10, 30].map((end) => said.get(end))).toEqual([
      undefined,
      'walking',
      'walking',
      'running',
      'running',
    ])
  })

  it('is bounded, and opens nothing', () => {
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    engine.note(...RECORDING, { tUs: T0_US, activity: 'walking', confidence: null })
    expect(engine.parts.devices.size).toBe(0)
    record(engine, 0, 1)
    for (let i = 0; i < 1000; i++) engine.note(...RECORDING, { tUs: T0_US + i, activity: 'walking', confidence: null })
    expect(engine.parts.devices.get('A')?.recordings.get('recording of A')?.state.own.length).toBeLessThan(40)
  })
})
