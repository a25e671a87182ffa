/*
 * Messages that came before: the app publishes by HTTP and by MQTT at once, and proxies repeat. A message is known by
 * recording and number, and by the hash of its bytes: the app begins to count anew with each recording, and may do so within one.
 */

/** Messages of a recording that are remembered, and how many when its phone has begun another. All of it is in each snapshot. */
const MESSAGES = 128
const MESSAGES_OF_ENDED = 16
/** Recordings of all phones. */
const RECORDINGS = 2_000

/** As it stands in a snapshot: of each recording the names of its messages. */
export type SavedSeen = readonly (readonly [recording: string, messages: readonly string[]])[]

export type Verdict = 'new' | 'conflict' | { readonly duplicateOf: Promise<unknown> }

interface Known {
  readonly deviceId: string
  readonly sessionId: string
  readonly messageId: number | null
}

const STORED = Promise.resolve()

export class Seen {
  /** Recordings, the one heard from longest ago first; of each the messages in the order they came. */
  readonly #recordings = new Map<string, Map<string, Promise<unknown>>>()

  constructor(saved: SavedSeen = []) {
    for (const [recording, names] of saved)
      this.#recordings.set(recording, new Map(names.map((name) => [name, STORED])))
  }

  /** A duplicate's reply has to wait until the first is stored, or is refused. */
  look(message: Known, hash: string): Verdict {
    const known = this.#recordings.get(recordingOf(message))
    const first = known?.get(nameOf(message, hash))
    if (first !== undefined) return { duplicateOf: first }
    if (message.messageId === null || known === undefined) return 'new'
    const same = `${message.messageId} `
    for (const name of known.keys()) if (name.startsWith(same)) return 'conflict'
    return 'new'
  }

  /** It is forgotten again when it could not be stored. */
  add(message: Known, hash: string, stored: Promise<unknown> = STORED): void {
    const recording = recordingOf(message)
    const known = this.#recordings.get(recording) ?? this.#begun(message)
    this.#recordings.delete(recording)
    this.#recordings.set(recording, known)
    const name = nameOf(message, hash)
    known.set(name, stored)
    stored.then(
      () => known.set(name, STORED),
      () => known.delete(name),
    )
    forgetFirst(known, MESSAGES)
    forgetFirst(this.#recordings, RECORDINGS)
  }

  #begun({ deviceId }: Known): Map<string, Promise<unknown>> {
    const ofPhone = `${JSON.stringify([deviceId]).slice(0, -1)},`
    for (const [recording, names] of this.#recordings)
      if (recording.startsWith(ofPhone)) forgetFirst(names, MESSAGES_OF_ENDED)
    return new Map()
  }

  /** Without what is still on its way to the disk: nobody has been told that it is there. */
  saved(): SavedSeen {
    return [...this.#recordings].map(([recording, names]) => [
      recording,
      [...names].filter(([, stored]) => stored === STORED).map(([name]) => name),
    ])
  }
}

function recordingOf({ deviceId, sessionId }: Known): string {
  return JSON.stringify([deviceId, sessionId])
}

function nameOf({ messageId }: Known, hash: string): string {
  return `${messageId ?? ''} ${hash}`
}

function forgetFirst(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
