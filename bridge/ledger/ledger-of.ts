import { IntervalSet } from '../../src/intervals.ts'
import type { Ledger, LedgerBudget, Run, StreamState } from '../../src/ledger.ts'
import { StreamSets } from '../../src/ledger.ts'
import type { DeviceLog } from '../spool/device-log.ts'

/** Streams that are wholly committed and still listed, so that a publisher that was away finds its own. */
const LISTED_STREAMS = 64

/** What of a ledger the device itself does not know. */
export interface LedgerFacts {
  readonly id: number
  readonly instance: string
  /** Epoch milliseconds. */
  readonly now: number
  readonly budget?: LedgerBudget | undefined
}

/** The ledger of a device at this moment. Pure but for reading `device`. */
export function ledgerOf(device: DeviceLog, facts: LedgerFacts): Ledger {
  const predecessor = device.confirmed ? null : device.predecessor
  const earlier = earlierOf(device)
  const sets = setsOf(device, earlier)
  const runs = runsOf(device, facts.instance, earlier)
  const since = device.waitingSince
  return {
    id: facts.id,
    instance: facts.instance,
    incarnation: device.incarnation ?? predecessor?.incarnation ?? null,
    runs,
    streams: listedStreams(sets, new Set(runs.map((run) => run.stream))),
    counters: {
      received: device.counters.received,
      redelivered: device.counters.redelivered,
      ...gapsIn(sets),
      late: device.counters.late,
      rejected: device.counters.rejected,
      dead_letters: device.counters.deadLetters,
    },
    lag_rows: device.waiting,
    lag_seconds: since === undefined ? 0 : Math.max(0, Math.round((facts.now - since) / 100) / 10),
    last_commit_at: lastCommitOf(device),
    ...(facts.budget !== undefined && { budget: facts.budget }),
  }
}

interface Sets {
  readonly spooled: StreamSets
  readonly committed: StreamSets
  readonly declared: StreamSets
}

/**
 * Ledgers that still stand besides what this spool knows: the predecessor's until a token of ours has committed after it,
 * our own of before this start until the channel is open. A disk that is lost in between must not have taken them back.
 */
function earlierOf(device: DeviceLog): Ledger[] {
  const predecessor = device.confirmed ? null : device.predecessor
  return [device.opened ? null : device.said, predecessor].filter((one) => one !== null)
}

function setsOf(device: DeviceLog, earlier: readonly Ledger[]): Sets {
  const committed = device.committed.clone()
  const declared = device.declared.clone()
  for (const one of earlier) {
    committed.addAll(StreamSets.from(one, 'committed'))
    declared.addAll(StreamSets.from(one, 'declared'))
  }
  const spooled = committed.clone()
  spooled.addAll(device.received)
  return { spooled, committed, declared }
}

/** Of the device, not of this bridge: that there was one tells a channel that forgot it from a new one. */
function lastCommitOf(device: DeviceLog): string | null {
  if (device.lastCommitAt !== null) return new Date(device.lastCommitAt).toISOString()
  return device.said?.last_commit_at ?? device.predecessor?.last_commit_at ?? null
}

/**
 * The run of the last committed token (it may go on), those of the rows, and those of earlier ledgers that still stand. Of our own
 * the earlier ledgers know nothing better once the channel is open: a take-over has given all rows new tokens, and an old run of
 * ours, told again, would be read as committed as soon as one of the new tokens is.
 */
function runsOf(device: DeviceLog, instance: string, earlier: readonly Ledger[]): Run[] {
  const runs: Run[] = []
  const extend = ({ ordinal, owner, stream, first, last }: Run) => {
    const before = runs.at(-1)
    if (before !== undefined && before.ordinal === ordinal && before.owner === owner)
      runs[runs.length - 1] = { ...before, last }
    else runs.push({ ordinal, owner, stream, first, last })
  }
  if (device.opened) {
    const { trimmed } = device
    if (trimmed !== null && trimmed.owner === instance) extend({ ...trimmed, first: trimmed.seq, last: trimmed.seq })
    for (const span of device.spans) extend(span)
  }
  for (const run of earlier.flatMap((one) => one.runs)) {
    if (device.opened && run.owner === instance) continue
    if (!runs.some((own) => own.ordinal === run.ordinal && own.owner === run.owner)) runs.push(run)
  }
  return runs
}

function listedStreams(
  { spooled, committed, declared }: Sets,
  running: ReadonlySet<string>,
): Record<string, StreamState> {
  const states: [stream: string, state: StreamState, done: boolean][] = []
  for (const [stream, set] of spooled.entries()) {
    const givenUp = declared.of(stream)
    const state = {
      spooled: set.toJSON(),
      committed: committed.of(stream).toJSON(),
      ...(!givenUp.isEmpty && { declared: givenUp.toJSON() }),
    }
    const done = set.size === committed.of(stream).size && !running.has(stream)
    states.push([stream, state, done])
  }
  // In order of first use: the last ones done are the ones a publisher may still ask about.
  let surplus = states.filter(([, , done]) => done).length - LISTED_STREAMS
  return Object.fromEntries(
    states.filter(([, , done]) => !(done && surplus-- > 0)).map(([stream, state]) => [stream, state]),
  )
}

/** Readings that are not there, of one device. */
export interface Gaps {
  readonly declared_gaps: number
  readonly undeclared_gaps: number
}

/** Readings missing below the newest of each stream: those given up by their publisher, and the others. */
export function gapsOf(device: DeviceLog): Gaps {
  return gapsIn(setsOf(device, earlierOf(device)))
}

function gapsIn({ spooled, declared }: Sets): Gaps {
  let givenUp = 0
  let missing = 0
  for (const [stream, set] of spooled.entries())
    for (const [first, last] of set.holes(1, set.max ?? 0)) {
      const unexplained = new IntervalSet(declared.holes(stream, first, last)).size
      missing += unexplained
      givenUp += last - first + 1 - unexplained
    }
  return { declared_gaps: givenUp, undeclared_gaps: missing }
}
