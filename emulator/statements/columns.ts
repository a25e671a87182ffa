import { type Column, columnType } from '../column-type.ts'
import { foldIdentifier } from '../names.ts'
import { isWord, type Token, TokenReader } from '../statement-text.ts'

/** Column definitions with commas between them. Constraints of the table itself are passed over. */
export function columnsOf(tokens: readonly Token[]): Column[] {
  const columns: Column[] = []
  const reader = new TokenReader(tokens)
  while (!reader.done) {
    reader.skip('IF', 'NOT', 'EXISTS')
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
export function columnName(token: Token): string {
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
