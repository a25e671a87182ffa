import { resolveSnowflake } from '../../bridge/snowflake-target.ts'
import { accountHost, accountInJwt, userInJwt } from '../../bridge/snowpipe/account.ts'
import { createIdentity, credentialKindOf } from '../../bridge/snowpipe/credentials.ts'
import { type PrivateKey, readPrivateKey } from '../../bridge/snowpipe/sign-in/private-key.ts'
import type { Invocation } from '../command.ts'
import { SLOTS } from './alter-user.ts'
import { othersMayRead } from './key-file.ts'
import { signIn } from './sign-in.ts'
import { askSlots, type Slots, slotOf } from './slots.ts'
import { table } from './words.ts'

/** `snowhat keys check`: signs in for real. 0 when that works; throws `E_SIGN_IN` when it does not, with `--json` prints why. */
export async function check({ settings, flags, clock, log, print }: Invocation): Promise<number> {
  const snowflake = resolveSnowflake(settings.snowflake)
  const kind = credentialKindOf(snowflake)
  const key =
    kind === 'private_key' && snowflake.private_key !== ''
      ? readPrivateKey(snowflake.private_key, snowflake.private_key_passphrase)
      : undefined
  const account = {
    host: snowflake.url !== '' ? new URL(snowflake.url).host : accountHost(snowflake.account),
    account_in_jwt: accountInJwt(snowflake.account),
    user: userInJwt(snowflake.user),
  }
  const result = await signIn(snowflake, { clock, log })
  if (!result.ok) {
    if (flags.json !== true) throw result.error
    const { message, hint } = result.error
    print(JSON.stringify({ ok: false, kind, ...account, fingerprint: key?.fingerprint ?? null, message, hint }))
    return 1
  }
  const slots = key === undefined ? undefined : await askSlots(snowflake, { clock, log })
  const { expiresAt } = createIdentity(snowflake, clock)
  const expires_at = expiresAt === null ? null : new Date(expiresAt).toISOString()
  if (flags.json === true) {
    print(
      JSON.stringify({
        ok: true,
        kind,
        ...account,
        ingest_host: result.ingest,
        fingerprint: key?.fingerprint ?? null,
        slot: (key && slots && slotOf(key.fingerprint, slots)) ?? null,
        slots: slots?.known === true ? slots.fingerprints : null,
        expires_at,
        clock_skew_seconds: result.clockSkewSeconds,
      }),
    )
    return 0
  }
  table(print, {
    account: `${account.host}; ${account.account_in_jwt} in the JWT`,
    user: account.user,
    ...(key !== undefined && { key: `${key.fingerprint}, ${key.form}, RSA with ${key.bits} bits` }),
    ...((await othersMayRead(snowflake[`${kind}_file`])) && {
      note: `others may read ${snowflake[`${kind}_file`]}: chmod 600, or as its reader needs it`,
    }),
    ...(kind !== 'private_key' && { token: expires_at === null ? 'does not say when it ends' : `ends ${expires_at}` }),
    'ingest host': result.ingest,
    ...(slots !== undefined && key !== undefined && { 'key slots': slotWords(key, slots) }),
    ...(result.clockSkewSeconds !== 0 && {
      clock: `wrong: Snowflake's is ${result.clockSkewSeconds} s ahead of this machine's. The bridge corrects that; set it nevertheless`,
    }),
  })
  print('')
  print('It signs in.')
  return 0
}

function slotWords(key: PrivateKey, slots: Slots): string {
  if (!slots.known) return `not compared: ${slots.reason}`
  return SLOTS.map((slot) => {
    const fingerprint = slots.fingerprints[slot]
    if (fingerprint === null) return `${slot} is empty`
    return fingerprint === key.fingerprint ? `${slot} has this key` : `${slot} has another key, ${fingerprint}`
  }).join('; ')
}
