import { Refusal } from '../answer.ts'
import { type ObjectName, qualified } from '../names.ts'
import type { Account, Session } from './session.ts'

/** What is asked of a pipe. */
export type StreamingOperation = 'pipe-info' | 'open' | 'append' | 'status' | 'drop'

/**
 * What streaming into a pipe needs: USAGE on database and schema, INSERT on the table, and on a pipe made by CREATE PIPE
 * also OPERATE; its status is told for MONITOR too [documented]. What is not there is left to those who look for it.
 *
 * A role that may not be used, or sees no database, gets the words that were observed; which of the documented codes
 * stands for which missing privilege is assumed.
 */
export function requireStreaming(
  { catalog }: Account,
  session: Session,
  name: ObjectName,
  operation: StreamingOperation,
): void {
  if (session.mayDoEverything || !catalog.databases.has(name.database)) return
  const { database, schema } = name
  const failed = `Role ${session.role} failed to retrieve pipe ${qualified(name)}`
  if (!session.has('DATABASE', database, 'USAGE')) throw refused('DATABASE_DOES_NOT_EXIST_OR', failed)
  if (!catalog.schemas.has(`${database}.${schema}`)) return
  if (!session.has('SCHEMA', `${database}.${schema}`, 'USAGE')) throw refused('SCHEMA_DOES_NOT_EXIST_OR', failed)
  const pipe = catalog.pipe(name)
  if (pipe === undefined) return
  const needed = operation === 'status' ? ['OPERATE', 'MONITOR'] : ['OPERATE']
  if (!catalog.isDefaultPipe(name) && !session.has('PIPE', qualified(name), ...needed))
    throw refused('PIPE_DOES_NOT_EXIST_OR', `Pipe ${qualified(name)} does not exist or is not authorized`)
  const table = qualified(pipe.table)
  if (!session.has('TABLE', table, 'INSERT'))
    throw refused('TABLE_DOES_NOT_EXIST', `Table ${table} does not exist or is not authorized`)
}

function refused(what: string, message: string): Refusal {
  return new Refusal(404, `ERR_${what}_NOT_AUTHORIZED`, message)
}
