import type { SnowflakeSettings } from '../../../bridge/config.ts'
import { accountInJwt } from '../../../bridge/snowpipe/account.ts'
import { type Answer, codeOf } from '../../../bridge/snowpipe/answer.ts'
import { connectSnowpipe, trySignIn } from '../../../bridge/snowpipe/client.ts'
import { createIdentity } from '../../../bridge/snowpipe/credentials.ts'
import { setKey, userName } from '../../keys/alter-user.ts'
import { identifier } from '../../setup-sql/identifier.ts'
import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import { broken, type Finding, ok } from '../finding.ts'
import { otherAccounts } from './account-forms.ts'
import type { CredentialInHand } from './credential.ts'

/** Signs in as the bridge does: the host for rows, and a token for it. Tries the other forms of the account as a person would. */
export const accountSignInCheck: Check = {
  id: 'snowflake.sign-in',
  side: 'bridge',
  needs: ['credential', 'reached'],
  gives: ['account'],
  async run(examination): Promise<Finding[]> {
    const hand = examination.take('credential')
    const first = await attempt(hand.settings, examination)
    if (first.ingest !== undefined) return [welcome(hand, first.ingest)]
    const { answer } = first
    if (answer.status === 401 && hand.kind === 'private_key') {
      for (const { account, inJwt } of otherAccounts(examination.settings.snowflake)) {
        const other = await attempt({ ...hand.settings, account }, examination)
        if (other.ingest === undefined) continue
        const was = accountInJwt(hand.settings.account)
        return [
          broken(
            'snowflake.account',
            `${examination.settings.snowflake.account} is taken for ${was}, and the account is ${inJwt}`,
            {
              why: `Snowflake refuses ${was} and takes ${inJwt}; what follows was looked at with that`,
              fix: `set SNOWHAT_SNOWFLAKE_ACCOUNT (snowflake.account) to ${account}`,
            },
          ),
          welcome(hand, other.ingest),
        ]
      }
    }
    return [refused(hand, answer, examination)]
  },
}

type Attempt = { readonly ingest: string } | { readonly ingest?: undefined; readonly answer: Answer }

async function attempt(settings: SnowflakeSettings, examination: Examination): Promise<Attempt> {
  const { clock } = examination
  const identity = createIdentity(settings, clock)
  const outcome = await trySignIn(settings, { clock, identity })
  if (outcome.verdict !== 'ok') return { answer: outcome.answer }
  const snowpipe = connectSnowpipe(settings, { clock, identity })
  examination.give('account', { settings, identity, snowpipe })
  examination.atEnd(() => snowpipe.close())
  return { ingest: new URL(outcome.value.ingest).host }
}

function welcome({ settings, kind }: CredentialInHand, ingest: string): Finding {
  const role = settings.role === '' ? 'the default role' : settings.role
  const how = kind === 'private_key' ? `as ${settings.user} with a key, and given a token for ${role}` : 'with a token'
  return ok('snowflake.sign-in', `signed in ${how}; rows go to ${ingest}`)
}

function refused(hand: CredentialInHand, answer: Answer, examination: Examination): Finding {
  const { settings, kind, key } = hand
  const said = `${answer.message} (${codeOf(answer)})`
  if (answer.status === undefined || (answer.status !== 401 && answer.status !== 403))
    return broken('snowflake.sign-in', `Snowflake gives no token: ${said}`, {
      fix:
        answer.status === 404
          ? 'is the account right (snowflake.account)?'
          : 'try again; status.snowflake.com says whether it is Snowflake',
    })
  if (answer.status === 403)
    return broken('snowflake.sign-in', `Snowflake does not let this address in: ${said}`, {
      fix: "let a network policy of the user allow this machine's address: snowhat setup-sql prints one",
    })
  const user = userName(settings.user)
  if (kind === 'pat')
    return broken('snowflake.sign-in', `Snowflake does not take the programmatic access token: ${said}`, {
      why: 'it has expired, was disabled or removed, or belongs to another account',
      fix: `make a new one, as a role that may, and write what it prints into ${settings.pat_file || 'the file of SNOWHAT_SNOWFLAKE_PAT_FILE'}; SHOW USER PROGRAMMATIC ACCESS TOKENS FOR USER ${user} lists the old ones`,
      sql: newToken(user, settings.role, examination),
    })
  if (kind === 'oauth_token' || key === undefined)
    return broken('snowflake.sign-in', `Snowflake does not take the credential: ${said}`, {
      fix: 'whoever renews the access token must write it into its file; with a key, SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE must name the registered one',
    })
  if (/\bdisabled\b/i.test(answer.message))
    return broken('snowflake.sign-in', `Snowflake does not let ${settings.user} in: ${said}`, {
      fix: 'run the statement, or ask whoever has disabled the user',
      sql: `ALTER USER ${user} SET DISABLED = FALSE;`,
    })
  const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(answer.message)?.[0]
  const more =
    uuid === undefined ? '' : `; SELECT SYSTEM$GET_LOGIN_FAILURE_DETAILS('${uuid}') says more, to an ACCOUNTADMIN`
  return broken('snowflake.sign-in', `Snowflake does not take the key for ${settings.user}: ${said}`, {
    why: `the user has another key than ${key.fingerprint}, or is disabled, or there is none of that name in ${accountInJwt(settings.account)}`,
    fix: `compare it with RSA_PUBLIC_KEY_FP in DESC USER ${user}; to give the user this key run the statement (RSA_PUBLIC_KEY_2 instead, when another program signs in with the first)${more}`,
    sql: setKey(settings.user, 'RSA_PUBLIC_KEY', key.publicKey),
  })
}

/** A name that is new on this day; the restriction is what a service user needs [documented]. */
function newToken(user: string, role: string, { clock }: Examination): string {
  const day = new Date(clock.now()).toISOString().replace(/\D/g, '').slice(0, 12)
  const restriction = identifier(role === '' ? 'SENSEHAT_STREAMING_ROLE' : role)
  return `ALTER USER ${user} ADD PROGRAMMATIC ACCESS TOKEN SNOWHAT_${day} ROLE_RESTRICTION = '${restriction.replaceAll("'", "''")}' DAYS_TO_EXPIRY = 90;`
}
