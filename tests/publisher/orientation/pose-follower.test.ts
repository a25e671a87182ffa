import { describe, expect, it, onTestFinished } from 'vitest'
import { PoseFollower } from '../../../publisher/orientation/pose-follower.ts'
import type { InertialSample } from '../../../publisher/sensors/inertial-sample.ts'
import { length, minus } from '../../../publisher/sensors/rotation.ts'
import { openSimulator } from '../../../publisher/sensors/simulator.ts'
import type { MotionScenario } from '../../../publisher/sensors/world/motion.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { apart } from './support.ts'

const log = silentLog()

/** The simulated board, its noise, its registers and the real drivers, followed at 50 Hz. */
async function followed(motion: MotionScenario) {
  const clock = new ManualClock()
  const board = { seed: 3, board: 'v1', environment: 'indoor', altitude_m: 0, motion } as const
  const simulator = await openSimulator(board, { clock, log })
  let samples = 0
  const inertia = (): Promise<InertialSample> => {
    samples++
    return simulator.inertia()
  }
  const follower = new PoseFollower(inertia, { rate: 50 }, { clock, log })
  onTestFinished(() => follower.close())
  await follower.begun
  return { clock, simulator, follower, samples: () => samples }
}

describe('a follower over the simulated bus', () => {
  it('knows the pose from the first sample on, and takes 50 a second', async () => {
    const { clock, follower, samples } = await followed('still')
    expect(follower.pose.orientation).not.toBeNull()
    await clock.advance(1_000)
    expect(samples()).toBe(51)
    expect(follower.missed).toBe(0)
  })

  it('learns the bias of its gyroscope within its noise', async () => {
    const { clock, simulator, follower } = await followed('still')
    await clock.advance(6_000)
    const bias = follower.pose.gyroBias ?? { x: 9, y: 9, z: 9 }
    let mean = { x: 0, y: 0, z: 0 }
    for (let i = 0; i < 200; i++) {
      await clock.advance(20)
      const { motion } = await simulator.inertia()
      const { x, y, z } = motion?.gyro ?? mean
      mean = { x: mean.x + x / 200, y: mean.y + y / 200, z: mean.z + z / 200 }
    }
    expect(length(minus(mean, bias))).toBeLessThan(0.001)
  })

  it('on a turntable turns with it', async () => {
    const { clock, follower } = await followed('turntable')
    await clock.advance(3_000)
    const before = follower.pose.orientation?.yaw ?? Number.NaN
    await clock.advance(10_000)
    expect(apart(follower.pose.orientation?.yaw ?? Number.NaN, before + 60)).toBeLessThan(3)
  })

  it('trembles less than what gravity and field say by themselves', async () => {
    const { clock, follower } = await followed('still')
    await clock.advance(4_000)
    const [yaws, compass]: [number[], number[]] = [[], []]
    for (let i = 0; i < 100; i++) {
      await clock.advance(50)
      yaws.push(follower.pose.orientation?.yaw ?? Number.NaN)
      compass.push(follower.pose.compass ?? Number.NaN)
    }
    const spread = (angles: number[]) => Math.max(...angles.map((angle) => apart(angle, angles[0] ?? 0)))
    expect(spread(yaws)).toBeLessThan(1)
    expect(spread(compass)).toBeLessThan(1.5)
  })
})

describe('a follower whose bus stands still', () => {
  it('has no pose after half a second', async () => {
    const clock = new ManualClock()
    let stuck = false
    const sample = (): InertialSample => ({
      motion: { accel: { x: 0, y: 0, z: 1 }, gyro: { x: 0, y: 0, z: 0 }, at: clock.monotonic() },
      magnetic: { field: { x: 20, y: 0, z: 40 }, at: clock.monotonic() },
    })
    let release: () => void = () => undefined
    const never = new Promise<InertialSample>((resolve) => {
      release = () => resolve(sample())
    })
    const follower = new PoseFollower(() => (stuck ? never : Promise.resolve(sample())), { rate: 50 }, { clock, log })
    await clock.advance(400)
    expect(follower.pose.orientation).toEqual({ roll: 0, pitch: 0, yaw: 0 })
    stuck = true
    await clock.advance(600)
    expect(follower.pose).toEqual({ orientation: null, compass: null, gyroBias: null })
    stuck = false
    release()
    await clock.advance(200)
    expect(follower.pose.orientation?.yaw).toBeCloseTo(0, 6)
    await follower.close()
  })

  it('begins also when the first sample fails', async () => {
    const clock = new ManualClock()
    const follower = new PoseFollower(() => Promise.reject(new Error('no bus')), { rate: 50 }, { clock, log })
    await follower.begun
    expect(follower.pose.orientation).toBeNull()
    await follower.close()
  })
})
