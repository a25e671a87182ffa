import type { SnowflakeSettings } from '../../../bridge/config.ts'
import { resolveSnowflake } from '../../../bridge/snowflake-target.ts'
import { accountHint, accountHost, accountInJwt } from '../../../bridge/snowpipe/account.ts'
import {
  type CredentialKind,
  createIdentity,
  credentialKindOf,
  isEmulator,
} from '../../../bridge/snowpipe/credentials.ts'
import { type PrivateKey, readPrivateKey } from '../../../bridge/snowpipe/sign-in/private-key.ts'
import { hintOf, messageOf } from '../../../src/errors.ts'
import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import { broken, type Finding, type FindingId, ok, warn } from '../finding.ts'

/** What there is to sign in with. */
export interface CredentialInHand {
  readonly settings: SnowflakeSettings
  readonly kind: CredentialKind
  /** `undefined` for a token, and for an emulator that takes any key. */
  readonly key: PrivateKey | undefined
}

const SOON_MS = 14 * 86_400_000

/** Form, strength and fingerprint of the key; the end of a token. */
export const credentialCheck: Check = {
  id: 'snowflake.key',
  side: 'bridge',
  gives: ['credential'],
  async run(examination) {
    let settings: SnowflakeSettings
    try {
      settings = resolveSnowflake(examination.settings.snowflake)
    } catch (error) {
      return [notUsable('snowflake.account', error)]
    }
    try {
      const kind = credentialKindOf(settings)
      const key =
        kind === 'private_key' && settings.private_key !== ''
          ? readPrivateKey(settings.private_key, settings.private_key_passphrase)
          : undefined
      const finding = key === undefined ? tokenFinding(settings, kind, examination) : keyFinding(key)
      examination.give('credential', { settings, kind, key })
      return [finding]
    } catch (error) {
      return [notUsable('snowflake.key', error)]
    }
  },
}

function notUsable(id: FindingId, error: unknown): Finding {
  return broken(id, messageOf(error), { fix: hintOf(error) ?? 'docs/keys.md' })
}

function keyFinding({ form, bits, fingerprint }: PrivateKey): Finding {
  return ok('snowflake.key', `${form}, RSA with ${bits} bits, ${fingerprint}`)
}

/** Throws what a credential that cannot be used throws. */
function tokenFinding(settings: SnowflakeSettings, kind: CredentialKind, { clock }: Examination): Finding {
  const { expiresAt } = createIdentity(settings, clock)
  if (kind === 'private_key' && isEmulator(settings))
    return ok('snowflake.key', 'no key is set; an emulator takes any until one is registered')
  const name = kind === 'pat' ? 'a programmatic access token' : 'an OAuth access token'
  if (expiresAt === null) return ok('snowflake.key', `${name}, which does not say when it ends`)
  const end = new Date(expiresAt).toISOString()
  if (expiresAt <= clock.now())
    return broken('snowflake.key', `${name} that has expired: ${end}`, {
      fix: 'make a new one and write it into its file; snowflake.sign-in has the statement',
    })
  if (kind === 'oauth_token' || expiresAt - clock.now() >= SOON_MS) return ok('snowflake.key', `${name}, until ${end}`)
  return warn('snowflake.key', `${name}, until ${end}`, {
    why: 'that is less than two weeks',
    fix: 'make the next one in time; the bridge reads its file again',
  })
}

/** What the account identifier was taken for. Whether that is right shows when it is used. */
export const accountCheck: Check = {
  id: 'snowflake.account',
  side: 'bridge',
  needs: ['credential'],
  async run(examination) {
    const { account: given } = examination.settings.snowflake
    const { account, url } = examination.take('credential').settings
    const host = url !== '' ? new URL(url).host : accountHost(account)
    const from = given === '' || given === account ? account : `${given} is ${account}`
    return [
      ok('snowflake.account', `${from}: host ${host}, ${accountInJwt(account)} in the JWT`, {
        why: accountHint(account),
      }),
    ]
  },
}
