import type { Interval } from '../../src/intervals.ts'
import { type Ledger, StreamSets } from '../../src/ledger.ts'
import type { Decision } from '../lanes/decision.ts'
import type { AgreedCounts } from '../lanes/row-account.ts'
import type { OffsetToken } from '../offset-token.ts'
import type { DeviceLog, Retokening } from './device-log.ts'
import type { DeviceCounters, Position, SpooledRow } from './spooled-row.ts'

/*
 * What the spool writes into its log: rows as they came, and the facts of a device when one changed that cannot be
 * derived from rows. A row's token is stored with it, and the device's term: a take-over gives rows new tokens by a rule
 * that stands in the facts, and writes none of them again.
 *
 * A record is one byte for its kind, a line of JSON, and for rows one more line each: a row is JSON already and is not
 * encoded twice, and what is not looked for can be passed over.
 */
const ROWS = 0x52
const FACTS = 0x46
const NEWLINE = 0x0a

export interface RowsRecord {
  readonly device: string
  readonly term: number
  readonly rows: readonly SpooledRow[]
}

export type Sets = Readonly<Record<string, readonly Interval[]>>

/** All of a device but its rows. What it has received is what is committed, and its rows. */
export interface DeviceFacts {
  /** The last record of the device's rows that the counters know of. */
  readonly through: number
  readonly committed: Sets
  readonly declared: Sets
  readonly counters: Readonly<DeviceCounters>
  readonly tail: OffsetToken | null
  readonly trimmed: OffsetToken | null
  readonly takenOverAt: string | null
  readonly resolved: boolean
  readonly incarnation: number | null
  readonly agreed: AgreedCounts
  readonly pipe: string | null
  readonly predecessor: Ledger | null
  readonly confirmed: boolean
  readonly ledgerId: number
  readonly lastCommitAt: number | null
  readonly decision: Decision | null
  readonly made: Position | null
  readonly term: number
  readonly retokenings: readonly Retokening[]
  readonly suspect: OffsetToken | null
  readonly aside: boolean
  /** Absent in what an earlier release has written. */
  readonly retired?: boolean
  readonly forgotten: { readonly main: number; readonly aside: number; readonly readings: Sets } | null
}

export function encodeRows(device: string, term: number, rows: readonly SpooledRow[]): Buffer {
  const tokens = rows.map(({ token, receivedAt }) => [token.ordinal, token.owner, token.stream, token.seq, receivedAt])
  const head = `R${JSON.stringify({ device, term, tokens })}`
  let length = Buffer.byteLength(head)
  for (const { json } of rows) length += 1 + json.length
  const record = Buffer.allocUnsafe(length)
  let at = record.write(head)
  for (const { json } of rows) {
    record[at] = NEWLINE
    record.set(json, at + 1)
    at += 1 + json.length
  }
  return record
}

/** `aside`: where its rows will be when this is durable. */
export function encodeFacts(device: DeviceLog, through: number, aside = device.aside): Buffer {
  return Buffer.from(`F${JSON.stringify({ device: device.hostname, facts: factsOf(device, through, aside) })}`)
}

interface RowsHead {
  readonly device: string
  readonly term: number
  readonly tokens: readonly (readonly [number, string, string, number, number])[]
}

/**
 * `undefined` when it is a record of facts. Throws on what this program has not written: the log has checked the bytes. `arrivalOf`: the
 * moment a row was received, epoch milliseconds, on the clock that never jumps.
 */
export function decodeRows(
  body: Uint8Array,
  record: number,
  arrivalOf: (receivedAt: number) => number,
): RowsRecord | undefined {
  if (body[0] === FACTS) return undefined
  if (body[0] !== ROWS) throw new RangeError('a record of the spool is of another kind')
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const headEnd = lineEnd(bytes, 0)
  const { device, term, tokens } = JSON.parse(bytes.toString('utf8', 1, headEnd)) as RowsHead
  // A copy, and not from the pool: rows outlive what was read at once, and those of other devices.
  const lines = Buffer.allocUnsafeSlow(bytes.length - headEnd)
  bytes.copy(lines, 0, headEnd)
  let end = 0
  const rows = tokens.map(([ordinal, owner, stream, seq, receivedAt]) => {
    if (end >= lines.length) throw new RangeError('a record of rows lacks a row')
    const from = end + 1
    end = lineEnd(lines, from)
    const json = lines.subarray(from, end)
    return { token: { ordinal, owner, stream, seq }, json, receivedAt, arrived: arrivalOf(receivedAt), record }
  })
  return { device, term, rows }
}

function lineEnd(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(NEWLINE, from)
  return end < 0 ? bytes.length : end
}

/** `undefined` when it is a record of rows. */
export function decodeFacts(body: Uint8Array): { readonly device: string; readonly facts: DeviceFacts } | undefined {
  if (body[0] !== FACTS) return undefined
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const end = bytes.indexOf(NEWLINE)
  return JSON.parse(bytes.toString('utf8', 1, end < 0 ? undefined : end))
}

export function factsOf(device: DeviceLog, through: number, aside = device.aside): DeviceFacts {
  const { counters, tail, trimmed, takenOverAt, resolved, incarnation, agreed, pipe, predecessor, confirmed } = device
  return {
    through,
    committed: setsOf(device.committed),
    declared: setsOf(device.declared),
    counters: { ...counters },
    tail,
    trimmed,
    takenOverAt,
    resolved,
    incarnation,
    agreed,
    pipe,
    predecessor,
    confirmed,
    ledgerId: device.ledgerId,
    lastCommitAt: device.lastCommitAt,
    decision: device.decision,
    made: device.made,
    term: device.term,
    retokenings: device.retokenings,
    suspect: device.suspect,
    aside,
    retired: device.retired,
    forgotten: device.forgotten && { ...device.forgotten, readings: setsOf(device.forgotten.readings) },
  }
}

/** Gives a new device its facts; its rows are restored after that. */
export function restoreFacts(device: DeviceLog, facts: DeviceFacts): void {
  const { through: _, committed, declared, counters, forgotten, ...plain } = facts
  Object.assign(device, plain)
  Object.assign(device.counters, counters)
  fill(device.committed, committed)
  fill(device.received, committed)
  fill(device.declared, declared)
  if (forgotten === null) return
  device.forgotten = { ...forgotten, readings: new StreamSets() }
  fill(device.forgotten.readings, forgotten.readings)
}

function setsOf(sets: StreamSets): Sets {
  return Object.fromEntries([...sets.entries()].filter(([, set]) => !set.isEmpty).map(([s, set]) => [s, set.toJSON()]))
}

function fill(target: StreamSets, sets: Sets): void {
  for (const [stream, intervals] of Object.entries(sets))
    for (const [first, last] of intervals) target.add(stream, first, last)
}
