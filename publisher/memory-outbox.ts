import type { StreamSets } from '../src/ledger.ts'
import type { Reading } from '../src/reading.ts'
import type { Learned, Outbox } from './outbox.ts'

/** A reading's place among all this outbox has seen; 0 is before the first. */
interface Place {
  readonly order: number
  /** `<stream>.<seq>`. */
  readonly name: string
}

interface Entry {
  readonly reading: Reading
  readonly place: Place
  readonly bytes: number
  /** The reading before it that is not declared missing. Moves back when readings are given up. */
  before: Place
  sent: boolean
  /** Which message it was sent in last: rises with each message, 0 for none. */
  turn: number
  spooled: boolean
}

/** Bytes of `,"after":"<stream>.<seq>"` and the comma between two readings. */
const AFTER_BYTES = 48

/** An outbox that is lost with the process. */
export function createMemoryOutbox(limit: number): Outbox {
  return new MemoryOutbox(Math.max(1, limit))
}

class MemoryOutbox implements Outbox {
  readonly #limit: number
  #entries: Entry[] = []
  #last: Place | undefined
  #unsent = 0
  #spooled = 0
  #givenUp = 0
  #turn = 0
  /** The latest message of which the last ledger shows a reading. */
  #reached = 0
  /** No unsent entry stands before this index. */
  #from = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.length
  }

  get unsent(): number {
    return this.#unsent
  }

  get unspooled(): number {
    return this.#entries.length - this.#spooled
  }

  get givenUp(): number {
    return this.#givenUp
  }

  async append(reading: Reading): Promise<void> {
    const before = this.#last ?? { order: 0, name: `${reading.stream}.0` }
    const place = { order: before.order + 1, name: `${reading.stream}.${reading.seq}` }
    const bytes = Buffer.byteLength(JSON.stringify(reading)) + AFTER_BYTES
    this.#entries.push({ reading, place, bytes, before, sent: false, turn: 0, spooled: false })
    this.#last = place
    this.#unsent++
    while (this.#entries.length > this.#limit) this.#giveUpOne()
  }

  async take(limit: { readonly readings: number; readonly bytes: number }): Promise<Reading[]> {
    const taken: Reading[] = []
    const turn = ++this.#turn
    let bytes = 2
    let index = this.#from
    for (let entry = this.#entries[index]; entry && this.#unsent > 0; entry = this.#entries[++index]) {
      if (entry.sent) continue
      bytes += entry.bytes
      if (taken.length > 0 && (taken.length >= limit.readings || bytes > limit.bytes)) break
      taken.push(outgoing(entry))
      entry.turn = turn
      this.#mark(entry, true)
    }
    this.#from = index
    return taken
  }

  async learn(spooled: StreamSets, committed: StreamSets): Promise<Learned> {
    let newlySpooled = 0
    const kept: Entry[] = []
    this.#spooled = 0
    this.#unsent = 0
    this.#reached = 0
    for (const entry of this.#entries) {
      const { stream, seq } = entry.reading
      const known = spooled.has(stream, seq)
      const released = committed.has(stream, seq)
      if ((known || released) && entry.sent) this.#reached = Math.max(this.#reached, entry.turn)
      if (released) continue
      if (known && !entry.spooled) newlySpooled++
      entry.spooled = known
      if (known) this.#spooled++
      if (!entry.sent) this.#unsent++
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

  async close(): Promise<void> {}

  /**
   * What the bridge has goes first, then the oldest. The gap is declared by the newest reading, which
   * cannot have been sent, and by the next one, should that still be to come: its `after` then names what
   * stood before the one given up.
   */
  #giveUpOne(): void {
    const found = this.#spooled > 0 ? this.#entries.findIndex((entry) => entry.spooled) : 0
    const index = Math.max(0, found)
    const [victim] = this.#entries.splice(index, 1)
    if (!victim) return
    for (const later of [this.#entries.at(-1), this.#entries[index]])
      if (later && victim.before.order < later.before.order) later.before = victim.before
    if (victim.spooled) this.#spooled--
    if (!victim.sent) this.#unsent--
    if (index < this.#from) this.#from--
    this.#givenUp++
  }

  #mark(entry: Entry, sent: boolean): void {
    if (entry.sent === sent) return
    entry.sent = sent
    this.#unsent += sent ? -1 : 1
  }
}

/** `after` is left out when the reading before it is its own stream's `seq` − 1, and never at a stream's start. */
function outgoing(entry: Entry): Reading {
  const { reading, before } = entry
  const expected = reading.seq > 1 && before.name === `${reading.stream}.${reading.seq - 1}`
  return expected ? reading : { ...reading, after: before.name }
}
