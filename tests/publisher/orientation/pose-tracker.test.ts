import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PoseTracker } from '../../../publisher/orientation/pose-tracker.ts'
import type { InertialSample } from '../../../publisher/sensors/inertial-sample.ts'
import { DEGREE, fromEuler, length, minus, type Vector } from '../../../publisher/sensors/rotation.ts'
import { apart, Body, vectors } from './support.ts'

const flat = (yaw = 123) => new Body(fromEuler(0, 0, yaw * DEGREE))
const without = (what: 'gyro' | 'accel') => (sample: InertialSample) => ({
  ...sample,
  motion: sample.motion && { ...sample.motion, [what]: null },
})
const withoutMagnetometer = (sample: InertialSample) => ({ ...sample, magnetic: null })
const yawOf = (tracker: PoseTracker) => tracker.pose.orientation?.yaw ?? Number.NaN

describe('the bias of the gyroscope', () => {
  it('is learned within three seconds of lying still, however large, in every pose', () => {
    fc.assert(
      fc.property(vectors(17 * DEGREE), fc.double({ min: -80, max: 80, noNaN: true }), (bias, tilt) => {
        const [body, tracker] = [new Body(fromEuler(tilt * DEGREE, 0, 1)), new PoseTracker()]
        body.bias = bias
        body.seenBy(tracker, 3)
        const learned = tracker.pose.gyroBias
        expect(learned && length(minus(learned, bias))).toBeLessThan(1e-9)
      }),
      { numRuns: 30 },
    )
  })

  it('follows when it drifts, within minutes', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 3)
    body.bias = { x: 0.01, y: 0, z: -0.02 }
    body.seenBy(tracker, 300)
    const learned = tracker.pose.gyroBias
    expect(learned && length(minus(learned, body.bias))).toBeLessThan(0.0005)
  })

  it('is not learned from a turntable: the magnetometer sees that it turns', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 4)
    body.rate = { x: 0, y: 0, z: 6 * DEGREE }
    body.seenBy(tracker, 120)
    expect(length(tracker.pose.gyroBias ?? { x: 1, y: 1, z: 1 })).toBeLessThan(1e-9)
  })

  it('is not learned from a board that is swung, nor from one beyond what the data sheet allows', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    for (let i = 0; i < 300; i++) {
      body.rate = { x: Math.sin(i / 10), y: 0, z: 0 }
      body.seenBy(tracker, 0.02)
    }
    expect(tracker.pose.gyroBias).toBeNull()
    const [other, another] = [flat(), new PoseTracker()]
    other.bias = { x: 0, y: 0, z: 31 * DEGREE }
    other.seenBy(another, 10)
    expect(another.pose.gyroBias).toBeNull()
  })

  it('is not learned from a constant turn either where there is no magnetometer, once it is known', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 4, withoutMagnetometer)
    body.rate = { x: 0, y: 0, z: 6 * DEGREE }
    body.seenBy(tracker, 120, withoutMagnetometer)
    expect(length(tracker.pose.gyroBias ?? { x: 1, y: 1, z: 1 })).toBeLessThan(1e-9)
  })

  it('begins with what was known before, and the first rest replaces it, also without a magnetometer', () => {
    const known = { x: 0.1, y: 0, z: 0 }
    for (const change of [(sample: InertialSample) => sample, withoutMagnetometer]) {
      const [body, tracker] = [flat(), new PoseTracker({ gyroBias: known })]
      expect(tracker.pose.gyroBias).toEqual(known)
      body.bias = { x: -0.2, y: 0.1, z: 0 }
      body.seenBy(tracker, 3, change)
      expect(length(minus(tracker.pose.gyroBias ?? known, body.bias))).toBeLessThan(1e-9)
    }
  })
})

describe('a pose that is followed', () => {
  it('keeps up with a turn within a degree', () => {
    const [body, tracker] = [flat(0), new PoseTracker()]
    body.seenBy(tracker, 4)
    body.rate = { x: 0, y: 0, z: 120 * DEGREE }
    for (let i = 1; i <= 40; i++) {
      body.seenBy(tracker, 0.1)
      expect(apart(yawOf(tracker), i * 12)).toBeLessThan(1)
    }
  })

  it('drifts less than a degree while the board is shaken for nine seconds', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.bias = { x: 0.2, y: -0.1, z: 0.1 }
    body.seenBy(tracker, 5)
    body.shove = { x: 0.8, y: 0.8, z: 0 }
    body.seenBy(tracker, 9)
    const { roll, pitch, yaw } = tracker.pose.orientation ?? { roll: 90, pitch: 90, yaw: 90 }
    expect(Math.max(apart(roll, 0), apart(pitch, 0), apart(yaw ?? 90, 123))).toBeLessThan(1)
  })

  it('keeps its heading while a magnet is near, and the compass says nothing meanwhile', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 5)
    body.magnet = { x: 0, y: -60, z: 0 }
    body.seenBy(tracker, 30)
    expect(apart(yawOf(tracker), 123)).toBeLessThan(1)
    expect(tracker.pose.compass).toBeNull()
    body.magnet = { x: 0, y: 0, z: 0 }
    body.seenBy(tracker, 1)
    expect(apart(tracker.pose.compass ?? 0, 123)).toBeLessThan(1)
  })

  it('takes a stronger field for the field of its place after a quarter of an hour', () => {
    const [body, tracker] = [flat(0), new PoseTracker()]
    body.seenBy(tracker, 5)
    // Twice as strong, in the same direction.
    body.magnet = { x: 20.7, y: 0, z: 44.4 }
    body.seenBy(tracker, 14 * 60)
    expect([tracker.pose.compass, apart(yawOf(tracker), 0)]).toEqual([null, expect.closeTo(0, 1)])
    body.seenBy(tracker, 65)
    expect(apart(tracker.pose.compass ?? 180, 0)).toBeLessThan(0.1)
    expect(apart(yawOf(tracker), 0)).toBeLessThan(0.1)
  })

  it('with a declination is the true heading', () => {
    const [body, tracker] = [flat(350), new PoseTracker({ declination: 15 })]
    body.seenBy(tracker, 1)
    expect(yawOf(tracker)).toBeCloseTo(5, 6)
    expect(tracker.pose.compass).toBeCloseTo(5, 6)
  })

  it('begins anew after a pause, where the board is by then', () => {
    const [body, tracker] = [flat(10), new PoseTracker()]
    body.seenBy(tracker, 3)
    body.pose = fromEuler(0.5, 0, 200 * DEGREE)
    tracker.feed(body.move(5), body.now)
    expect(apart(yawOf(tracker), 200)).toBeLessThan(1e-6)
  })

  it('does not count a sample twice', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 3)
    const before = tracker.pose
    const sample = body.move()
    tracker.feed(sample, body.now)
    tracker.feed(sample, body.now)
    expect(tracker.pose.orientation?.roll).toBeCloseTo(before.orientation?.roll ?? 1, 9)
  })
})

describe('what is missing', () => {
  it('without a gyroscope the pose is that of gravity and field, and shaken it is soon unknown', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 5, without('gyro'))
    expect(apart(yawOf(tracker), 123)).toBeLessThan(1e-6)
    expect(tracker.pose.gyroBias).toBeNull()
    body.shove = { x: 1, y: 1, z: 0 }
    body.seenBy(tracker, 2.5, without('gyro'))
    expect(tracker.pose).toMatchObject({ orientation: null, compass: null })
  })

  it('without an accelerometer there is no pose and no heading', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 5, without('accel'))
    expect(tracker.pose).toEqual({ orientation: null, compass: null, gyroBias: null })
  })

  it('without a magnetometer there are roll and pitch, and no heading is made up', () => {
    const [body, tracker] = [new Body(fromEuler(0.3, -0.2, 1)), new PoseTracker()]
    body.seenBy(tracker, 5, withoutMagnetometer)
    const { orientation, compass } = tracker.pose
    expect([orientation?.yaw, compass]).toEqual([null, null])
    expect(orientation?.roll).toBeCloseTo(0.3 / DEGREE, 6)
    expect(orientation?.pitch).toBeCloseTo(360 - 0.2 / DEGREE, 6)
  })

  it('a magnetometer that fails leaves the heading to the gyroscope for a quarter of an hour, and then nobody knows it', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 5)
    body.rate = { x: 0, y: 0, z: 9 * DEGREE }
    body.seenBy(tracker, 10, withoutMagnetometer)
    expect(apart(yawOf(tracker), 213)).toBeLessThan(1)
    expect(tracker.pose.compass).toBeNull()
    body.seenBy(tracker, 15 * 60, withoutMagnetometer)
    expect(tracker.pose.orientation).toMatchObject({ yaw: null, roll: expect.any(Number) })
    body.seenBy(tracker, 0.1)
    expect(yawOf(tracker)).toEqual(expect.any(Number))
  })

  it('a chip that dies at its first sample has no pose after half a second either', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    tracker.feed(body.move(), body.now)
    expect(tracker.pose.orientation).not.toBeNull()
    body.seenBy(tracker, 0.6, () => ({ motion: null, magnetic: null }))
    expect(tracker.pose.orientation).toBeNull()
  })

  it('a chip that does not answer has no pose after half a second', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.seenBy(tracker, 5)
    body.seenBy(tracker, 0.6, () => ({ motion: null, magnetic: null }))
    expect(tracker.pose).toMatchObject({ orientation: null })
    body.seenBy(tracker, 0.1)
    expect(apart(yawOf(tracker), 123)).toBeLessThan(1e-6)
  })

  it('an accelerometer that says something else than 1 g for good is believed after ten seconds', () => {
    const [body, tracker] = [flat(), new PoseTracker()]
    body.shove = { x: 0, y: 0, z: 0.3 } satisfies Vector
    body.seenBy(tracker, 9)
    expect(tracker.pose.orientation).toBeNull()
    body.seenBy(tracker, 2)
    expect(apart(yawOf(tracker), 123)).toBeLessThan(1e-6)
  })
})
