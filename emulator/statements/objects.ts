import { isWord, type Statement, type TokenReader } from '../statement-text.ts'
import { columnName, columnsOf } from './columns.ts'
import type { Creation, Definition, NameContext, TableChange } from './definition.ts'
import { creationOf, restOf, skipIfExists, takeName } from './names.ts'
import { takeProperties } from './properties.ts'

export function readTable(reader: TokenReader, context: NameContext, replace: boolean): Definition {
  const before = creationOf(replace, reader)
  const name = takeName(reader, context)
  // The documentation shows IF NOT EXISTS in front of the name, and many write it behind.
  const creation = before === 'new' ? creationOf(false, reader) : before
  if (!isWord(reader.peek(), '(')) throw new SyntaxError('the emulator makes tables from a list of columns only')
  const columns = columnsOf(reader.takeParenthesized())
  return { kind: 'table', name, creation, columns, properties: takeProperties(reader) }
}

export function readAlterTable(reader: TokenReader, context: NameContext): Definition {
  const ifExists = skipIfExists(reader)
  const name = takeName(reader, context)
  return { kind: 'alter-table', name, ifExists, changes: [takeChange(reader)] }
}

function takeChange(reader: TokenReader): TableChange {
  if (reader.skip('ADD')) {
    if (['ROW', 'CONSTRAINT', 'PRIMARY', 'UNIQUE', 'SEARCH'].some((word) => isWord(reader.peek(), word)))
      return { change: 'none' }
    reader.skip('COLUMN')
    const ifAbsent = isWord(reader.peek(), 'IF')
    return { change: 'add', columns: columnsOf(restOf(reader)), ifAbsent }
  }
  if (reader.skip('DROP')) {
    if (reader.skip('CLUSTERING') || reader.skip('ROW')) return { change: 'none' }
    reader.skip('COLUMN')
    skipIfExists(reader)
    return {
      change: 'drop',
      columns: restOf(reader)
        .filter(({ text }) => text !== ',')
        .map(columnName),
    }
  }
  if (reader.skip('ALTER') || reader.skip('MODIFY')) {
    reader.skip('COLUMN')
    const column = columnName(reader.take())
    if (reader.skip('DROP', 'DEFAULT')) return { change: 'drop-default', column }
    if (reader.skip('DROP', 'NOT', 'NULL')) return { change: 'drop-not-null', column }
    throw new SyntaxError('the emulator can only drop a default or NOT NULL from a column')
  }
  if (reader.skip('SET')) {
    const logging = takeProperties(reader).get('ERROR_LOGGING')
    return logging === undefined ? { change: 'none' } : { change: 'error-logging', on: /^true$/i.test(String(logging)) }
  }
  if (reader.skip('UNSET', 'ERROR_LOGGING')) return { change: 'error-logging', on: false }
  if (reader.skip('UNSET') || reader.skip('CLUSTER') || reader.skip('RESUME') || reader.skip('SUSPEND'))
    return { change: 'none' }
  throw new SyntaxError(`the emulator does not know ALTER TABLE … ${reader.peek()?.text ?? ''}`)
}

export function readView(
  reader: TokenReader,
  context: NameContext,
  replace: boolean,
  statement: Statement,
): Definition {
  const creation = creationOf(replace, reader)
  const name = takeName(reader, context)
  if (isWord(reader.peek(), '(')) throw new SyntaxError('the emulator wants the column names of a view in its query')
  takeProperties(reader, 'AS')
  reader.expect('AS')
  return { kind: 'view', name, creation, query: restOf(reader), text: statement.text }
}

/**
 * A pipe of a table, by column name. Whether it is one for streaming is in its DATA_SOURCE; other pipes are refused by the
 * streaming API [documented]. Pipes that transform rows with SELECT are not emulated.
 */
export function readPipe(
  reader: TokenReader,
  context: NameContext,
  replace: boolean,
  statement: Statement,
): Definition {
  const creation: Creation = creationOf(replace, reader)
  const name = takeName(reader, context)
  takeProperties(reader, 'AS')
  reader.expect('AS')
  const text = textFrom(reader, statement)
  reader.expect('COPY')
  reader.expect('INTO')
  const table = takeName(reader, context)
  let streaming = false
  while (!reader.done) {
    if (reader.skip('SELECT')) throw new SyntaxError('the emulator maps rows by column name only, not with SELECT')
    if (reader.skip('DATA_SOURCE', '(', 'TYPE', '=>')) streaming = /^'STREAMING'$/i.test(reader.take().text)
    else reader.take()
  }
  return { kind: 'pipe', name, creation, table, streaming, text }
}

/** The statement from the next token on, as written. */
export function textFrom(reader: TokenReader, statement: Statement): string {
  const start = statement.tokens[0]?.at ?? 0
  const next = reader.peek()
  return next === undefined ? '' : statement.text.slice(next.at - start).trim()
}
