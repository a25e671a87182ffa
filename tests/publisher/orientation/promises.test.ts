import { describe, expect, it } from 'vitest'
import { PoseTracker } from '../../../publisher/orientation/pose-tracker.ts'
import type { MagneticSample } from '../../../publisher/sensors/chips/lsm9ds1-magnetic.ts'
import type { InertialSample } from '../../../publisher/sensors/inertial-sample.ts'
import { DEGREE, fromEuler, type Vector } from '../../../publisher/sensors/rotation.ts'
import { openSimulator } from '../../../publisher/sensors/simulator.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { apart, Body } from './support.ts'

const HOUR_S = 3_600

/** Simulated chips with their noise, 50 times a second. */
async function simulated(seconds: number, see: (sample: InertialSample, now: number) => void): Promise<void> {
  const clock = new ManualClock()
  const board = { seed: 7, board: 'v1', environment: 'indoor', altitude_m: 0, motion: 'still' } as const
  const simulator = await openSimulator(board, { clock, log: silentLog() })
  for (let i = 0; i < seconds * 50; i++) {
    clock.stall(20)
    see(await simulator.inertia(), clock.monotonic())
  }
  await simulator.close()
}

describe('orientation keeps its promises', () => {
  it.each([
    [0, 0, 0],
    [0, 0, 90],
    [30, 0, 200],
    [-45, 20, 10],
    [170, 0, 300],
    [0, -80, 45],
  ])('a board at rest at roll %d°, pitch %d°, yaw %d° is known to a degree', (roll, pitch, yaw) => {
    const [body, tracker] = [new Body(fromEuler(roll * DEGREE, pitch * DEGREE, yaw * DEGREE)), new PoseTracker()]
    body.seenBy(tracker, 5)
    const seen = tracker.pose.orientation
    expect(apart(seen?.roll ?? Number.NaN, roll)).toBeLessThan(1)
    expect(apart(seen?.pitch ?? Number.NaN, pitch)).toBeLessThan(1)
    expect(apart(seen?.yaw ?? Number.NaN, yaw)).toBeLessThan(1)
  })

  it('a turn by 90° in one second is followed: at its end it is at most three degrees behind', () => {
    const [body, tracker] = [new Body(fromEuler(0, 0, 0)), new PoseTracker()]
    body.seenBy(tracker, 5)
    body.rate = { x: 0, y: 0, z: 90 * DEGREE }
    body.seenBy(tracker, 1)
    expect(apart(tracker.pose.orientation?.yaw ?? Number.NaN, 90)).toBeLessThan(3)
  })

  it('an hour without noise, flat and facing north, knows no NaN', () => {
    const [body, tracker] = [new Body(fromEuler(0, 0, 0)), new PoseTracker()]
    for (let minute = 0; minute < HOUR_S / 60; minute++) {
      body.seenBy(tracker, 60)
      const { orientation, compass } = tracker.pose
      for (const angle of [orientation?.roll, orientation?.pitch, orientation?.yaw, compass])
        expect(Math.min(angle ?? Number.NaN, 360 - (angle ?? Number.NaN))).toBeLessThan(0.01)
    }
  })

  it.each<[string, (magnetic: MagneticSample | null) => MagneticSample | null]>([
    ['fails', () => null],
    [
      'is rejected, a magnet being near',
      (magnetic) => magnetic && { ...magnetic, field: besideMagnet(magnetic.field) },
    ],
  ])(
    'when its magnetometer %s, with a bias of 0.5 °/s, after a minute at rest the heading drifts less than five degrees in ten minutes',
    async (_what, disturbed) => {
      const tracker = new PoseTracker()
      const bias = 0.5 * DEGREE
      let began = Number.NaN
      let drift = 0
      let first = 0
      await simulated(60 + 600, ({ motion, magnetic }, now) => {
        if (first === 0) first = now
        const { gyro } = motion ?? { gyro: null }
        const biased = gyro && { x: gyro.x + bias, y: gyro.y + bias, z: gyro.z + bias }
        const atRest = now - first <= 60_000
        const sample = { motion: motion && { ...motion, gyro: biased } }
        tracker.feed({ ...sample, magnetic: atRest ? magnetic : disturbed(magnetic) }, now)
        const yaw = tracker.pose.orientation?.yaw ?? Number.NaN
        if (atRest) began = yaw
        else drift = Math.max(drift, apart(yaw, began))
      })
      process.stdout.write(`drift of the heading in ten minutes by the gyroscope alone: ${drift.toFixed(2)}°\n`)
      expect(drift).toBeLessThan(5)
    },
  )
})

/** Twice as strong, and from another side. */
function besideMagnet(field: Vector | null): Vector | null {
  return field && { x: field.x, y: field.y + 90, z: field.z }
}
