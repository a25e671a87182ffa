import type { SnowflakeSettings } from '../../bridge/config.ts'
import { accountHint } from '../../bridge/snowpipe/account.ts'
import { codeOf } from '../../bridge/snowpipe/answer.ts'
import { trySignIn } from '../../bridge/snowpipe/client.ts'
import { createIdentity } from '../../bridge/snowpipe/credentials.ts'
import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'

/** What came of signing in as the bridge does: the ingest host asked for, a key's JWT exchanged for a token. */
export type SignIn =
  | { readonly ok: true; readonly ingest: string; readonly clockSkewSeconds: number }
  /** `refused`: the credential is not taken (401); otherwise something else is wrong, or nobody answers. */
  | { readonly ok: false; readonly refused: boolean; readonly error: SnowhatError }

export async function signIn(settings: SnowflakeSettings, { clock, log }: { clock: Clock; log: Log }): Promise<SignIn> {
  const identity = createIdentity(settings, clock, log)
  const outcome = await trySignIn(settings, { clock, identity })
  if (outcome.verdict === 'ok') {
    const { ingest } = outcome.value
    return { ok: true, ingest: new URL(ingest).host, clockSkewSeconds: Math.round(identity.clockSkewMs / 1000) }
  }
  const { answer, verdict } = outcome
  const where = settings.url !== '' ? settings.url : settings.account
  const error =
    verdict === 'retry'
      ? new SnowhatError('E_SIGN_IN', `${where} gives no answer: ${answer.message || codeOf(answer)}`, {
          retryable: true,
          hint: `is the network there, and the account right? ${accountHint(settings.account)}`,
        })
      : new SnowhatError('E_SIGN_IN', `${where} refuses ${settings.user}: ${answer.message} (${codeOf(answer)})`, {
          hint: answer.hint ?? identity.hint,
        })
  return { ok: false, refused: verdict === 'unauthorized', error }
}
