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
/** Of one letter, characters; the rest is cut off. */
export const LONGEST_LETTER = 64 * 1024
/** Characters that wait to be written; letters beyond are counted and left out. */
const MOST_WAITING = 4 * 1024 * 1024

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
  #waitingLength = 0
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
    if (this.#waitingLength >= MOST_WAITING) return
    const line = `${lineOf(letter)}\n`
    this.#waiting.push(line)
    this.#waitingLength += line.length
    if (this.#waiting.length === 1) this.#last = this.#writing.pass(() => this.#write())
  }

  /** All that was added is written, as far as it can be. */
  async close(): Promise<void> {
    await this.#last
  }

  async #write(): Promise<void> {
    const lines = this.#waiting.join('')
    this.#waiting = []
    this.#waitingLength = 0
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
  const about = { at: new Date(at).toISOString(), ...rest }
  const text = reading === undefined ? undefined : textOf(reading)
  if (text !== undefined && text.length <= LONGEST_LETTER / 2)
    return `${JSON.stringify(about).slice(0, -1)},"reading":${text}}`
  return JSON.stringify({ ...about, payload: cut(payload ?? text ?? '') })
}

/** Nothing where it is nested so deeply that it cannot be written. */
function textOf(reading: unknown): string {
  try {
    return JSON.stringify(reading)
  } catch {
    return '""'
  }
}

function cut(text: string): string {
  return text.length <= LONGEST_LETTER / 2 ? text : `${text.slice(0, LONGEST_LETTER / 2)}…`
}
