import type { StreamSets } from '../ledger.ts'
import type { BootTime, Learned, Numbered } from './outbox.ts'

/** A reading's place among all this outbox has seen; 0 is before the first. */
export interface Place {
  readonly order: number
  /** `<stream>.<seq>`. */
  readonly name: string
}

/** A reading that is held, as others see it. */
export interface Held<T extends Numbered> {
  readonly reading: T
  readonly place: Place
  /** The reading before it that is not declared missing. Moves back when readings are given up. */
  readonly before: Place
  /** It has left: committed, or given up. */
  readonly gone: boolean
  /** It is held back, and all after it, until `letGo`. */
  readonly takenAt: BootTime | undefined
  /** It is as durable as it has to be to be sent. */
  stored: boolean
}

interface Entry<T extends Numbered> extends Held<T> {
  reading: T
  bytes: number
  before: Place
  gone: boolean
  takenAt: BootTime | undefined
  /** When it was taken, by the caller's clock, as far as that is known. */
  readonly since: number
  sent: boolean
  /** Which message it was sent in last: rises with each message, 0 for none. */
  turn: number
  spooled: boolean
}

/** Bytes of `,"after":"<stream>.<seq>"` and the comma between two readings. */
const AFTER_BYTES = 48

export interface Bounds {
  /** Readings held. */
  readonly limit: number
  /** Where no bridge was ever heard, readings of that time only; 0 for no such bound. */
  readonly aloneMs: number
}

/** The rules of an outbox, whatever keeps its readings: who is sent next and again, who leaves, who is given up. */
export class HeldReadings<T extends Numbered> {
  readonly #limit: number
  readonly #aloneMs: number
  readonly #bytesOf: (reading: T) => number
  /** No bridge was ever heard: what is taken may be for nobody. */
  alone = true
  #entries: Entry<T>[] = []
  #last: Place | undefined
  #unsent = 0
  #spooled = 0
  #givenUp = 0
  #heldBack = 0
  #takenThrough = 0
  #bytes = 0
  #turn = 0
  /** The latest message of which the last ledger shows a reading. */
  #reached = 0
  /** No unsent entry stands before this index. */
  #from = 0

  /** `bytesOf` a reading as it is sent, without its `after`. */
  constructor({ limit, aloneMs }: Bounds, bytesOf: (reading: T) => number = bytesOfJson) {
    this.#bytesOf = bytesOf
    this.#limit = Math.max(1, limit)
    this.#aloneMs = aloneMs === 0 ? Number.POSITIVE_INFINITY : aloneMs
  }

  get size(): number {
    return this.#entries.length
  }

  get unsent(): number {
    return this.#unsent - this.#heldBack
  }

  get heldBack(): number {
    return this.#heldBack
  }

  /** The latest place that was ever given out to be sent. */
  get takenThrough(): number {
    return this.#takenThrough
  }

  get unspooled(): number {
    return this.#entries.length - this.#spooled
  }

  get givenUp(): number {
    return this.#givenUp
  }

  /** Of all readings held, as they are sent. */
  get bytes(): number {
    return this.#bytes
  }

  /** Oldest first. */
  all(): readonly Held<T>[] {
    return this.#entries
  }

  /**
   * Takes a new reading in; over the bounds others are given up for it. From here on its `before` is what it has to
   * declare. It is sent only when it is `stored`, and not held back.
   */
  admit(reading: T, now: number, takenAt?: BootTime): Held<T> {
    const before = this.#last ?? { order: 0, name: `${reading.stream}.0` }
    const place = { order: before.order + 1, name: nameOf(reading) }
    const entry = this.#hold(reading, place, before, now, takenAt)
    this.#makeRoom(now)
    return entry
  }

  /**
   * Takes a reading of an earlier run in again, oldest first. More than the bounds allow may come back: giving up has to
   * wait for a new reading, as all of these may have been sent and could no longer declare it.
   */
  restore(reading: T, order: number, before: Place, since: number, takenAt?: BootTime): Held<T> {
    const entry = this.#hold(reading, { order, name: nameOf(reading) }, before, since, takenAt)
    entry.stored = true
    return entry
  }

  /** Ends the holding back of a reading: from here on it says this, whoever asks. */
  letGo(held: Held<T>, reading: T): void {
    const entry = held as Entry<T>
    if (entry.takenAt === undefined) return
    entry.takenAt = undefined
    entry.reading = reading
    const bytes = this.#bytesOf(reading) + AFTER_BYTES
    if (!entry.gone) this.#bytes += bytes - entry.bytes
    entry.bytes = bytes
    if (!entry.gone) this.#heldBack--
  }

  /** What came before the next reading, where that is not the last one held. */
  continueAfter(last: Place): void {
    this.#last = last
  }

  /** `<stream>.<seq>` of a reading that came before the next one and need not be kept. */
  pass(name: string): void {
    this.#last = { order: (this.#last?.order ?? 0) + 1, name }
  }

  take(limit: { readonly readings: number; readonly bytes: number }): T[] {
    const taken: T[] = []
    const turn = ++this.#turn
    let bytes = 2
    let index = this.#from
    for (let entry = this.#entries[index]; entry && this.#unsent > 0; entry = this.#entries[++index]) {
      if (entry.sent) continue
      if (!entry.stored || entry.takenAt !== undefined) break
      bytes += entry.bytes
      if (taken.length > 0 && (taken.length >= limit.readings || bytes > limit.bytes)) break
      taken.push(outgoing(entry))
      entry.turn = turn
      this.#takenThrough = Math.max(this.#takenThrough, entry.place.order)
      this.#mark(entry, true)
    }
    this.#from = index
    return taken
  }

  learn(spooled: StreamSets, committed: StreamSets): Learned {
    let newlySpooled = 0
    const kept: Entry<T>[] = []
    this.#spooled = 0
    this.#unsent = 0
    this.#heldBack = 0
    this.#reached = 0
    this.#bytes = 0
    for (const entry of this.#entries) {
      const { stream, seq } = entry.reading
      const known = spooled.has(stream, seq)
      const released = committed.has(stream, seq)
      if ((known || released) && entry.sent) this.#reached = Math.max(this.#reached, entry.turn)
      entry.gone = released
      if (released) continue
      if (known && !entry.spooled) newlySpooled++
      entry.spooled = known
      if (known) this.#spooled++
      if (!entry.sent) this.#unsent++
      if (entry.takenAt !== undefined) this.#heldBack++
      this.#bytes += entry.bytes
      kept.push(entry)
    }
    const released = this.#entries.length - kept.length
    this.#entries = kept
    this.#from = 0
    return { released, spooled: newlySpooled }
  }

  rewind(to: 'unspooled' | 'uncommitted'): number {
    const first = to === 'uncommitted' ? 0 : this.#entries.findIndex((entry) => !entry.spooled)
    const from = first < 0 ? this.#entries.length : first
    let again = 0
    this.#entries.forEach((entry, index) => {
      if (index >= from && entry.sent) again++
      this.#mark(entry, index < from)
    })
    this.#from = from
    return again
  }

  resendSkipped(): number {
    let again = 0
    for (const entry of this.#entries) {
      if (!entry.sent || entry.spooled || entry.turn >= this.#reached) continue
      this.#mark(entry, false)
      again++
    }
    if (again > 0) this.#from = 0
    return again
  }

  /** Gives up the oldest until no more than `bytes` are held; the newest stays. */
  giveUpOldest(bytes: number): void {
    let count = 0
    let left = this.#bytes
    for (; count < this.#entries.length - 1 && left > bytes; count++) left -= this.#entries[count]?.bytes ?? 0
    this.#giveUp(0, count)
  }

  #hold(reading: T, place: Place, before: Place, since: number, takenAt: BootTime | undefined): Entry<T> {
    const state = { gone: false, stored: false, sent: false, turn: 0, spooled: false }
    const bytes = this.#bytesOf(reading) + AFTER_BYTES
    const entry = { reading, place, before, bytes, since, takenAt, ...state }
    this.#entries.push(entry)
    this.#bytes += bytes
    this.#last = place
    this.#unsent++
    if (takenAt !== undefined) this.#heldBack++
    return entry
  }

  /** The newest reading always stays: it has to declare those that go. */
  #makeRoom(now: number): void {
    if (this.alone) {
      const young = this.#entries.findIndex(({ since }) => now - since <= this.#aloneMs)
      this.#giveUp(0, young)
    }
    for (let over = this.#overLimit(); over > 0; over = this.#overLimit()) {
      // What the bridge has goes first, then the oldest.
      if (this.#spooled === 0) this.#giveUp(0, over)
      else
        this.#giveUp(
          this.#entries.findIndex((entry) => entry.spooled),
          1,
        )
    }
  }

  #overLimit(): number {
    return this.#entries.length - this.#limit
  }

  /**
   * The gap is declared by the newest reading, which cannot have been sent, and by the next one, should that still be to
   * come: its `after` then names what stood before the first given up.
   */
  #giveUp(index: number, count: number): void {
    const victims = this.#entries.splice(index, count)
    for (const victim of victims) {
      victim.gone = true
      this.#bytes -= victim.bytes
      for (const later of [this.#entries.at(-1), this.#entries[index]])
        if (later && victim.before.order < later.before.order) later.before = victim.before
      if (victim.spooled) this.#spooled--
      if (!victim.sent) this.#unsent--
      if (victim.takenAt !== undefined) this.#heldBack--
    }
    this.#from = Math.max(Math.min(index, this.#from), this.#from - victims.length)
    this.#givenUp += victims.length
  }

  #mark(entry: Entry<T>, sent: boolean): void {
    if (entry.sent === sent) return
    entry.sent = sent
    this.#unsent += sent ? -1 : 1
  }
}

function bytesOfJson(reading: Numbered): number {
  return Buffer.byteLength(JSON.stringify(reading))
}

function nameOf({ stream, seq }: Numbered): string {
  return `${stream}.${seq}`
}

/** As it is sent: `after` is left out when the reading before is its own stream's `seq` − 1, never at a stream's start. */
export function outgoing<T extends Numbered>({ reading, before }: Pick<Held<T>, 'reading' | 'before'>): T {
  const expected = reading.seq > 1 && before.name === `${reading.stream}.${reading.seq - 1}`
  return expected ? reading : { ...reading, after: before.name }
}
