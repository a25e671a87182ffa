import { performance } from 'node:perf_hooks'
import { fitEllipsoid } from '../publisher/calibration/ellipsoid-fit.ts'
import { PoseTracker } from '../publisher/orientation/pose-tracker.ts'
import type { InertialSample } from '../publisher/sensors/inertial-sample.ts'
import { openSimulator } from '../publisher/sensors/simulator.ts'
import { silentLog } from '../src/log.ts'

/**
 * What it costs to follow the pose, in µs of this thread for one sample: the arithmetic alone, and with the simulated board and
 * the drivers (a real bus adds its transfers, which wait in the kernel).
 *
 *   npx tsx bench/orientation.ts
 *
 * Ends with 1 when 50 samples a second take more than 5 % of one core.
 */
const SAMPLES = 20_000
const RATE = 50
const ASKED_SHARE = 0.05

let now = 0
const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve(), after: () => () => undefined }
const board = { seed: 1, board: 'v1', environment: 'indoor', altitude_m: 0, motion: 'handheld' } as const
const simulator = await openSimulator(board, { clock, log: silentLog() })
const samples: InertialSample[] = []
for (let i = 0; i < SAMPLES; i++) {
  now += 1000 / RATE
  samples.push(await simulator.inertia())
}

function arithmetic(): number {
  const tracker = new PoseTracker()
  const began = performance.now()
  for (const sample of samples) tracker.feed(sample, 0)
  return ((performance.now() - began) / SAMPLES) * 1000
}

async function withBoard(): Promise<number> {
  const tracker = new PoseTracker()
  const began = performance.now()
  for (let i = 0; i < SAMPLES; i++) {
    now += 1000 / RATE
    tracker.feed(await simulator.inertia(), now)
  }
  return ((performance.now() - began) / SAMPLES) * 1000
}

arithmetic()
const alone = arithmetic()
await withBoard()
const whole = await withBoard()
const points = samples.flatMap(({ magnetic }) => magnetic?.field ?? []).slice(0, 2_000)
const beforeFit = performance.now()
fitEllipsoid(points)
const fit = performance.now() - beforeFit
await simulator.close()

const share = (whole * RATE) / 1e6
const verdict = share <= ASKED_SHARE ? 'PASS' : 'FAIL'
process.stdout.write(
  [
    `filter alone              ${alone.toFixed(1)} µs a sample`,
    `with simulated board      ${whole.toFixed(1)} µs a sample`,
    `at ${RATE} samples a second   ${(100 * share).toFixed(2)} % of one core (asked ≤ ${100 * ASKED_SHARE} %): ${verdict}`,
    `ellipsoid of ${points.length} points  ${fit.toFixed(1)} ms`,
    JSON.stringify({ alone_us: alone, whole_us: whole, share, fit_ms: fit, verdict }),
    '',
  ].join('\n'),
)
process.exitCode = verdict === 'PASS' ? 0 : 1
