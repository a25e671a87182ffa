import { IntervalSet } from '../../src/intervals.ts'
import type { Ledger, Run, StreamState } from '../../src/ledger.ts'
import { StreamSets } from '../../src/ledger.ts'
import type { DeviceLog } from '../spool/device-log.ts'

/** Streams that are wholly committed and still listed, so that a publisher that was away finds its own. */
const LISTED_STREAMS = 64

/** The ledger of a device at this moment. Pure but for reading `device`. */
export function ledgerOf(device: DeviceLog, facts: { id: number; instance: string; now: number }): Ledger {
  const committed = device.committed.clone()
  const predecessor = device.confirmed ? null : device.predecessor
  // The predecessor's words stand until a token of ours has committed after them; our own of before this start until the
  // channel is open: a disk that is lost in between must not have taken them back.
  const earlier = [device.opened ? null : device.said, predecessor].filter((one) => one !== null)
  for (const one of earlier) committed.addAll(StreamSets.from(one, 'committed'))
  const spooled = committed.clone()
  spooled.addAll(device.received)
  const runs = runsOf(device, facts.instance, earlier)
  const since = device.waitingSince
  return {
    id: facts.id,
    instance: facts.instance,
    incarnation: device.incarnation ?? predecessor?.incarnation ?? null,
    runs,
    streams: listedStreams(spooled, committed, new Set(runs.map((run) => run.stream))),
    counters: {
      received: device.counters.received,
      redelivered: device.counters.redelivered,
      ...gapsOf(device),
      late: device.counters.late,
      rejected: device.counters.rejected,
      dead_letters: device.counters.deadLetters,
    },
    lag_rows: device.waiting,
    lag_seconds: since === undefined ? 0 : Math.max(0, Math.round((facts.now - since) / 100) / 10),
    last_commit_at: lastCommitOf(device),
  }
}

/** Of the device, not of this bridge: that there was one tells a channel that forgot it from a new one. */
function lastCommitOf(device: DeviceLog): string | null {
  if (device.lastCommitAt !== null) return new Date(device.lastCommitAt).toISOString()
  return device.said?.last_commit_at ?? device.predecessor?.last_commit_at ?? null
}

/** The run of the last committed token (it may go on), those of the rows, and those of earlier ledgers that still stand. */
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
  for (const run of earlier.flatMap((one) => one.runs))
    if (!runs.some((own) => own.ordinal === run.ordinal && own.owner === run.owner)) runs.push(run)
  return runs
}

function listedStreams(
  spooled: StreamSets,
  committed: StreamSets,
  running: ReadonlySet<string>,
): Record<string, StreamState> {
  const states: [stream: string, state: StreamState, done: boolean][] = []
  for (const [stream, set] of spooled.entries()) {
    const state = { spooled: set.toJSON(), committed: committed.of(stream).toJSON() }
    const done = set.size === committed.of(stream).size && !running.has(stream)
    states.push([stream, state, done])
  }
  // In order of first use: the last ones done are the ones a publisher may still ask about.
  let surplus = states.filter(([, , done]) => done).length - LISTED_STREAMS
  return Object.fromEntries(
    states.filter(([, , done]) => !(done && surplus-- > 0)).map(([stream, state]) => [stream, state]),
  )
}

/** Readings missing below the newest of each stream: those given up by their publisher, and the others. */
export function gapsOf(device: DeviceLog): { declared_gaps: number; undeclared_gaps: number } {
  let declared = 0
  let undeclared = 0
  for (const [stream, set] of device.received.entries()) {
    const known = device.declared.of(stream)
    for (const [first, last] of set.holes(1, set.max ?? 0)) {
      const missing = new IntervalSet(known.holes(first, last)).size
      undeclared += missing
      declared += last - first + 1 - missing
    }
  }
  return { declared_gaps: declared, undeclared_gaps: undeclared }
}
