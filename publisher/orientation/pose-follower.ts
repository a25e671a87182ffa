import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import { type Sampler, startSampler } from '../sampler.ts'
import type { InertialSample } from '../sensors/inertial-sample.ts'
import { PoseTracker, type PoseTrackerOptions, type TrackedPose } from './pose-tracker.ts'

export interface PoseFollowerOptions extends PoseTrackerOptions {
  /** Samples per second. */
  readonly rate: number
}

/** A pose that is older than that, ms, is nobody's: the bus stands still. */
const FRESH_MS = 500
const UNKNOWN: TrackedPose = { orientation: null, compass: null, gyroBias: null }

/** Asks the inertial chips many times a second, beside the readings, and follows the pose. */
export class PoseFollower {
  readonly #tracker: PoseTracker
  readonly #clock: Clock
  readonly #sampler: Sampler
  #at = Number.NEGATIVE_INFINITY
  /** Resolves when there was a first sample. */
  readonly begun: Promise<void>

  constructor(
    inertia: () => Promise<InertialSample>,
    options: PoseFollowerOptions,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#tracker = new PoseTracker(options)
    this.#clock = clock
    let begin: () => void = () => undefined
    this.begun = new Promise((resolve) => {
      begin = resolve
    })
    const sample = async () => {
      try {
        const sampled = await inertia()
        this.#at = clock.monotonic()
        this.#tracker.feed(sampled, this.#at)
      } finally {
        begin()
      }
    }
    this.#sampler = startSampler({ intervalMs: () => 1000 / options.rate, limit: 0 }, sample, { clock, log })
  }

  get pose(): TrackedPose {
    return this.#clock.monotonic() - this.#at > FRESH_MS ? UNKNOWN : this.#tracker.pose
  }

  /** Samples that could not be taken in time. */
  get missed(): number {
    return this.#sampler.missed
  }

  /** Resolves when the sample at work has ended. */
  close(): Promise<void> {
    return this.#sampler.stop()
  }
}
