import { z } from 'zod'
import { type Classification, type ClassifierOptions, createClassifier } from '../classify/classifier.ts'
import type { Parameters } from '../classify/parameters.ts'
import { type Acceleration, follow, releaseHeld } from '../gravity/acceleration-track.ts'
import type { WindowCounters } from '../windows/counters.ts'
import { DEFAULT_WINDOWS, sparkWindows, type WindowOptions } from '../windows/options.ts'
import type { ActivityWindow, OwnActivity, Sample } from '../windows/sample.ts'
import { restoreEngine, snapshotOf } from '../windows/snapshot.ts'
import { WindowEngine } from '../windows/window-engine.ts'
import type { Message, Reading } from '../wire/message.ts'
import { type ActivityRecord, activityRecord } from './activity-record.ts'
import { MOST_OWN_WAITING, type Tracked, Tracks, trackedRecordings } from './tracks.ts'

/** Rises with every change of what is kept or of what it means. */
const VERSION = 1
/** A word longer than this is no activity. */
const LONGEST_WORD = 64

const snapshotForm = z.object({ version: z.literal(VERSION), windows: z.unknown(), recordings: trackedRecordings })

/** The whole state between messages; may be written as JSON. */
export type RecognitionSnapshot = z.infer<typeof snapshotForm>

export interface RecognitionOptions {
  /** `std`, `thresholds`, or another that the parameters name. */
  readonly classifier: string
  /**
   * As the first system did it on that version of Spark: one watermark for all phones, no guard against the future, no bounds,
   * gravity left in, thin windows judged.
   */
  readonly sparkCompat?: '>=3.4' | '<=3.3'
  /** Other than the default, where it is not as on Spark. */
  readonly windows?: Partial<WindowOptions>
}

/** What may change while windows are open. */
export interface RecognitionSettings {
  readonly classifier: string
  readonly parameters: Parameters
  readonly maxDevices: number
}

/** A finished window and what its phone's owner did. */
export interface Recognised {
  readonly window: ActivityWindow
  readonly classification: Classification
  readonly record: ActivityRecord
}

/**
 * From the app's messages to activities: gravity, windows, classifier. A deterministic function of its calls and their
 * order: who repeats them, from the start or from a snapshot, gets the same.
 */
export class Recognition {
  #engine: WindowEngine
  readonly #tracks: Tracks
  readonly #removesGravity: boolean
  readonly #classifierOptions: ClassifierOptions
  #classify: (window: ActivityWindow) => Classification

  private constructor(engine: WindowEngine, tracks: Tracks, options: RecognitionOptions, parameters: Parameters) {
    const { classifier, sparkCompat } = options
    const asSpark = sparkCompat !== undefined
    this.#classifierOptions = { classifier, judgesThin: asSpark, leavesGravity: asSpark }
    this.#engine = engine
    this.#tracks = tracks
    this.#removesGravity = !asSpark
    this.#classify = createClassifier(parameters, this.#classifierOptions)
  }

  /** Throws `E_CONFIG_INVALID` when the parameters have no such classifier. */
  static begin(options: RecognitionOptions, parameters: Parameters): Recognition {
    return new Recognition(new WindowEngine(windowOptions(options)), new Tracks(), options, parameters)
  }

  /** As it was; `undefined` when the snapshot is of another version or of options with which it means something else. */
  static restore(options: RecognitionOptions, parameters: Parameters, snapshot: unknown): Recognition | undefined {
    const parsed = snapshotForm.safeParse(snapshot)
    if (!parsed.success) return undefined
    const engine = restoreEngine(windowOptions(options), parsed.data.windows)
    return engine && new Recognition(engine, new Tracks(parsed.data.recordings), options, parameters)
  }

  /** Windows that are finished from here on are judged so; those that are open stay. Throws `E_CONFIG_INVALID` as `begin` does. */
  use({ classifier, parameters, maxDevices }: RecognitionSettings): void {
    this.#classify = createClassifier(parameters, { ...this.#classifierOptions, classifier })
    this.#engine = new WindowEngine({ ...this.#engine.options, maxDevices }, this.#engine.parts)
  }

  /** Shares nothing with what comes later. */
  snapshot(): RecognitionSnapshot {
    return { version: VERSION, windows: snapshotOf(this.#engine), recordings: structuredClone(this.#tracks.all()) }
  }

  get counters(): Readonly<WindowCounters> {
    return this.#engine.counters
  }

  /** One message: one micro-batch. `receivedAtMs`: epoch ms. */
  process({ deviceId, sessionId, readings }: Message, receivedAtMs: number): Recognised[] {
    if (!readings.some(isOfUse)) return []
    const tracked = this.#tracks.hear(deviceId, sessionId, receivedAtMs)
    const { maxRecordings, maxDevices } = this.#engine.options
    const released = this.#tracks
      .surplus(deviceId, maxRecordings, maxDevices)
      .flatMap((one) => samplesOf(one, releaseHeld(one.track, this.#removesGravity)))
    const own = samplesOf(tracked, follow(tracked.track, readings, this.#removesGravity))
    tracked.own = [...tracked.own, ...readings.flatMap(ownActivity)].slice(-MOST_OWN_WAITING)
    const samples = [...released, ...own]
    const windows = samples.length === 0 ? [] : this.#engine.process(samples, receivedAtMs)
    this.#handOver(tracked)
    return windows.map((window) => this.#recognised(window))
  }

  /** The recordings of which no acceleration was received since `sinceMs`, and which are not finished. Changes nothing. */
  idle(sinceMs: number): { readonly deviceId: string; readonly sessionId: string }[] {
    const waiting = this.#tracks.all().filter(({ track, heardAtMs }) => track.held.length > 0 && heardAtMs <= sinceMs)
    const open = this.#engine.idle(sinceMs)
    return [
      ...open,
      ...waiting
        .filter(
          (one) => !open.some(({ deviceId, sessionId }) => deviceId === one.deviceId && sessionId === one.sessionId),
        )
        .map(({ deviceId, sessionId }) => ({ deviceId, sessionId })),
    ]
  }

  /** Finishes a recording's windows (rule X-2). They never come again, whatever is still to come of it. */
  flush(deviceId: string, sessionId: string): Recognised[] {
    const tracked = this.#tracks.get(deviceId, sessionId)
    let windows: ActivityWindow[] = []
    if (tracked !== undefined) {
      const held = samplesOf(tracked, releaseHeld(tracked.track, this.#removesGravity))
      if (held.length > 0) windows = this.#engine.process(held, tracked.heardAtMs)
      this.#handOver(tracked)
    }
    return windows.concat(this.#engine.flush(deviceId, sessionId)).map((window) => this.#recognised(window))
  }

  /** What the phone said of itself goes to its windows as soon as it has any. */
  #handOver(tracked: Tracked): void {
    const { deviceId, sessionId, own } = tracked
    if (own.length === 0 || !this.#engine.knows(deviceId, sessionId)) return
    for (const one of own) this.#engine.note(deviceId, sessionId, one)
    tracked.own = []
  }

  #recognised(window: ActivityWindow): Recognised {
    const classification = this.#classify(window)
    return { window, classification, record: activityRecord(window, classification) }
  }
}

function windowOptions({ sparkCompat, windows }: RecognitionOptions): WindowOptions {
  return { ...(sparkCompat === undefined ? DEFAULT_WINDOWS : sparkWindows(sparkCompat)), ...windows }
}

const OF_USE: ReadonlySet<string> = new Set(['accelerometer', 'gravity', 'totalacceleration', 'activity'])

function isOfUse({ sensor }: Reading): boolean {
  return OF_USE.has(sensor)
}

function samplesOf({ deviceId, sessionId }: Tracked, accelerations: readonly Acceleration[]): Sample[] {
  return accelerations.map((acceleration) => ({ deviceId, sessionId, ...acceleration }))
}

function ownActivity({ sensor, tUs, values }: Reading): OwnActivity[] {
  if (sensor !== 'activity' || Array.isArray(values)) return []
  const { activity, confidence } = values as Readonly<Record<string, unknown>>
  if (!isWord(activity)) return []
  return [{ tUs, activity, confidence: isWord(confidence) ? confidence : null }]
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_WORD
}
