import { backoffMs } from '../../src/backoff.ts'
import type { Clock } from '../../src/clock.ts'
import type { Gate } from '../../src/gate.ts'
import { type Answer, codeOf } from '../snowpipe/answer.ts'
import type { ChannelPath, Snowpipe } from '../snowpipe/client.ts'
import type { FrozenBatch } from './batch.ts'
import type { Reopen } from './channel-news.ts'
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
}

/**
 * Tells that names, grants or credentials are wrong, and waits a while: the same bytes may be taken then. `mayBeTaken`:
 * an earlier attempt had no clear answer.
 */
export type Blocked = (answer: Answer, mayBeTaken: boolean) => Promise<void>

const RETRY = { firstMs: 500, maxMs: 30_000 }
/**
 * After this long without a clear answer the channel is opened anew; but not when Snowflake answers nobody: that would not
 * be answered either, and opening is slow for a fleet.
 */
const RETRY_BUDGET_MS = 60_000

/**
 * Sends the same bytes until the answer is clear. `undefined` when `signal` was aborted first. Never anything else
 * than these bytes: Snowflake throws different rows under a used token away, with 200 [observed].
 */
export async function appendBatch(
  batch: FrozenBatch,
  path: ChannelPath,
  deps: AppendDeps,
  blocked: Blocked,
  signal: AbortSignal,
): Promise<AppendEnd | undefined> {
  const { appends, clock, random, snowpipe, trouble } = deps
  const since = clock.monotonic()
  const { served } = trouble
  let mayBeTaken = false
  for (let attempt = 0; ; attempt++) {
    const outcome = await appends.pass(() => snowpipe.append(path, batch))
    if (signal.aborted) return undefined
    if (outcome.verdict === 'ok') return { kind: 'appended', continuationToken: outcome.value.continuationToken }
    const { answer } = outcome
    switch (outcome.verdict) {
      case 'split':
        return { kind: 'refused', answer }
      case 'unauthorized':
      case 'blocked':
        await blocked(answer, mayBeTaken)
        break
      case 'reopen':
      case 'uncommitted':
      case 'moved':
        return {
          kind: 'unclear',
          mayBeTaken: mayBeTaken || outcome.verdict !== 'reopen',
          cause: 'refused',
          reason: `${codeOf(answer)}: ${answer.message}`,
        }
      case 'retry':
        mayBeTaken = true
        if (clock.monotonic() - since > RETRY_BUDGET_MS && (answer.code !== '' || trouble.served > served))
          return {
            kind: 'unclear',
            mayBeTaken,
            cause: 'no_answer',
            reason: `no clear answer to an append for a minute: ${answer.message}`,
          }
        trouble.unavailable(path.channel, codeOf(answer), answer.message)
        if (answer.retryAfterMs === undefined) await trouble.rest(backoffMs(attempt, RETRY, random), clock, signal)
        else await clock.sleep(answer.retryAfterMs, signal).catch(() => undefined)
    }
    if (signal.aborted) return undefined
  }
}
