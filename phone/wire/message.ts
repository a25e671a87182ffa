/** Acceleration, rotation rate or field along the phone's axes, in the unit and sign convention the phone sent. */
export interface Axes {
  readonly x: number
  readonly y: number
  readonly z: number
}

/** A reading that can be used and stored. */
export interface Reading {
  /** Its place in the message's `payload`. */
  readonly index: number
  /** The app's name for the sensor, as sent. */
  readonly sensor: string
  /** Microseconds since 1970, rounded down: what windows and duplicates go by. */
  readonly tUs: number
  /**
   * Nanoseconds since 1970, the digits as they were sent. A double cannot hold them (its step is 256 ns near 1.7e18), so
   * they are read from the message's text.
   */
  readonly timeNs: string
  /** As sent. */
  readonly values: Readonly<Record<string, unknown>> | readonly unknown[]
  /** For sensors with three axes. */
  readonly axes?: Axes
  /** 0 unreliable to 3 maximum; Android only, and only for some sensors. Left out where it is no whole number. */
  readonly accuracy?: number
}

/** Why a reading is a dead letter. */
export const REFUSAL_REASONS = [
  'not-an-object',
  'too-deep',
  'too-long',
  'no-name',
  'no-time',
  'bad-time',
  'no-values',
  'bad-values',
  'null-axis',
  'missing-axis',
  'not-a-number',
  'out-of-range',
] as const

export type RefusalReason = (typeof REFUSAL_REASONS)[number]

export interface RefusedReading {
  readonly index: number
  readonly reason: RefusalReason
  /** As sent. */
  readonly reading: unknown
}

/** One message of the app, each of its readings judged on its own. */
export interface Message {
  readonly deviceId: string
  /** Constant within one recording. */
  readonly sessionId: string
  /** Rises by one per message of a recording; `null` where none was sent. */
  readonly messageId: number | null
  /** Only inside a study. Left out where it is longer than an id. */
  readonly userId?: string
  /** The app's test button: nothing to store. */
  readonly isTest: boolean
  /** Length of `payload`: accepted, refused, dropped and duplicates together. */
  readonly size: number
  readonly readings: readonly Reading[]
  readonly refused: readonly RefusedReading[]
  /** Readings of sensors that are not kept. */
  readonly dropped: number
  /** Readings of sensors with three axes that stood in the message before: same sensor, time and values. */
  readonly duplicates: number
}

/** Why a body is not a message. */
export const ENVELOPE_FAULTS = ['not-json', 'not-an-object', 'no-device-id', 'no-session-id', 'no-payload'] as const

export type EnvelopeFault = (typeof ENVELOPE_FAULTS)[number]

export type Parsed =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly fault: EnvelopeFault; readonly sentence: string }
