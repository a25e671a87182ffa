import { type Column, columnType } from './column-type.ts'
import { foldIdentifier, type ObjectName } from './names.ts'
import { isWord, type Statement, type Token, TokenReader } from './statement-text.ts'

/** What a set-up statement asks for. */
export type Definition =
  | { readonly kind: 'database' | 'schema'; readonly database: string; readonly schema: string }
  | {
      readonly kind: 'table'
      readonly name: ObjectName
      readonly replace: boolean
      readonly columns: readonly Column[]
    }
  | { readonly kind: 'add-column'; readonly name: ObjectName; readonly columns: readonly Column[] }
  | { readonly kind: 'drop-default' | 'drop-not-null'; readonly name: ObjectName; readonly column: string }
  | { readonly kind: 'error-logging'; readonly name: ObjectName; readonly on: boolean }
  | { readonly kind: 'view'; readonly name: ObjectName; readonly replace: boolean; readonly query: readonly Token[] }
  | {
      readonly kind: 'pipe'
      readonly name: ObjectName
      readonly replace: boolean
      readonly table: ObjectName
      readonly streaming: boolean
    }
  | { readonly kind: 'drop'; readonly what: 'TABLE' | 'VIEW' | 'PIPE'; readonly name: ObjectName }
  /** Only Snowflake has it: roles, users, grants, warehouses, policies, properties. */
  | { readonly kind: 'skipped' }

/** The database and schema that complete names without them; USE changes it. */
export interface NameContext {
  database: string
  schema: string
}

const SNOWFLAKE_ONLY =
  /^(GRANT|REVOKE|SET|UNSET|SHOW|DESC|DESCRIBE|SELECT|CALL|COMMENT|TRUNCATE|USE (ROLE|WAREHOUSE|SECONDARY)|(CREATE|CREATE OR REPLACE|ALTER|DROP) (ROLE|USER|WAREHOUSE|NETWORK|AUTHENTICATION|SECURITY|RESOURCE|ALERT|TASK|DYNAMIC|NOTIFICATION|ACCOUNT|SESSION|TAG|MASKING|ROW|INTEGRATION|API|DATABASE ROLE)|ALTER (SCHEMA|DATABASE|VIEW|PIPE)|DROP (SCHEMA|DATABASE))\b/

/** Throws a `SyntaxError` for a statement it cannot read. */
export function definitionOf(statement: Statement, context: NameContext): Definition {
  const reader = new TokenReader(statement.tokens)
  const head = statement.tokens
    .slice(0, 5)
    .map((token) => token.text.toUpperCase())
    .join(' ')
  if (SNOWFLAKE_ONLY.test(head)) return { kind: 'skipped' }
  if (reader.skip('USE')) return use(reader, context)
  if (reader.skip('DROP')) return dropped(reader, context)
  if (reader.skip('ALTER', 'TABLE')) return altered(reader, context)
  if (!reader.skip('CREATE')) throw new SyntaxError(`the emulator does not know the statement ${head}`)
  const replace = reader.skip('OR', 'REPLACE')
  for (const word of ['TRANSIENT', 'SECURE', 'RECURSIVE']) reader.skip(word)
  if (reader.skip('DATABASE')) {
    skipIfExists(reader)
    context.database = foldIdentifier(reader.take().text)
    return { kind: 'database', database: context.database, schema: 'PUBLIC' }
  }
  if (reader.skip('SCHEMA')) {
    skipIfExists(reader)
    const { schema: database, name: schema } = takeName(reader, { database: '', schema: context.database })
    return { kind: 'schema', database, schema }
  }
  if (reader.skip('TABLE')) {
    skipIfExists(reader)
    const name = takeName(reader, context)
    return { kind: 'table', name, replace, columns: columnsOf(reader.takeParenthesized()) }
  }
  if (reader.skip('VIEW')) return view(reader, context, replace, statement)
  if (reader.skip('PIPE')) return pipe(reader, context, replace)
  throw new SyntaxError(`the emulator does not know the statement ${head}`)
}

function use(reader: TokenReader, context: NameContext): Definition {
  if (reader.skip('DATABASE')) context.database = foldIdentifier(reader.take().text)
  else {
    reader.skip('SCHEMA')
    const { schema: database, name: schema } = takeName(reader, { database: '', schema: context.database })
    context.database = database
    context.schema = schema
  }
  return { kind: 'skipped' }
}

function dropped(reader: TokenReader, context: NameContext): Definition {
  for (const what of ['TABLE', 'VIEW', 'PIPE'] as const) {
    if (!reader.skip(what)) continue
    skipIfExists(reader)
    return { kind: 'drop', what, name: takeName(reader, context) }
  }
  throw new SyntaxError('the emulator drops tables, views and pipes only')
}

function altered(reader: TokenReader, context: NameContext): Definition {
  skipIfExists(reader)
  const name = takeName(reader, context)
  if (reader.skip('ADD')) {
    reader.skip('COLUMN')
    const rest: Token[] = []
    while (!reader.done) rest.push(reader.take())
    return { kind: 'add-column', name, columns: columnsOf(rest) }
  }
  if (reader.skip('ALTER') || reader.skip('MODIFY')) {
    reader.skip('COLUMN')
    const column = columnName(reader.take())
    if (reader.skip('DROP', 'DEFAULT')) return { kind: 'drop-default', name, column }
    if (reader.skip('DROP', 'NOT', 'NULL')) return { kind: 'drop-not-null', name, column }
    throw new SyntaxError('the emulator can only drop a default or NOT NULL from a column')
  }
  if (reader.skip('SET', 'ERROR_LOGGING', '=')) return { kind: 'error-logging', name, on: reader.skip('TRUE') }
  return { kind: 'skipped' }
}

function view(reader: TokenReader, context: NameContext, replace: boolean, statement: Statement): Definition {
  skipIfExists(reader)
  const name = takeName(reader, context)
  if (isWord(reader.peek(), '(')) throw new SyntaxError('the emulator wants the column names of a view in its query')
  reader.skip('COPY', 'GRANTS')
  if (reader.skip('COMMENT', '=')) reader.take()
  reader.expect('AS')
  const from = reader.peek()
  return { kind: 'view', name, replace, query: from ? statement.tokens.slice(statement.tokens.indexOf(from)) : [] }
}

/**
 * A streaming pipe reads from `TABLE(DATA_SOURCE(TYPE => 'STREAMING'))`; one without it exists but is of no use to the
 * streaming API [documented]. Pipes that transform rows with SELECT are not emulated.
 */
function pipe(reader: TokenReader, context: NameContext, replace: boolean): Definition {
  skipIfExists(reader)
  const name = takeName(reader, context)
  while (!reader.skip('AS')) reader.take()
  reader.expect('COPY')
  reader.expect('INTO')
  const table = takeName(reader, context)
  let streaming = false
  while (!reader.done) {
    if (reader.skip('SELECT')) throw new SyntaxError('the emulator maps rows by column name only, not with SELECT')
    if (reader.skip('DATA_SOURCE', '(', 'TYPE', '=>')) streaming = /^'STREAMING'$/i.test(reader.take().text)
    else reader.take()
  }
  return { kind: 'pipe', name, replace, table, streaming }
}

function skipIfExists(reader: TokenReader): void {
  if (!reader.skip('IF', 'NOT', 'EXISTS')) reader.skip('IF', 'EXISTS')
}

/** One to three identifiers with dots between them. */
export function takeName(reader: TokenReader, context: NameContext): ObjectName {
  const parts = [foldIdentifier(reader.take().text)]
  while (reader.skip('.')) parts.push(foldIdentifier(reader.take().text))
  const [name = '', schema = context.schema, database = context.database] = parts.reverse()
  return { database, schema, name }
}

/** Column definitions with commas between them. Constraints of the table itself are passed over. */
function columnsOf(tokens: readonly Token[]): Column[] {
  const columns: Column[] = []
  const reader = new TokenReader(tokens)
  while (!reader.done) {
    skipIfExists(reader)
    const first = reader.take()
    const isConstraint = ['PRIMARY', 'UNIQUE', 'FOREIGN', 'CONSTRAINT'].some((word) => isWord(first, word))
    const type = isConstraint ? undefined : takeType(reader, first.text)
    let notNull = false
    let defaultText: string | undefined
    while (!reader.done && !reader.skip(',')) {
      if (isWord(reader.peek(), '(')) reader.takeParenthesized()
      else if (reader.skip('NOT', 'NULL')) notNull = true
      else if (reader.skip('DEFAULT')) defaultText = takeDefault(reader)
      else reader.take()
    }
    if (type) columns.push({ name: columnName(first), type, notNull, defaultText })
  }
  return columns
}

/** Columns keep the case they are written in: DuckDB compares names without it, and its readers see them so. */
function columnName(token: Token): string {
  return token.kind === 'identifier' ? foldIdentifier(token.text) : token.text
}

function takeType(reader: TokenReader, column: string): NonNullable<ReturnType<typeof columnType>> {
  const name = reader.take().text
  reader.skip('PRECISION')
  const numbers = isWord(reader.peek(), '(')
    ? reader
        .takeParenthesized()
        .filter((token) => token.kind === 'number')
        .map((token) => Number(token.text))
    : []
  const type = columnType(name, numbers)
  if (type === undefined) throw new SyntaxError(`the emulator has no type ${name} (column ${column})`)
  return type
}

function takeDefault(reader: TokenReader): string {
  const sign = reader.skip('-') ? '-' : ''
  const text = sign + reader.take().text
  if (isWord(reader.peek(), '(')) reader.takeParenthesized()
  return text
}
