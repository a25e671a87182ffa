import { backoffMs } from '../../src/backoff.ts'
import type { Clock } from '../../src/clock.ts'
import type { Gate } from '../../src/gate.ts'
import type { StopSignal } from '../../src/stop.ts'
import { type Answer, codeOf } from '../snowpipe/answer.ts'
import type { ChannelPath, Snowpipe } from '../snowpipe/client.ts'
import { concernOf } from '../snowpipe/verdict.ts'
import type { AppendPace } from './append-pace.ts'
import type { FrozenBatch } from './batch.ts'
import type { Reopen } from './channel-news.ts'
import type { Call } from './roadblock.ts'
import type { Roadblocks } from './roadblocks.ts'
import type { Trouble } from './trouble.ts'

/** How an append ended. */
export type AppendEnd =
  | { readonly kind: 'appended'; readonly continuationToken: string }
  /** The server did not take the batch at all, and will not take it in one piece. */
  | { readonly kind: 'refused'; readonly answer: Answer }
  /** The batch's fate can only be learned by opening the channel anew. */
  | ({
      readonly kind: 'unclear' /** Not refused each time: the rows may be in the table. */
      readonly mayBeTaken: boolean
    } & Reopen)

export interface AppendDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly snowpipe: Snowpipe
  readonly appends: Gate
  readonly trouble: Trouble
  readonly roadblocks: Roadblocks
}

/**
 * Tells that names, grants or credentials are wrong, and waits as `wait` does: the same bytes may be taken then. `mayBeTaken`:
 * an earlier attempt had no clear answer.
 */
export type Blocked = (answer: Answer, mayBeTaken: boolean, wait: () => Promise<void>) => Promise<void>

/** Comes with 429, and is the same without [observed]. */
const THROTTLED = '390701'
const RETRY = { firstMs: 500, maxMs: 30_000 }
/**
 * After this long without a clear answer the channel is opened anew; but not when Snowflake answers nobody: that would not
 * be answered either, and opening is slow for a fleet.
 */
const RETRY_BUDGET_MS = 60_000

/**
 * Sends the same bytes until the answer is clear. `undefined` when `signal` was aborted first, or there was nothing to freeze.
 * Never anything else than these bytes: Snowflake throws different rows under a used token away, with 200 [observed].
 *
 * `freeze` is asked when it is the batch's turn for the first time: thousands of lanes may be due at once, and a batch that
 * is frozen takes memory.
 */
export async function appendBatch(
  freeze: () => Promise<FrozenBatch | undefined>,
  path: ChannelPath,
  deps: AppendDeps,
  pace: AppendPace,
  blocked: Blocked,
  signal: StopSignal,
): Promise<AppendEnd | undefined> {
  const { appends, clock, random, roadblocks, snowpipe, trouble } = deps
  const call: Call = { device: path.channel, pipe: path.pipe, operation: 'append' }
  const { served } = trouble
  const isOverdue = (since: number | undefined) => since !== undefined && clock.monotonic() - since > RETRY_BUDGET_MS
  /** Not since it was frozen: it may have stood at a roadblock for days. */
  let unclearSince: number | undefined
  let mayBeTaken = false
  let batch: FrozenBatch | undefined
  for (let attempt = 0; ; attempt++) {
    // Looked at when it is its turn: many may wait for that when the first of them is refused.
    const outcome = await appends.pass(async () => {
      if (roadblocks.ahead(call) !== undefined || signal.aborted) return undefined
      batch ??= await freeze()
      return batch && snowpipe.append(path, batch)
    })
    if (signal.aborted) return undefined
    if (outcome === undefined) {
      const ahead = roadblocks.ahead(call)
      if (ahead === undefined && batch === undefined) return undefined
      if (ahead !== undefined) await blocked(ahead, mayBeTaken, () => roadblocks.wait(call, signal))
      if (signal.aborted) return undefined
      continue
    }
    const { verdict } = outcome
    if (verdict !== 'retry' && verdict !== 'blocked' && verdict !== 'unauthorized') roadblocks.passed(call)
    if (outcome.verdict === 'ok') {
      pace.taken()
      return { kind: 'appended', continuationToken: outcome.value.continuationToken }
    }
    const { answer } = outcome
    const reason = `${codeOf(answer)}: ${answer.message}`
    switch (outcome.verdict) {
      case 'split':
        return { kind: 'refused', answer }
      case 'unauthorized':
      case 'blocked':
        await blocked(answer, mayBeTaken, () =>
          roadblocks.refused(call, concernOf(outcome.verdict, answer), answer, signal),
        )
        break
      case 'reopen':
        return { kind: 'unclear', mayBeTaken, cause: 'refused', reason }
      case 'uncommitted':
        return { kind: 'unclear', mayBeTaken: true, cause: 'refused', reason }
      case 'reopen_once':
        return { kind: 'unclear', mayBeTaken: true, cause: 'refused', reason, conflict: answer }
      case 'moved':
        return { kind: 'unclear', mayBeTaken: true, cause: 'moved', reason }
      case 'retry':
        mayBeTaken = true
        // To be asked for less is clear, and no reason to ask for more.
        if (isThrottling(answer)) pace.throttled()
        else unclearSince ??= clock.monotonic()
        if (isOverdue(unclearSince) && !isThrottling(answer) && (answer.code !== '' || trouble.served > served))
          return {
            kind: 'unclear',
            mayBeTaken,
            cause: 'no_answer',
            reason: `no clear answer to an append for a minute: ${answer.message}`,
          }
        trouble.unavailable(path.channel, codeOf(answer), answer.message, answer.requestId)
        if (answer.retryAfterMs === undefined)
          await trouble.rest(Math.max(pace.spacingMs, backoffMs(attempt, RETRY, random)), clock, signal)
        else await clock.sleep(answer.retryAfterMs, signal).catch(() => undefined)
    }
    if (signal.aborted) return undefined
  }
}

function isThrottling({ code, status }: Answer): boolean {
  return status === 429 || code === THROTTLED
}
