import { isWord, type Statement, TokenReader } from '../statement-text.ts'
import { readAccountObject, readAlterAccountObject, readAlterUser, readGrant, readRole, readUser } from './access.ts'
import { type Definition, IN_ACCOUNT, IN_SCHEMA, type NameContext } from './definition.ts'
import { readAlert, readAlterJob, readTask } from './jobs.ts'
import { creationOf, skipIfExists, takeIdentifier, takeName, takeSchemaName } from './names.ts'
import { readAlterTable, readPipe, readTable, readView } from './objects.ts'

/** Nothing of it is kept, in a script or over the API. */
const SNOWFLAKE_ONLY =
  /^(SET|UNSET|SHOW|DESC|DESCRIBE|SELECT|CALL|COMMENT|(CREATE|CREATE OR REPLACE|ALTER|DROP) (AUTHENTICATION|SECURITY|RESOURCE|DYNAMIC|NOTIFICATION|ACCOUNT|SESSION|TAG|MASKING|ROW|INTEGRATION|API|DATABASE ROLE)|ALTER (SCHEMA|DATABASE|VIEW|PIPE|ROLE))\b/

/** What a statement that is no query asks for. Throws a `SyntaxError` for one it cannot read. */
export function definitionOf(statement: Statement, context: NameContext): Definition {
  const reader = new TokenReader(statement.tokens)
  const head = statement.tokens
    .slice(0, 5)
    .map((token) => token.text.toUpperCase())
    .join(' ')
  if (SNOWFLAKE_ONLY.test(head)) return { kind: 'skipped' }
  if (reader.skip('USE')) return use(reader, context)
  if (reader.skip('GRANT')) return readGrant(reader, context, 'grant')
  if (reader.skip('REVOKE')) return readGrant(reader, context, 'revoke')
  if (reader.skip('DROP')) return dropped(reader, context)
  if (reader.skip('EXECUTE', 'TASK')) return { kind: 'execute-job', what: 'TASK', name: takeName(reader, context) }
  if (reader.skip('EXECUTE', 'ALERT')) return { kind: 'execute-job', what: 'ALERT', name: takeName(reader, context) }
  if (reader.skip('ALTER', 'TABLE')) return readAlterTable(reader, context)
  if (reader.skip('ALTER', 'USER')) return readAlterUser(reader)
  if (reader.skip('ALTER', 'ALERT')) return readAlterJob(reader, context, 'ALERT')
  if (reader.skip('ALTER', 'TASK')) return readAlterJob(reader, context, 'TASK')
  if (reader.skip('ALTER', 'NETWORK', 'POLICY')) return readAlterAccountObject(reader, 'NETWORK POLICY')
  if (reader.skip('ALTER', 'WAREHOUSE')) return readAlterAccountObject(reader, 'WAREHOUSE')
  return rowsChanged(reader, context, statement) ?? created(reader, context, statement) ?? unknown(head)
}

function unknown(head: string): never {
  throw new SyntaxError(`the emulator does not know the statement ${head}`)
}

function created(reader: TokenReader, context: NameContext, statement: Statement): Definition | undefined {
  if (!reader.skip('CREATE')) return undefined
  const replace = reader.skip('OR', 'REPLACE')
  for (const word of ['TRANSIENT', 'SECURE', 'RECURSIVE']) reader.skip(word)
  if (reader.skip('DATABASE')) {
    const creation = creationOf(replace, reader)
    const database = takeIdentifier(reader)
    context.database = database
    context.schema = 'PUBLIC'
    return { kind: 'database', database, creation }
  }
  if (reader.skip('SCHEMA')) {
    const creation = creationOf(replace, reader)
    const name = takeSchemaName(reader, context)
    Object.assign(context, name)
    return { kind: 'schema', ...name, creation }
  }
  if (reader.skip('TABLE')) return readTable(reader, context, replace)
  if (reader.skip('VIEW')) return readView(reader, context, replace, statement)
  if (reader.skip('PIPE')) return readPipe(reader, context, replace, statement)
  if (reader.skip('ALERT')) return readAlert(reader, context, replace, statement)
  if (reader.skip('TASK')) return readTask(reader, context, replace, statement)
  if (reader.skip('USER')) return readUser(reader, replace)
  if (reader.skip('ROLE')) return readRole(reader, replace)
  if (reader.skip('WAREHOUSE')) return readAccountObject(reader, 'WAREHOUSE', replace)
  if (reader.skip('NETWORK', 'POLICY')) return readAccountObject(reader, 'NETWORK POLICY', replace)
  return undefined
}

function use(reader: TokenReader, context: NameContext): Definition {
  if (reader.skip('WAREHOUSE') || reader.skip('SECONDARY')) return { kind: 'use' }
  if (reader.skip('ROLE')) context.role = takeIdentifier(reader)
  else if (reader.skip('DATABASE')) context.database = takeIdentifier(reader)
  else {
    const isSchema = reader.skip('SCHEMA')
    const isQualified = reader.peek(1)?.text === '.'
    if (isSchema || isQualified) Object.assign(context, takeSchemaName(reader, context))
    else context.database = takeIdentifier(reader)
  }
  return { kind: 'use' }
}

function dropped(reader: TokenReader, context: NameContext): Definition {
  for (const what of IN_SCHEMA) {
    if (!reader.skip(what)) continue
    const ifExists = skipIfExists(reader)
    return { kind: 'drop', what, ifExists, name: takeName(reader, context) }
  }
  for (const what of IN_ACCOUNT) {
    if (!reader.skip(...what.split(' '))) continue
    const ifExists = skipIfExists(reader)
    return { kind: 'drop-account-object', what, ifExists, name: takeIdentifier(reader) }
  }
  if (reader.skip('DATABASE')) {
    const ifExists = skipIfExists(reader)
    return { kind: 'drop-container', what: 'DATABASE', ifExists, database: takeIdentifier(reader), schema: undefined }
  }
  if (reader.skip('SCHEMA')) {
    const ifExists = skipIfExists(reader)
    return { kind: 'drop-container', what: 'SCHEMA', ifExists, ...takeSchemaName(reader, context) }
  }
  throw new SyntaxError(`the emulator cannot drop a ${reader.peek()?.text ?? ''}`)
}

function rowsChanged(reader: TokenReader, context: NameContext, statement: Statement): Definition | undefined {
  const verb = (['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const).find((word) => reader.skip(word))
  if (verb === undefined) return undefined
  for (const word of ['OVERWRITE', 'INTO', 'FROM', 'TABLE']) {
    if (word === 'OVERWRITE' && isWord(reader.peek(), word))
      throw new SyntaxError('the emulator has no INSERT OVERWRITE')
    reader.skip(word)
  }
  skipIfExists(reader)
  return { kind: 'change-rows', verb, name: takeName(reader, context), tokens: statement.tokens }
}
