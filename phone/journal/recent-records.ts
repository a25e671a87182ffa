import type { JournalRecord } from './journal-record.ts'

/** Text of messages that are kept. As objects they take about five times as much. */
const MOST_BYTES = 4 * 1024 * 1024

/**
 * Records that were appended only just, in order, for the one who reads them next: he need neither read the disk nor parse. When there
 * are too many the later ones are not kept: he is far behind, and will find them on the disk.
 */
export class RecentRecords {
  readonly #records = new Map<number, JournalRecord>()
  #bytes = 0

  /** The lowest number that is kept. */
  get first(): number | undefined {
    return this.#records.keys().next().value
  }

  add(sequence: number, record: JournalRecord): void {
    const bytes = bytesOf(record)
    if (this.#bytes + bytes > MOST_BYTES) return
    this.#records.set(sequence, record)
    this.#bytes += bytes
  }

  /** Forgets it, and what lies before it. */
  take(sequence: number): JournalRecord | undefined {
    const wanted = this.#records.get(sequence)
    for (const [other, record] of this.#records) {
      if (other > sequence) break
      this.#records.delete(other)
      this.#bytes -= bytesOf(record)
    }
    return wanted
  }
}

function bytesOf(record: JournalRecord): number {
  return record.kind === 'message' ? record.text.length : 0
}
