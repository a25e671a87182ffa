import { silentLog } from '../../../src/log.ts'
import { SLOTS } from '../../keys/alter-user.ts'
import { askSlots, slotOf } from '../../keys/slots.ts'
import { identifier } from '../../setup-sql/identifier.ts'
import type { Check } from '../check.ts'
import { type Finding, ok, skipped, warn } from '../finding.ts'
import { rowsIfAllowed } from './signed-in.ts'

/** The user as Snowflake describes it to itself, where it may ask. */
export const userCheck: Check = {
  id: 'snowflake.user',
  side: 'bridge',
  needs: ['credential', 'account'],
  async run(examination): Promise<Finding[]> {
    const { key } = examination.take('credential')
    const account = examination.take('account')
    const { clock } = examination
    const user = identifier(account.settings.user)
    const rows = await rowsIfAllowed(account, `DESC USER ${user}`, clock)
    if (rows === undefined) return [skipped('snowflake.user', 'this role may not ask DESC USER')]
    const role = rows.find(({ property }) => property?.toUpperCase() === 'DEFAULT_ROLE')?.value ?? null
    const isUnset = role === null || role === '' || role === 'null'
    const findings: Finding[] = []
    if (isUnset && account.settings.role === '')
      findings.push(
        warn('snowflake.user', `${user} has no default role, and none is configured`, {
          why: 'rows go with the rights of PUBLIC, which as a rule has none',
          fix: 'give the user a default role, or set SNOWHAT_SNOWFLAKE_ROLE',
          sql: `ALTER USER ${user} SET DEFAULT_ROLE = SENSEHAT_STREAMING_ROLE;`,
        }),
      )
    const slots = key === undefined ? undefined : await askSlots(account.settings, { clock, log: silentLog() })
    const slot = key && slots && slotOf(key.fingerprint, slots)
    const used = slots?.known ? SLOTS.filter((one) => slots.fingerprints[one] !== null) : []
    const keys = slot === undefined ? '' : `; this key is ${slot} of ${used.join(' and ')}`
    findings.push(ok('snowflake.user', `${user}, default role ${isUnset ? 'none' : role}${keys}`))
    return findings
  },
}
