import type { ActivityRecord } from '../recognition/activity-record.ts'

/** What Home Assistant is shown of a phone, on `state`. Every key is there; `null` shows as unknown. */
export interface ShownState {
  readonly activity: string | null
  /** %. */
  readonly confidence: number | null
  /** m/s², without gravity. */
  readonly average_magnitude: number | null
  /** Of all sensors together, over the last seconds. */
  readonly samples_per_second: number | null
  /** ISO 8601 UTC. */
  readonly last_message: string
  /** Messages of this recording that are missing. */
  readonly gaps: number
  /** %. */
  readonly battery: number | null
  /** Of this recording. */
  readonly steps: number | null
}

/** So sure, one window is enough to say that somebody does something else. */
const SURE = 0.9
/** A rate over less is none: readings come in batches. */
const LEAST_RATE_S = 5
/** Else so many have to agree. */
const AGREEING = 2

/**
 * A phone as it is now. The activity that is shown is steadier than the rows are: it changes when two windows in succession agree, or one
 * is sure.
 */
export class LivePhone {
  #shown: ActivityRecord | undefined
  #candidate: string | undefined
  #agreeing = 0
  #readings = 0
  #rate: number | null = null
  #since: number

  /** `nowMs` by the clock that only rises. */
  constructor(nowMs: number) {
    this.#since = nowMs
  }

  /** True when what is shown has changed. */
  heard(readings: number, activities: readonly ActivityRecord[]): boolean {
    this.#readings += readings
    const before = this.#shown?.activity
    for (const activity of activities) this.#weigh(activity)
    return this.#shown?.activity !== before
  }

  state(
    nowMs: number,
    phone: {
      readonly heardAt: number
      readonly gaps: number
      readonly facts: { readonly battery: number | null; readonly steps: number | null }
    },
  ): ShownState {
    const seconds = (nowMs - this.#since) / 1_000
    if (seconds >= LEAST_RATE_S) {
      this.#rate = Math.round((this.#readings / seconds) * 10) / 10
      this.#readings = 0
      this.#since = nowMs
    }
    const { activity = null, confidence = null, avg_magnitude = null } = this.#shown ?? {}
    const { battery, steps } = phone.facts
    return {
      activity,
      confidence: confidence === null ? null : Math.round(confidence * 100),
      average_magnitude: avg_magnitude === null ? null : Math.round(avg_magnitude * 100) / 100,
      samples_per_second: this.#rate,
      last_message: new Date(phone.heardAt).toISOString(),
      gaps: phone.gaps,
      battery: battery === null ? null : Math.round(battery * 100),
      steps,
    }
  }

  #weigh(activity: ActivityRecord): void {
    this.#agreeing = activity.activity === this.#candidate ? this.#agreeing + 1 : 1
    this.#candidate = activity.activity
    const isShown = activity.activity === this.#shown?.activity
    if (isShown || this.#shown === undefined || this.#agreeing >= AGREEING || (activity.confidence ?? 0) >= SURE)
      this.#shown = activity
  }
}
