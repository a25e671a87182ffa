import { extraKeysQuery, type Promotion, promotions } from '../../extra-keys/promotion.ts'
import type { Check } from '../check.ts'
import { type Finding, ok, skipped } from '../finding.ts'
import { rowsIfAllowed } from './signed-in.ts'

const NAMED = 5

/** A new key in readings is kept in `extra` at once; a column of its own is a matter of taste, so this is no trouble. */
export const extraKeysCheck: Check = {
  id: 'snowflake.extra',
  side: 'bridge',
  needs: ['account', 'table', 'columns'],
  async run(examination): Promise<Finding[]> {
    const account = examination.take('account')
    const { database, schema } = account.settings
    const name = { database, schema, table: `"${examination.take('table').plain.replaceAll('"', '""')}"` }
    const rows = await rowsIfAllowed(account, extraKeysQuery(name), examination.clock)
    if (rows === undefined)
      return [skipped('snowflake.extra', 'this role may not read the table, or has no warehouse for it')]
    const found = rows.map((row) => ({
      key: row.key ?? '',
      type: row.type ?? '',
      rows: Number(row.n ?? 0),
      example: row.example ?? null,
    }))
    const columns = examination.take('columns').map((column) => column.name)
    const all = promotions(found, name, columns)
    if (all.length === 0) return [ok('snowflake.extra', 'no reading has a key without a column')]
    return [
      ok('snowflake.extra', `in readings and without a column: ${described(all)}`, {
        why: 'nothing is lost: they are in the column extra',
        fix: `where one of them should be a column, run its statements; docs/snowflake.md says what follows${cautions(all)}`,
        sql: all.map(({ addColumn, moveRows }) => `${addColumn};\n${moveRows};`).join('\n'),
      }),
    ]
  },
}

function described(all: readonly Promotion[]): string {
  const named = all
    .slice(0, NAMED)
    .map(
      ({ key, rows, type, example }) =>
        `${key} (${rows} rows, ${type}${example === null ? '' : `, such as ${example}`})`,
    )
  return all.length > NAMED ? `${named.join(', ')} and ${all.length - NAMED} more` : named.join(', ')
}

function cautions(all: readonly Promotion[]): string {
  return all.flatMap(({ key, caution }) => (caution === undefined ? [] : [`; ${key}: ${caution}`])).join('')
}
