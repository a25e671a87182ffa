import { setMaxListeners } from 'node:events'
import { hintOf, messageOf } from '../../src/errors.ts'
import type { Examination, Slots } from './examination.ts'
import { type Finding, type FindingId, skipped } from './finding.ts'
import type { Side } from './sides.ts'

/** One thing that is looked at. */
export interface Check {
  /** The finding it makes when it can say nothing else: it is skipped, it fails, or it takes too long. */
  readonly id: FindingId
  /** Where it makes sense; everywhere when it does not say. */
  readonly side?: Side
  /** What others must have found out before it can begin. */
  readonly needs?: readonly (keyof Slots)[]
  /** What it waits for and can do without. */
  readonly after?: readonly (keyof Slots)[]
  /** What it finds out for others, if all goes well. */
  readonly gives?: readonly (keyof Slots)[]
  /** A way to say beforehand that there is nothing to look at, and why. */
  readonly pointless?: (examination: Examination) => string | undefined
  /** The signal aborts when time is up, or somebody wants to stop: what was begun must be undone then. */
  run(examination: Examination, signal: AbortSignal): Promise<readonly Finding[]>
}

/** The longest a check may take, milliseconds. */
export const CHECK_LIMIT_MS = 10_000
/** For undoing what was begun. */
const GRACE_MS = 2_000

const MISSING: Readonly<Record<keyof Slots, string>> = {
  address: 'the broker cannot be reached',
  way: 'no TLS connection to the broker comes about',
  broker: 'there is no connection to the broker',
  heard: 'the broker could not be asked',
  ownRoutes: 'the files of routes could not be read',
  credential: 'there is nothing to sign in to Snowflake with',
  reached: 'Snowflake cannot be reached',
  account: 'Snowflake could not be signed in to',
  role: 'it is not known which role streams, or it is PUBLIC',
  absentPipes: 'the pipes could not be asked',
  pipes: 'there is no pipe that can be streamed into',
  table: 'the table is not known',
  columns: 'the columns of the table are not known',
}

/** Begins each check as soon as those it needs have ended, and gives all of them in their order. None of the promises rejects. */
export function runChecks(checks: readonly Check[], examination: Examination): Promise<readonly Finding[]>[] {
  // Each waits for it.
  setMaxListeners(0, examination.stop)
  const ended = new Map<Check, Promise<readonly Finding[]>>()
  for (const check of checks) {
    const awaited = [...(check.needs ?? []), ...(check.after ?? [])]
    const before = [...ended].filter(([{ gives = [] }]) => gives.some((slot) => awaited.includes(slot)))
    ended.set(
      check,
      Promise.all(before.map(([, end]) => end)).then(() => runCheck(check, examination)),
    )
  }
  return [...ended.values()]
}

async function runCheck(check: Check, examination: Examination): Promise<readonly Finding[]> {
  const { id, side, needs = [] } = check
  if (side !== undefined && !examination.sides.has(side)) return [skipped(id, `this is no ${SIDE_NAMES[side]}`)]
  const missing = needs.find((slot) => examination.find(slot) === undefined)
  if (missing !== undefined) return [skipped(id, MISSING[missing])]
  if (examination.stop.aborted) return [skipped(id, 'stopped')]
  try {
    const pointless = check.pointless?.(examination)
    return pointless === undefined ? await limited(check, examination) : [skipped(id, pointless)]
  } catch (error) {
    return [failed(id, error)]
  }
}

const SIDE_NAMES: Readonly<Record<Side, string>> = { pi: 'Pi of the fleet', bridge: "bridge's machine" }

/** A check that hears that its time is up ends by itself; one that does not is left alone. */
async function limited(check: Check, examination: Examination): Promise<readonly Finding[]> {
  const { clock, stop } = examination
  const late = new AbortController()
  const signal = AbortSignal.any([late.signal, stop])
  const begun = check.run(examination, signal)
  const cancels: (() => void)[] = []
  const timeIsUp = new Promise<readonly Finding[]>((resolve) => {
    const giveUp = (finding: Finding) => {
      late.abort()
      cancels.push(clock.after(GRACE_MS, () => resolve([finding])))
    }
    cancels.push(clock.after(CHECK_LIMIT_MS, () => giveUp(tooSlow(check.id))))
    stop.addEventListener('abort', () => giveUp(skipped(check.id, 'stopped')), { once: true })
  })
  try {
    return await Promise.race([begun, timeIsUp])
  } catch (error) {
    if (stop.aborted) return [skipped(check.id, 'stopped')]
    if (late.signal.aborted) return [tooSlow(check.id)]
    throw error
  } finally {
    for (const cancel of cancels) cancel()
  }
}

function tooSlow(id: FindingId): Finding {
  const fix = 'run it again; if it stays so, whatever this asks is overloaded or the network drops packets'
  return { id, status: 'broken', what: `no answer within ${CHECK_LIMIT_MS / 1000} s`, fix }
}

function failed(id: FindingId, error: unknown): Finding {
  const fix = hintOf(error) ?? 'docs/errors.md; if it is not there, please report it'
  return { id, status: 'broken', what: messageOf(error), fix }
}
