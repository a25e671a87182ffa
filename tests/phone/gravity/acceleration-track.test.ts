import { describe, expect, it } from 'vitest'
import { follow, newTrack, releaseHeld } from '../../../phone/gravity/acceleration-track.ts'
import { lowPass } from '../../../phone/gravity/low-pass.ts'
import { nearestInTime, stillNear, type Timed } from '../../../phone/gravity/nearest-in-time.ts'
import type { Axes, Reading } from '../../../phone/wire/message.ts'

const HERTZ = 50
const STEP_US = 1_000_000 / HERTZ

function reading(sensor: string, tUs: number, axes: Axes): Reading {
  return { index: 0, sensor, tUs, timeNs: `${tUs}000`, values: { ...axes }, axes }
}

/** Seconds of samples, one message each, of what `at` gives; what comes out, and the track. */
function run(seconds: number, at: (tUs: number) => Reading[], removes = true) {
  const track = newTrack()
  const out = []
  for (let second = 0; second < seconds; second++) {
    const message = Array.from({ length: HERTZ }, (_, i) => at(second * 1_000_000 + i * STEP_US)).flat()
    out.push(...follow(track, message, removes))
  }
  return { track, out: [...out, ...releaseHeld(track, removes)] }
}

const still = (tUs: number) => ({ x: 0.02 * Math.sin(tUs), y: -0.2, z: 9.79 })
/** Two and a half steps a second, of which mean length is about that of gravity, in no direction. */
const jog = (tUs: number) => {
  const phase = (tUs / 1e6) * 2 * Math.PI * 2.5
  return { x: 9.8 * Math.sin(phase), y: 9.8 * Math.cos(phase), z: 1.2 * Math.sin(2 * phase) }
}

describe('G-1: gravity in the accelerometer', () => {
  it('is found in the first samples of a phone that lies, and taken off all of them', () => {
    const { track, out } = run(6, (tUs) => [reading('accelerometer', tUs, still(tUs))])
    expect(track.detector.found).toBe(true)
    expect(out).toHaveLength(6 * HERTZ)
    for (const one of out) {
      expect(one).toMatchObject({ gravityIncluded: true, gravityEstimated: true })
      expect(one.magnitude).toBeLessThan(0.1)
      expect(one.total).toBeCloseTo(9.79, 1)
    }
  })

  it('is found once a phone lies still for two seconds, where its first samples did not show it', () => {
    const at = (tUs: number) => (tUs < 4e6 ? { x: 30, y: 0, z: 0 } : still(tUs))
    const { out } = run(12, (tUs) => [reading('accelerometer', tUs, at(tUs))])
    const since = out.find(({ gravityIncluded }) => gravityIncluded)?.tUs ?? 0
    expect(since).toBeGreaterThanOrEqual(6e6)
    expect(since).toBeLessThanOrEqual(8.1e6)
  })

  it('is not seen later in a phone that moves, whatever its mean: only lying still shows it', () => {
    const moved = (tUs: number) => ({ x: 0, y: 0, z: tUs < 4e6 ? 30 : 9.8 + 2 * Math.sin(tUs / 1e5) })
    const { track } = run(12, (tUs) => [reading('accelerometer', tUs, moved(tUs))])
    expect(track.detector).toMatchObject({ begun: true, found: false })
  })

  it('is not seen in somebody running, whose acceleration is as long as gravity and points everywhere', () => {
    const { track, out } = run(10, (tUs) => [reading('accelerometer', tUs, jog(tUs))])
    const mean = out.reduce((sum, { magnitude }) => sum + magnitude, 0) / out.length
    expect(mean).toBeGreaterThan(9.3)
    expect(mean).toBeLessThan(10.3)
    expect(track.detector.found).toBe(false)
  })

  it('is not seen in a phone that sends none', () => {
    const { track, out } = run(6, (tUs) => [
      reading('accelerometer', tUs, { x: 0.01, y: 0, z: 0.02 }),
      reading('gravity', tUs, still(tUs)),
    ])
    expect(track.detector.found).toBe(false)
    expect(out[0]?.magnitude).toBeCloseTo(0.022, 3)
    expect(out[0]?.total).toBeCloseTo(9.81, 1)
  })

  it('is judged of a recording that ends before there are enough samples', () => {
    const track = newTrack()
    expect(follow(track, [reading('accelerometer', 0, still(0))], true)).toEqual([])
    expect(releaseHeld(track, true)).toMatchObject([{ gravityIncluded: true }])
    expect(releaseHeld(track, true)).toEqual([])
  })
})

describe('G-2: gravity that is included', () => {
  it('is taken off as measured, where it was measured within 50 ms', () => {
    const { out } = run(6, (tUs) => [
      reading('accelerometer', tUs, { x: 1, y: -0.2, z: 9.79 }),
      reading('gravity', tUs + 40_000, { x: 0, y: -0.2, z: 9.79 }),
    ])
    for (const one of out) {
      expect(one).toMatchObject({ gravityIncluded: true, gravityEstimated: false })
      expect(one.magnitude).toBeCloseTo(1, 9)
    }
  })

  it('is estimated otherwise, with a time constant of a second', () => {
    const start: Timed = { tUs: 0, x: 0, y: 0, z: 10 }
    expect(lowPass(null, start)).toEqual(start)
    expect(lowPass(start, { tUs: 1_000_000, x: 10, y: 0, z: 10 }).x).toBeCloseTo(10 * (1 - Math.exp(-1)), 12)
    // In two steps as in one.
    const half = lowPass(start, { tUs: 500_000, x: 10, y: 0, z: 10 })
    expect(lowPass(half, { tUs: 1_000_000, x: 10, y: 0, z: 10 }).x).toBeCloseTo(10 * (1 - Math.exp(-1)), 12)
    expect(lowPass(half, { tUs: 400_000, x: 99, y: 0, z: 0 })).toBe(half)
  })

  it('stays where the first system is followed, and nothing waits', () => {
    const track = newTrack()
    expect(follow(track, [reading('accelerometer', 0, still(0))], false)).toHaveLength(1)
    const { out } = run(6, (tUs) => [reading('accelerometer', tUs, still(tUs))], false)
    expect(out.at(-1)).toMatchObject({ gravityIncluded: true, gravityEstimated: false })
    expect(out.at(-1)?.magnitude).toBeCloseTo(9.79, 1)
  })
})

describe('the acceleration with gravity', () => {
  it('is what the phone sends as such, else the sum with gravity, else unknown', () => {
    const track = newTrack()
    const one = (tUs: number, ...more: Reading[]) =>
      follow(track, [reading('accelerometer', tUs, { x: 1, y: 0, z: 0 }), ...more], false)[0]?.total
    const gravity = (tUs: number) => reading('gravity', tUs, { x: 0, y: 0, z: 9.8 })
    expect(one(0)).toBeUndefined()
    expect(one(1e6, gravity(1e6))).toBeCloseTo(Math.hypot(1, 9.8), 12)
    expect(one(2e6, gravity(2e6), reading('totalacceleration', 2e6, { x: 0, y: 3, z: 4 }))).toBe(5)
    // 51 ms are too far, and 50 are not, in the message before too.
    expect(one(2_050_000)).toBe(5)
    expect(one(2_051_001)).toBeUndefined()
  })

  it('takes of several the nearest', () => {
    const readings = [0, 30_000, 60_000].map((tUs) => ({ tUs, x: tUs, y: 0, z: 0 }))
    const at = nearestInTime(readings)
    expect([-60_000, 0, 14_000, 16_000, 46_000, 100_000, 111_000].map((tUs) => at(tUs)?.tUs)).toEqual([
      undefined,
      0,
      0,
      30_000,
      60_000,
      60_000,
      undefined,
    ])
    expect(nearestInTime([])(0)).toBeUndefined()
    expect(stillNear(readings).map(({ tUs }) => tUs)).toEqual([30_000, 60_000])
  })
})

it('a sample that came in the message before already does not count twice', () => {
  const track = newTrack()
  const samples = [0, 1, 2].map((i) => reading('accelerometer', i * STEP_US, { x: i, y: 0, z: 0 }))
  expect(follow(track, samples, false)).toHaveLength(3)
  expect(
    follow(track, [...samples.slice(1), reading('accelerometer', 2 * STEP_US, { x: 7, y: 0, z: 0 })], false),
  ).toHaveLength(1)
})
