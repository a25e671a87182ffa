import { counted } from '../../../src/counted.ts'
import { identifier } from '../../setup-sql/identifier.ts'
import type { Check } from '../check.ts'
import { type Finding, ok, skipped, warn } from '../finding.ts'
import { pipeName, roleName } from './pipe.ts'
import { rowsIfAllowed } from './signed-in.ts'

/** Whether rows that cannot be stored are kept with their text. */
const errorTableCheck: Check = {
  id: 'snowflake.error-table',
  side: 'bridge',
  needs: ['account', 'table'],
  async run(examination): Promise<Finding[]> {
    const account = examination.take('account')
    const { clock } = examination
    const { database, schema } = account.settings
    const table = examination.take('table')
    const parameters = await rowsIfAllowed(
      account,
      `SHOW PARAMETERS LIKE 'ERROR_LOGGING' IN TABLE ${table.name}`,
      clock,
    )
    const shown = await rowsIfAllowed(
      account,
      `SHOW TABLES LIKE '${table.plain.replaceAll("'", "''")}' IN SCHEMA ${identifier(database)}.${identifier(schema)}`,
      clock,
    )
    const value = shown?.[0]?.error_logging ?? parameters?.[0]?.value
    if (value === undefined || value === null)
      return [skipped('snowflake.error-table', 'this account does not show whether error logging is on')]
    if (/^(on|true|y|yes)$/i.test(value))
      return [ok('snowflake.error-table', `rows that cannot be stored are kept: ERROR_TABLE(${table.name})`)]
    return [
      warn('snowflake.error-table', 'rows that Snowflake cannot store are not kept', {
        why: 'they are counted, and their text is gone',
        fix: 'switch error logging on; it costs the storage of such rows alone',
        sql: `ALTER TABLE ${table.name} SET ERROR_LOGGING = TRUE;\nGRANT SELECT ERROR TABLE ON TABLE ${table.name} TO ROLE ${roleName(account.settings)};`,
      }),
    ]
  },
}

/** Counters of channels are for their life; the bridge tells what is new. */
const rowErrorsCheck: Check = {
  id: 'snowflake.row-errors',
  side: 'bridge',
  needs: ['pipes', 'table'],
  async run(examination) {
    const pipes = examination.take('pipes')
    const channels = pipes.flatMap(({ channels }) => [...channels])
    if (channels.length === 0) return [skipped('snowflake.row-errors', 'no channel of a known device is there')]
    const bad = channels.filter(([, { rowsErrorCount }]) => rowsErrorCount > 0)
    if (bad.length === 0)
      return [ok('snowflake.row-errors', `no row of ${counted(channels.length, 'channel')} was refused`)]
    const rows = bad.reduce((sum, [, { rowsErrorCount }]) => sum + rowsErrorCount, 0)
    const { name } = examination.take('table')
    const [device, { lastErrorMessage }] = bad[0] as (typeof bad)[number]
    return [
      warn(
        'snowflake.row-errors',
        `Snowflake could not store ${counted(rows, 'row')} of ${bad
          .map(([one]) => one)
          .slice(0, 5)
          .join(', ')} since their channels are there`,
        {
          why: `the last of ${device}: ${lastErrorMessage ?? 'it does not say'}`,
          fix: `SELECT * FROM ERROR_TABLE(${name}) ORDER BY timestamp DESC shows them with their text; channels are in ${pipes.map(({ path }) => pipeName(path)).join(', ')}`,
        },
      ),
    ]
  },
}

export const rowErrorChecks: readonly Check[] = [errorTableCheck, rowErrorsCheck]
