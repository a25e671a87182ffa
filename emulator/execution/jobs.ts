import type { Job } from '../catalog.ts'
import { type ObjectName, qualified } from '../names.ts'
import { duckDbText } from '../query-text.ts'
import { noSuch, unsupported } from '../sql-refusal.ts'
import { statementsOf } from '../statement-text.ts'
import type { Definition } from '../statements/definition.ts'
import { propertyText } from '../statements/properties.ts'
import { definitionOf } from '../statements/read.ts'
import type { Circumstances, Ground, Outcome } from './ground.ts'

type RowsChange = Extract<Definition, { kind: 'change-rows' }>

export function jobOf(definition: Extract<Definition, { kind: 'job' }>): Job {
  const { action, condition, name, properties, what } = definition
  return {
    what,
    name,
    condition,
    action,
    schedule: propertyText(properties, 'SCHEDULE') ?? '',
    warehouse: (propertyText(properties, 'WAREHOUSE') ?? '').toUpperCase(),
    on: false,
  }
}

/**
 * EXECUTE TASK, EXECUTE ALERT: the emulator has no clockwork for them, somebody must say so. The condition is asked first;
 * then the statement runs, if it is one that changes rows.
 */
export async function runJob(
  ground: Ground,
  what: Job['what'],
  name: ObjectName,
  around: Circumstances,
): Promise<Outcome> {
  const job = ground.account.catalog.job(what, name)
  if (job === undefined) throw noSuch(what, qualified(name))
  const within = { ...around, database: name.database, schema: name.schema }
  const context = { warehouse: ground.warehouse, account: ground.account, ...within }
  if (job.condition !== undefined) {
    const [query] = statementsOf(job.condition)
    const found = await ground.warehouse.read(
      `SELECT 1 FROM (${duckDbText(query?.tokens ?? [], context)}) LIMIT 1`,
      within,
    )
    if (found.currentRowCount === 0) return 'The condition is not met: nothing was done.'
  }
  const [statement] = statementsOf(job.action)
  const definition = statement && definitionOf(statement, { database: name.database, schema: name.schema })
  if (definition?.kind !== 'change-rows') throw unsupported(`the emulator cannot run ${job.action.slice(0, 40)}`)
  return changeRows(ground, definition, within)
}

/** Columns of the answer, as Snowflake names them [documented]. */
const COUNTS: Readonly<Record<RowsChange['verb'], readonly string[]>> = {
  INSERT: ['number of rows inserted'],
  UPDATE: ['number of rows updated', 'number of multi-joined rows updated'],
  DELETE: ['number of rows deleted'],
  TRUNCATE: ['status'],
}

export async function changeRows(
  ground: Ground,
  { name, tokens, verb }: RowsChange,
  around: Circumstances,
): Promise<Outcome> {
  const { account, exclusively, warehouse } = ground
  if (account.catalog.table(name) === undefined) throw noSuch('TABLE', qualified(name))
  const context = { warehouse, account, ...around }
  const sql = verb === 'TRUNCATE' ? `DELETE FROM ${warehouse.at(name)}` : duckDbText(tokens, context)
  const changed = await exclusively(() => warehouse.change(sql, around))
  if (verb === 'TRUNCATE') return 'Statement executed successfully.'
  const columns = COUNTS[verb]
  return { columns, rows: [columns.map((_, i) => String(i === 0 ? changed : 0))] }
}
