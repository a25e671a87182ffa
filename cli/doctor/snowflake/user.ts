import { messageOf } from '../../../src/errors.ts'
import { describeUser, SLOTS, userName } from '../../keys/alter-user.ts'
import { slotOf, slotsIn } from '../../keys/slots.ts'
import type { Check } from '../check.ts'
import { broken, type Finding, ok, skipped, warn } from '../finding.ts'
import { roleName } from './pipe.ts'
import { rowsIfAllowed, rowsOf, type SignedIn } from './signed-in.ts'

/** The user as Snowflake describes it to itself, where it may ask. */
export const userCheck: Check = {
  id: 'snowflake.user',
  side: 'bridge',
  needs: ['credential', 'account'],
  gives: ['role'],
  async run(examination): Promise<Finding[]> {
    const { key } = examination.take('credential')
    const account = examination.take('account')
    const { clock } = examination
    const user = userName(account.settings.user)
    const asked = await rowsOf(account, 'SELECT CURRENT_ROLE() AS ROLE', clock).catch((error: unknown) =>
      messageOf(error),
    )
    // As a role that the user was not given nothing may be asked [documented]; its words: [assumed, from the drivers].
    if (typeof asked === 'string' && account.settings.role !== '' && /\brole\b/i.test(asked))
      return [notGiven(user, account, asked)]
    const [current] = typeof asked === 'string' ? [] : asked
    if (current?.role === 'PUBLIC') return [onlyPublic(user, account)]
    if (current?.role) examination.give('role', current.role)
    const power = current?.role === 'ACCOUNTADMIN' ? [mayEverything(user)] : []
    const rows = await rowsIfAllowed(account, describeUser(account.settings.user), clock)
    if (rows === undefined) return [...power, skipped('snowflake.user', 'this role may not ask DESC USER')]
    const role = rows.find(({ property }) => property?.toUpperCase() === 'DEFAULT_ROLE')?.value ?? null
    const isUnset = role === null || role === '' || role === 'null'
    const slots = key && slotsIn(rows.map(({ property, value }) => [property ?? '', value ?? null]))
    const slot = key && slots && slotOf(key.fingerprint, slots)
    const used = slots?.known ? SLOTS.filter((one) => slots.fingerprints[one] !== null) : []
    const others = used.filter((one) => one !== slot)
    const keys =
      slot === undefined
        ? ''
        : `; this key is ${slot}${others.length > 0 ? `, ${others.join(' and ')} is another` : ''}`
    return [...power, ok('snowflake.user', `${user}, default role ${isUnset ? 'none' : role}${keys}`)]
  },
}

function mayEverything(user: string): Finding {
  return warn('snowflake.user', `${user} streams as ACCOUNTADMIN, which may do everything`, {
    why: 'whoever gets hold of the credential then has the account',
    fix: 'make a role that may stream and no more: snowhat setup-sql prints it',
  })
}

function onlyPublic(user: string, { settings }: SignedIn): Finding {
  const role = roleName(settings)
  return broken('snowflake.user', `${user} has no default role, and none is configured: rows go as PUBLIC`, {
    why: 'that is what everybody in the account may do, as a rule nothing; grant nothing to it',
    fix: 'give the user the role and make it the default, or set SNOWHAT_SNOWFLAKE_ROLE',
    sql: `GRANT ROLE ${role} TO USER ${user};\nALTER USER ${user} SET DEFAULT_ROLE = ${role};`,
  })
}

function notGiven(user: string, { settings }: SignedIn, said: string): Finding {
  const role = roleName(settings)
  return broken('snowflake.user', `nothing can be asked as the role ${role} (SNOWHAT_SNOWFLAKE_ROLE)`, {
    why: `${said}: there is no such role, or ${user} was not given it`,
    fix: `correct the setting, or leave it empty for the user's default role; where it is right, run the statement as SECURITYADMIN`,
    sql: `GRANT ROLE ${role} TO USER ${user};`,
  })
}
