/**
 * A route is what the bridge is written around: where messages come from, what is in them, whose they are,
 * and which table they end in. The Sense HAT is the first; phones and users' own topics are others.
 */
export interface Route {
  readonly name: string
  /** Its devices go by their hostname alone; those of all others by `<name>.<device>` (`src/device-key.ts`). */
  readonly ownsHostnames?: true
  readonly destination: Destination
  /** MQTT subscription filter. */
  readonly filter: string
  /** Whether a message is for this route at all. */
  matches(topic: string): boolean
  /** The key of the device a topic names; `undefined` when the name is not allowed. */
  deviceOf(topic: string): string | undefined
  /** Pure. Never throws: what cannot be read comes back as a refusal. */
  decode(key: string, payload: Buffer, topic: string): Decoded
}

/** Where rows end: the pipes of a table. A device is given one by hash and keeps it. */
export interface Destination {
  readonly database: string
  readonly schema: string
  /** At least one; of a table without a pipe of one's own its default one, `<TABLE>-STREAMING`. */
  readonly pipes: readonly string[]
}

export interface Decoded {
  readonly readings: readonly DecodedReading[]
  readonly refused: readonly Refused[]
}

export interface DecodedReading {
  /** `undefined` when the publisher numbers nothing: the bridge then makes a stream for it. */
  readonly position: { readonly stream: string; readonly seq: number; readonly after: string | null } | undefined
  /**
   * The row as one JSON object in one line: known keys, each once, and `extra` with the others. `stream` and `seq` are in it
   * when there is a position, `uuid` when it is named.
   */
  readonly json: Buffer
  readonly named: boolean
}

/** Something that can never become a row. */
export interface Refused {
  readonly code: RefusalCode
  /** One sentence. */
  readonly reason: string
  /** The bytes as they came, or of the one element of an array that is refused. */
  readonly payload: Buffer
  /** Where it would have been in its stream, when that much could be read: it is then accounted for. */
  readonly position?: { readonly stream: string; readonly seq: number }
}

export const REFUSAL_CODES = [
  'not_json',
  'not_an_object',
  'too_large',
  'too_many',
  'wrong_type',
  'other_host',
  'bad_topic',
  'seq_jump',
  'refused_by_snowflake',
] as const

export type RefusalCode = (typeof REFUSAL_CODES)[number]
