import type { Clock } from '../../src/clock.ts'
import { type DurableLog, openDurableLog } from '../../src/durable-log/durable-log.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { FRAME_OVERHEAD } from '../../src/durable-log/frame.ts'
import { openFailure } from '../../src/durable-log/log-errors.ts'
import { DEFAULT_SEGMENT_BYTES, SEGMENT_HEADER } from '../../src/durable-log/segment.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import type { Log } from '../../src/log.ts'
import type { RefusalCode } from '../routes/route.ts'
import type { DeadLetter, DeadLetters } from './dead-letters.ts'
import { letterJson } from './letter-json.ts'
import { decodeLetter, encodeLetter } from './letter-record.ts'
import { MemoryDeadLetters } from './memory-dead-letters.ts'

/*
 * Dead letters that survive a power cut: one record each in a durable log of their own, whose numbers are the letters'.
 * At the limit the oldest segment goes.
 *
 * While the disk is full `add` waits: the spool is on the same disk and takes nothing either, and the broker keeps what is
 * not acknowledged. But not for ever, because one long letter may find no room where many short rows do. After a minute,
 * or at once when the log has failed, the letter is written into the bridge's own log, in the form that
 * `snowhat deadletters replay --file` takes, and its message may be acknowledged.
 */

export interface DiskDeadLettersSettings {
  readonly dir: string
  readonly maxBytes: number
}

export interface DiskDeadLettersDeps {
  readonly clock: Clock
  readonly log: Log
  readonly fs?: FileSystem
}

/** Less would not hold the longest reading with its neighbours. */
export const LEAST_BYTES = 1024 * 1024
/** Of the newest letters, for those who ask a running bridge. */
const RECENT_BYTES = 1024 * 1024
const RETRY_MS = 1_000
const PATIENCE_MS = 60_000
/** Of a payload, in a line of the bridge's log. */
const LONGEST_LINE = 256 * 1024

export async function openDiskDeadLetters(
  { dir, maxBytes }: DiskDeadLettersSettings,
  deps: DiskDeadLettersDeps,
): Promise<DiskDeadLetters> {
  if (maxBytes < LEAST_BYTES)
    throw new SnowhatError(
      'E_CONFIG_INVALID',
      `spool.dead_letters_max_bytes is ${maxBytes}, and must be at least 1 MiB`,
      {
        hint: `set SNOWHAT_SPOOL_DEAD_LETTERS_MAX_BYTES to ${LEAST_BYTES} or more`,
      },
    )
  const segmentBytes = Math.min(DEFAULT_SEGMENT_BYTES, Math.floor(maxBytes / 4))
  const log = await openDurableLog({ dir, segmentBytes }, deps)
  try {
    const letters = await DiskDeadLetters.restore({ maxBytes, segmentBytes }, deps, log)
    const { corrupt, gaps } = log.report
    const fresh = corrupt.filter(({ known }) => !known)
    if (fresh.length > 0 || gaps.length > 0)
      deps.log.error({ dir, corrupt: fresh, gaps }, 'the disk has damaged dead letters: they are missing')
    deps.log.info({ dir, letters: letters.total, dropped: letters.dropped }, 'the dead letters on disk are open')
    return letters
  } catch (error) {
    await log.close()
    throw error instanceof SnowhatError ? error : openFailure(dir, error)
  }
}

export class DiskDeadLetters implements DeadLetters {
  unkept = 0
  failing = false
  readonly #maxBytes: number
  readonly #longest: number
  readonly #deps: DiskDeadLettersDeps
  readonly #log: DurableLog
  /** Counts all; holds the newest. */
  readonly #recent = new MemoryDeadLetters(RECENT_BYTES)
  readonly #makingRoom = new Gate(1)
  readonly #stop = new AbortController()
  #underWay = 0
  /** Since when the disk has taken nothing, on the clock that never jumps. */
  #fullSince: number | undefined

  private constructor(
    { maxBytes, segmentBytes }: { readonly maxBytes: number; readonly segmentBytes: number },
    deps: DiskDeadLettersDeps,
    log: DurableLog,
  ) {
    this.#maxBytes = maxBytes
    this.#longest = segmentBytes - SEGMENT_HEADER - FRAME_OVERHEAD
    this.#deps = deps
    this.#log = log
  }

  static async restore(
    sizes: { readonly maxBytes: number; readonly segmentBytes: number },
    deps: DiskDeadLettersDeps,
    log: DurableLog,
  ): Promise<DiskDeadLetters> {
    const letters = new DiskDeadLetters(sizes, deps, log)
    for await (const { body } of log.read(log.firstSequence)) await letters.#recent.add(decodeLetter(body))
    return letters
  }

  get total(): number {
    return this.#recent.total
  }

  get byCode(): ReadonlyMap<RefusalCode, number> {
    return this.#recent.byCode
  }

  /** Numbers begin with 1 and leave none out. */
  get dropped(): number {
    return this.#log.firstSequence - 1
  }

  recent(limit: number): DeadLetter[] {
    return this.#recent.recent(limit)
  }

  async add(letter: DeadLetter): Promise<void> {
    void this.#recent.add(letter)
    const { clock } = this.#deps
    const body = encodeLetter(letter, this.#longest)
    for (;;) {
      const failure = await this.#write(body)
      if (failure === undefined) return this.#kept()
      if (this.#stop.signal.aborted) throw new SnowhatError('E_SHUTDOWN', 'stopping: the broker keeps this message')
      if (!(failure instanceof SnowhatError && failure.code === 'E_LOG_FULL')) return this.#giveUp(letter, failure)
      this.#isFull(failure)
      if (clock.monotonic() - (this.#fullSince ?? 0) >= PATIENCE_MS) return this.#giveUp(letter, failure)
      await clock.sleep(RETRY_MS, this.#stop.signal).catch(() => undefined)
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#log.close()
  }

  /** Gives why it is not in the log. */
  async #write(body: Buffer): Promise<unknown> {
    const bytes = body.length + FRAME_OVERHEAD
    this.#underWay += bytes
    try {
      await this.#makingRoom.pass(() => this.#makeRoom())
      await this.#log.append(body)
      return undefined
    } catch (error) {
      return error
    } finally {
      this.#underWay -= bytes
    }
  }

  /** One at a time: of several that find too little room each would delete a segment. */
  async #makeRoom(): Promise<void> {
    while (this.#log.usage().bytes + this.#underWay > this.#maxBytes) {
      const before = this.#log.firstSequence
      if (!(await this.#log.deleteOldest())) return
      this.#deps.log.warn(
        {
          letters: this.#log.firstSequence - before,
          hint: 'repair and replay them in time (snowhat deadletters), or raise SNOWHAT_SPOOL_DEAD_LETTERS_MAX_BYTES',
        },
        'the oldest dead letters have made room for new ones',
      )
    }
  }

  #isFull(error: SnowhatError): void {
    if (this.#fullSince !== undefined) return
    this.#fullSince = this.#deps.clock.monotonic()
    this.#deps.log.error(
      { reason: error.message, hint: error.hint },
      'a dead letter finds no room; its message is not acknowledged for a minute',
    )
  }

  #kept(): void {
    this.failing = false
    if (this.#fullSince === undefined) return
    this.#fullSince = undefined
    this.#deps.log.info('dead letters find room again')
  }

  #giveUp(letter: DeadLetter, failure: unknown): void {
    this.unkept++
    this.failing = true
    const { payload } = letter
    const cutFrom = payload.length > LONGEST_LINE ? payload.length : undefined
    this.#deps.log.error(
      {
        letter: letterJson({ ...letter, payload: payload.subarray(0, LONGEST_LINE), cutFrom }),
        reason: messageOf(failure),
        hint: 'keep this line: the field "letter" is what snowhat deadletters replay --file takes; then see to the disk and restart the bridge',
      },
      'a dead letter could not be kept on disk; this line is all there is of it',
    )
  }
}
