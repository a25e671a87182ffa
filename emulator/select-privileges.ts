import type { Account, Session } from './access/session.ts'
import { duckDbSchema, qualified } from './names.ts'
import { sqlRefusal } from './sql-refusal.ts'
import type { Warehouse } from './warehouse.ts'

/** A table or view that a query reads, by its parts in DuckDB; without a schema it is that of the request. */
export type ReadName = readonly string[]

/**
 * Reading needs USAGE on database and schema and SELECT on what the query names; a view reads with the rights of its owner
 * [documented]. The words do not tell what is not there from what one may not see [documented].
 */
export function requireSelect(
  names: readonly ReadName[],
  { database, schema, session }: { database: string; schema: string; session: Session },
  { catalog }: Account,
  warehouse: Warehouse,
): void {
  const objects = (['TABLE', 'VIEW'] as const).flatMap((kind) => catalog.records(kind))
  const here = duckDbSchema(warehouse.database, database, schema)
  for (const [name = '', inSchema = here] of names.map((parts) => [...parts].reverse())) {
    const found = objects.find((record) => record.name !== undefined && isAt(record.name, inSchema, name, warehouse))
    if (found?.name === undefined) continue
    const { kind, key, name: object } = found
    const mayRead =
      session.has('DATABASE', object.database, 'USAGE') &&
      session.has('SCHEMA', `${object.database}.${object.schema}`, 'USAGE') &&
      session.has(kind, key, 'SELECT')
    if (!mayRead)
      throw sqlRefusal(
        '002003',
        '42S02',
        `SQL compilation error: Object '${qualified(object)}' does not exist or not authorized.`,
      )
  }
}

function isAt(
  object: { database: string; schema: string; name: string },
  schema: string,
  name: string,
  { database }: Warehouse,
): boolean {
  const place = `${duckDbSchema(database, object.database, object.schema)}\0${object.name}`
  return place.toUpperCase() === `${schema}\0${name}`.toUpperCase()
}
