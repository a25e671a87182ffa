import { SnowhatError } from '../../src/errors.ts'
import type { Making } from '../pump/making.ts'
import type { Message } from '../wire/message.ts'

/*
 * What the receiver is a function of. One record per message that was taken, one per silence that ended a recording, and one for settings
 * that are others than before: what the clock and the configuration have to say is written down when it is said, so that a second reading of
 * the journal comes to the same.
 */

export type Source = 'http' | 'mqtt'

export interface MessageRecord {
  readonly kind: 'message'
  /** When it came, epoch milliseconds. */
  readonly at: number
  readonly source: Source
  /** Of the bytes as they came: with the next three, what duplicates are known by. */
  readonly hash: string
  readonly deviceId: string
  readonly sessionId: string
  readonly messageId: number | null
  /** The message as it came; where readings were refused or not wanted, without them. */
  readonly text: string
  /** What `parseMessage` makes of `text`, where somebody has it already. It is not written down. */
  readonly message?: Message
}

/** A recording has been silent for so long that it is over. */
export interface IdleRecord {
  readonly kind: 'idle'
  readonly at: number
  readonly deviceId: string
  readonly sessionId: string
}

/** From here on rows are made in another way. */
export interface SettingsRecord {
  readonly kind: 'settings'
  readonly at: number
  readonly making: Making
}

export type JournalRecord = MessageRecord | IdleRecord | SettingsRecord

/** A line of JSON about it, and the text. */
export function encodeJournalRecord(record: JournalRecord): Buffer {
  if (record.kind !== 'message') return Buffer.from(JSON.stringify(record))
  const { text, message: _, ...head } = record
  return Buffer.from(`${JSON.stringify(head)}\n${text}`)
}

/** Throws `E_LOG_CORRUPT` where another program has written. */
export function decodeJournalRecord(body: Uint8Array): JournalRecord {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const end = bytes.indexOf('\n')
  const head = bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
  let record: Partial<JournalRecord>
  try {
    record = JSON.parse(head) as Partial<JournalRecord>
  } catch (error) {
    throw foreign(error)
  }
  if (record?.kind === 'idle' || record?.kind === 'settings') return record as IdleRecord | SettingsRecord
  if (record?.kind === 'message' && end >= 0)
    return { ...(record as Omit<MessageRecord, 'text' | 'message'>), text: bytes.toString('utf8', end + 1) }
  throw foreign(undefined)
}

function foreign(cause: unknown): SnowhatError {
  return new SnowhatError('E_LOG_CORRUPT', 'The journal on disk holds records that no phone has sent.', {
    hint: 'give phone.dir a directory that no other program uses',
    cause,
  })
}
