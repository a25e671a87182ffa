import type { Reading } from '../wire/message.ts'
import { judge, look, newDetector } from './gravity-detector.ts'
import { lowPass } from './low-pass.ts'
import { byTime, nearestInTime, stillNear, type Timed } from './nearest-in-time.ts'
import type { Joined, TrackState } from './track-state.ts'

/** As many samples back a repeated one is recognised. */
const REMEMBERED = 64

/** An acceleration with and without gravity: lengths, m/s². */
export interface Acceleration {
  readonly tUs: number
  readonly magnitude: number
  readonly total: number | undefined
  readonly gravityIncluded: boolean
  readonly gravityEstimated: boolean
}

export function newTrack(): TrackState {
  return { detector: newDetector(), held: [], estimate: null, gravity: [], total: [], last: [] }
}

/**
 * Takes a message's readings and gives its accelerations. The first 2 s or 100 samples of a recording wait until it is known
 * whether they contain gravity (rule G-1), where that makes a difference.
 *
 * @param removes take gravity off where it is included (rule G-2); the first system did not
 */
export function follow(track: TrackState, readings: readonly Reading[], removes: boolean): Acceleration[] {
  const samples = unseen(track, timed(readings, 'accelerometer'))
  const gravity = [...track.gravity, ...timed(readings, 'gravity')].sort(byTime)
  const total = [...track.total, ...timed(readings, 'totalacceleration')].sort(byTime)
  track.gravity = stillNear(gravity)
  track.total = stillNear(total)
  const gravityAt = nearestInTime(gravity)
  const totalAt = nearestInTime(total)
  const accelerations: Acceleration[] = []
  for (const sample of samples) {
    const joined = { sample, gravity: gravityAt(sample.tUs) ?? null, total: totalAt(sample.tUs) ?? null }
    look(track.detector, sample)
    if (removes && !track.detector.begun) track.held.push(joined)
    else accelerations.push(...release(track, removes), accelerationOf(track, joined, removes))
  }
  return accelerations
}

/** What waits: the recording has ended. What only the next message would need is forgotten. */
export function releaseHeld(track: TrackState, removes: boolean): Acceleration[] {
  if (track.held.length > 0 && !track.detector.begun) judge(track.detector)
  track.gravity = []
  track.total = []
  track.last = []
  return release(track, removes)
}

function release(track: TrackState, removes: boolean): Acceleration[] {
  const { held } = track
  track.held = []
  return held.map((joined) => accelerationOf(track, joined, removes))
}

function accelerationOf(track: TrackState, { sample, gravity, total }: Joined, removes: boolean): Acceleration {
  const { tUs } = sample
  const plain = lengthOf(sample)
  if (!track.detector.found)
    return {
      tUs,
      magnitude: plain,
      total: total !== null ? lengthOf(total) : gravity !== null ? lengthOf(sum(sample, gravity, 1)) : undefined,
      gravityIncluded: false,
      gravityEstimated: false,
    }
  if (!removes) return { tUs, magnitude: plain, total: plain, gravityIncluded: true, gravityEstimated: false }
  if (gravity === null) track.estimate = lowPass(track.estimate, sample)
  return {
    tUs,
    magnitude: lengthOf(sum(sample, gravity ?? track.estimate ?? sample, -1)),
    total: plain,
    gravityIncluded: true,
    gravityEstimated: gravity === null,
  }
}

/** In time order, without those that came in one of the last messages already. */
function unseen(track: TrackState, samples: Timed[]): Timed[] {
  samples.sort(byTime)
  const seen = new Map(track.last.map((sample) => [sample.tUs, sample]))
  const fresh = samples.filter((sample) => {
    const other = seen.get(sample.tUs)
    return other === undefined || other.x !== sample.x || other.y !== sample.y || other.z !== sample.z
  })
  track.last = [...track.last, ...fresh.slice(-REMEMBERED)].slice(-REMEMBERED)
  return fresh
}

function timed(readings: readonly Reading[], sensor: string): Timed[] {
  return readings.flatMap(({ sensor: name, tUs, axes }) =>
    name === sensor && axes !== undefined ? [{ tUs, ...axes }] : [],
  )
}

function sum(a: Timed, b: Timed, sign: 1 | -1): Timed {
  return { tUs: a.tUs, x: a.x + sign * b.x, y: a.y + sign * b.y, z: a.z + sign * b.z }
}

function lengthOf({ x, y, z }: Timed): number {
  return Math.sqrt(x * x + y * y + z * z)
}
