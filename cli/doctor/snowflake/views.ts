import { counted } from '../../../src/counted.ts'
import { identifier } from '../../setup-sql/identifier.ts'
import type { Check } from '../check.ts'
import { broken, type Finding, ok, skipped, warn } from '../finding.ts'
import { rowsIfAllowed } from './signed-in.ts'

const VIEWS = ['SENSEHAT_GAPS', 'SENSEHAT_DUPLICATES'] as const

/** The views are there, and say that nothing is missing and nothing is there twice. */
export const viewsCheck: Check = {
  id: 'snowflake.views',
  side: 'bridge',
  needs: ['account', 'pipes'],
  async run(examination): Promise<Finding[]> {
    const account = examination.take('account')
    const { clock } = examination
    const schema = `${identifier(account.settings.database)}.${identifier(account.settings.schema)}`
    const shown = await rowsIfAllowed(account, `SHOW VIEWS IN SCHEMA ${schema}`, clock)
    if (shown === undefined) return [skipped('snowflake.views', 'this role may not ask SHOW VIEWS')]
    const names = new Set(shown.map(({ name }) => name?.toUpperCase()))
    const missing = VIEWS.filter((view) => !names.has(view))
    if (missing.length > 0)
      return [
        warn('snowflake.views', `the role sees no ${missing.join(' and no ')} in ${schema}`, {
          why: 'they prove that no reading is missing and none is there twice; streaming does without them',
          fix: 'run what snowhat setup-sql --views prints: it makes the views, and lets the role read them; no reading is touched',
        }),
      ]
    const [gaps, twice] = await Promise.all([
      rowsIfAllowed(
        account,
        `SELECT COALESCE(SUM(missing), 0) AS N FROM ${schema}.SENSEHAT_GAPS WHERE NOT declared`,
        clock,
      ),
      rowsIfAllowed(account, `SELECT COUNT(*) AS N FROM ${schema}.SENSEHAT_DUPLICATES`, clock),
    ])
    const there = ok('snowflake.views', `${VIEWS.join(' and ')} are there`)
    if (gaps === undefined || twice === undefined)
      return [there, skipped('snowflake.gaps', 'this role may not read the views, or has no warehouse for it')]
    const counts = [Number(gaps[0]?.n ?? 0), Number(twice[0]?.n ?? 0)] as const
    if (counts[0] === 0 && counts[1] === 0)
      return [there, ok('snowflake.gaps', 'no reading is missing in the table, and none is there twice')]
    return [
      there,
      broken(
        'snowflake.gaps',
        `${counted(counts[0], 'reading')} missing and not declared, ${counted(counts[1], 'reading')} there more than once`,
        {
          why: `${schema}.SENSEHAT_GAPS and SENSEHAT_DUPLICATES say so`,
          fix: 'snowhat ledger shows which are still under way; docs/guarantees.md says what may lose or repeat a reading, and what to do',
        },
      ),
    ]
  },
}
