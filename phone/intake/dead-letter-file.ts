import { appendFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Doubling } from '../../src/doubling.ts'
import { messageOf } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import type { Log } from '../../src/log.ts'

/** A reading, or a whole message, that can never be a row. */
export interface DeadLetter {
  /** Epoch milliseconds. */
  readonly at: number
  readonly source: string
  readonly reason: string
  readonly deviceId?: string
  readonly sessionId?: string
  readonly messageId?: number | null
  /** Place in `payload`. */
  readonly index?: number
  readonly reading?: unknown
  /** A message that cannot be read, as it came. */
  readonly payload?: string
}

const FILE = 'dead-letters.ndjson'
/** Of one letter; the rest is cut off. */
const LONGEST = 64 * 1024
/** Letters that wait to be written; more are counted and left out. */
const MOST_WAITING = 10_000

/**
 * One JSON object per line, in two files: when the newer has half of what both may take it becomes the older, and that one goes.
 * Written soon, not synced: a letter is for a person who looks for what is wrong.
 */
export class DeadLetterFile {
  readonly #path: string
  readonly #maxBytes: number
  readonly #log: Log
  readonly #writing = new Gate(1)
  readonly #failures = new Doubling()
  #waiting: string[] = []
  #bytes: number | undefined
  #total = 0
  #last: Promise<void> = Promise.resolve()

  constructor(dir: string, maxBytes: number, log: Log) {
    this.#path = join(dir, FILE)
    this.#maxBytes = maxBytes
    this.#log = log
  }

  /** Since the start. */
  get total(): number {
    return this.#total
  }

  add(letter: DeadLetter): void {
    this.#total++
    if (this.#waiting.length >= MOST_WAITING) return
    this.#waiting.push(`${lineOf(letter)}\n`)
    if (this.#waiting.length === 1) this.#last = this.#writing.pass(() => this.#write())
  }

  /** All that was added is written, as far as it can be. */
  async close(): Promise<void> {
    await this.#last
  }

  async #write(): Promise<void> {
    const lines = this.#waiting.join('')
    this.#waiting = []
    try {
      this.#bytes ??= await stat(this.#path).then(
        ({ size }) => size,
        () => 0,
      )
      if (this.#bytes > 0 && this.#bytes + lines.length > this.#maxBytes / 2) {
        await rename(this.#path, `${this.#path}.previous`)
        this.#bytes = 0
      }
      await appendFile(this.#path, lines)
      this.#bytes += Buffer.byteLength(lines)
    } catch (error) {
      this.#failures.when((times) =>
        this.#log.warn({ times, reason: messageOf(error) }, 'readings that can never be rows could not be kept'),
      )
    }
  }
}

function lineOf(letter: DeadLetter): string {
  const { at, payload, reading, ...rest } = letter
  const line = JSON.stringify({
    at: new Date(at).toISOString(),
    ...rest,
    ...(payload !== undefined && { payload: cut(payload) }),
    reading,
  })
  if (line.length <= LONGEST) return line
  return JSON.stringify({ at: new Date(at).toISOString(), ...rest, payload: cut(payload ?? JSON.stringify(reading)) })
}

function cut(text: string): string {
  return text.length <= LONGEST / 2 ? text : `${text.slice(0, LONGEST / 2)}…`
}
