import { VERSION } from '../src/version.ts'
import type { Account, Session } from './access/session.ts'
import { completed, type Translation, translated, valueOfText } from './dialect.ts'
import { literal, qualified, quoted } from './names.ts'
import { noSuch } from './sql-refusal.ts'
import type { Token } from './statement-text.ts'
import { OWN_SCHEMA, type Warehouse } from './warehouse.ts'

/** Where and for whom a query runs. */
export interface QueryContext {
  readonly warehouse: Warehouse
  readonly account: Account
  readonly session: Session
  readonly database: string
  readonly schema: string
}

/** A query or a change of rows, for DuckDB: names where they are in the file, functions of the session as their values. */
export function duckDbText(tokens: readonly Token[], context: QueryContext): string {
  return translated(tokens, translationFor(context))
}

function translationFor(context: QueryContext): Translation {
  const { account, database, schema, session, warehouse } = context
  const own = `${quoted(warehouse.database)}.${OWN_SCHEMA}`
  return {
    rename: (parts) => {
      const name = completed(parts, database, schema)
      const isObject = parts.length === 3 || account.catalog.isReadable(name)
      return isObject ? warehouse.at(name) : undefined
    },
    errorTable: (parts) => {
      const name = completed(parts, database, schema)
      const table = account.catalog.table(name)
      const mayRead = session.has('TABLE', qualified(name), 'SELECT ERROR TABLE')
      if (table === undefined || !mayRead) throw noSuch('TABLE', qualified(name))
      return `(SELECT * EXCLUDE (table_name) FROM ${own}.ERROR_ROWS WHERE table_name = ${literal(qualified(name))})`
    },
    functions: {
      CURRENT_ROLE: () => literal(session.role),
      CURRENT_USER: () => literal(session.user),
      CURRENT_ACCOUNT: () => literal('EMULATOR'),
      CURRENT_ACCOUNT_NAME: () => literal('EMULATOR'),
      CURRENT_ORGANIZATION_NAME: () => literal('SNOWHAT'),
      CURRENT_REGION: () => literal('EMULATOR_LOCAL'),
      CURRENT_VERSION: () => literal(`emulator ${VERSION}`),
      CURRENT_DATABASE: () => literal(database),
      CURRENT_SCHEMA: () => literal(schema),
      CURRENT_WAREHOUSE: () => 'NULL',
      CURRENT_AVAILABLE_ROLES: () => literal(JSON.stringify([...account.roles.effective(session.role)])),
      SYSTEM$PIPE_STATUS: ([name = []]) => literal(pipeStatus(name, context)),
    },
  }
}

/** `SYSTEM$PIPE_STATUS('pipe')`: a JSON text [documented]; of a streaming pipe only the state is of interest. */
function pipeStatus([written]: readonly Token[], { account, database, schema }: QueryContext): string {
  const parts = valueOfText(written?.text ?? "''")
    .split('.')
    .map((part) => (part.startsWith('"') ? part.slice(1, -1) : part.toUpperCase()))
  const name = completed(parts, database, schema)
  if (account.catalog.pipe(name) === undefined) throw noSuch('PIPE', qualified(name))
  return JSON.stringify({ executionState: 'RUNNING', pendingFileCount: 0 })
}
