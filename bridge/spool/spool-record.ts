import type { Interval } from '../../src/intervals.ts'
import type { Ledger, StreamSets } from '../../src/ledger.ts'
import type { Decision } from '../lanes/decision.ts'
import type { AgreedCounts } from '../lanes/row-account.ts'
import type { OffsetToken } from '../offset-token.ts'
import { type DeviceCounters, DeviceLog, type Position, type SpooledRow, type SpoolUsage } from './device-log.ts'

/*
 * What the spool writes into its log: rows as they came, and the facts of a device when one changed that cannot be
 * derived from rows. A row's token is stored with it. Rows of an older term than the device's are void: a take-over
 * has written them again with new tokens.
 *
 * A record is one line of JSON, and for rows one more line each: a row is JSON already and is not encoded twice.
 */
export type SpoolRecord =
  | { readonly kind: 'rows'; readonly device: string; readonly term: number; readonly rows: readonly SpooledRow[] }
  | { readonly kind: 'facts'; readonly device: string; readonly facts: DeviceFacts }

export type Sets = Readonly<Record<string, readonly Interval[]>>

/** All of a device but its rows. */
export interface DeviceFacts {
  readonly received: Sets
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
}

export function encodeRows(device: string, term: number, rows: readonly SpooledRow[]): Buffer {
  const tokens = rows.map(({ token, receivedAt }) => [token.ordinal, token.owner, token.stream, token.seq, receivedAt])
  return Buffer.from([JSON.stringify({ device, term, tokens }), ...rows.map((row) => row.json)].join('\n'))
}

export function encodeFacts(device: DeviceLog): Buffer {
  return Buffer.from(JSON.stringify({ device: device.hostname, facts: factsOf(device) }))
}

/** Throws on what this version has not written: the log has checked the bytes, so it is another program's. */
export function decodeRecord(body: Uint8Array): SpoolRecord {
  const [head = '', ...lines] = Buffer.from(body).toString('utf8').split('\n')
  const value = JSON.parse(head) as Header
  if ('facts' in value) return { kind: 'facts', device: value.device, facts: value.facts }
  const rows = value.tokens.map(([ordinal, owner, stream, seq, receivedAt], i) => {
    const json = lines[i]
    if (json === undefined) throw new RangeError('a record of rows lacks a row')
    return { token: { ordinal, owner, stream, seq }, json, receivedAt, arrived: 0, record: 0 }
  })
  return { kind: 'rows', device: value.device, term: value.term, rows }
}

type Header =
  | { readonly device: string; readonly facts: DeviceFacts }
  | {
      readonly device: string
      readonly term: number
      readonly tokens: readonly (readonly [number, string, string, number, number])[]
    }

export function factsOf(device: DeviceLog): DeviceFacts {
  const { counters, tail, trimmed, takenOverAt, resolved, incarnation, agreed, pipe, predecessor, confirmed } = device
  return {
    received: setsOf(device.received),
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
  }
}

export interface RestoredRow {
  readonly row: SpooledRow
  readonly term: number
  /** The facts were written after it. */
  readonly counted: boolean
}

/** A device as its facts and rows tell; rows that are committed or void are left out. */
export function restoreDevice(
  hostname: string,
  facts: DeviceFacts | undefined,
  rows: readonly RestoredRow[],
  usage: SpoolUsage,
): DeviceLog {
  const device = new DeviceLog(hostname, usage)
  if (facts !== undefined) {
    const { received, committed, declared, counters, ...plain } = facts
    Object.assign(device, plain)
    Object.assign(device.counters, counters)
    fill(device.received, received)
    fill(device.committed, committed)
    fill(device.declared, declared)
  }
  for (const { term, row, counted } of rows) {
    if (term === device.term) device.restore(row)
    if (!counted) device.counters.received++
  }
  const { made } = device
  if (made !== null) device.made = { ...made, seq: Math.max(made.seq, device.received.of(made.stream).max ?? 0) }
  return device
}

function setsOf(sets: StreamSets): Sets {
  return Object.fromEntries([...sets.entries()].filter(([, set]) => !set.isEmpty).map(([s, set]) => [s, set.toJSON()]))
}

function fill(target: StreamSets, sets: Sets): void {
  for (const [stream, intervals] of Object.entries(sets))
    for (const [first, last] of intervals) target.add(stream, first, last)
}
