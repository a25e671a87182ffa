import { foldIdentifier, type ObjectName } from '../names.ts'
import type { Token, TokenReader } from '../statement-text.ts'
import type { Creation, NameContext } from './definition.ts'

export function takeIdentifier(reader: TokenReader): string {
  const token = reader.take()
  if (token.kind !== 'word' && token.kind !== 'identifier')
    throw new SyntaxError(`expected a name, found ${token.text}`)
  return foldIdentifier(token.text)
}

/** A name that may also be written as a text, as user properties take it. */
export function identifierIn(value: string): string {
  return foldIdentifier(value)
}

/** One to three identifiers with dots between them. */
export function takeName(reader: TokenReader, context: NameContext): ObjectName {
  const parts = [takeIdentifier(reader)]
  while (parts.length < 3 && reader.skip('.')) parts.push(takeIdentifier(reader))
  const [name = '', schema = context.schema, database = context.database] = parts.reverse()
  return { database, schema, name }
}

/** The name of a schema, with its database or without. */
export function takeSchemaName(reader: TokenReader, context: NameContext): { database: string; schema: string } {
  const { schema: database, name: schema } = takeName(reader, { database: '', schema: context.database })
  return { database, schema }
}

export function skipIfExists(reader: TokenReader): boolean {
  return reader.skip('IF', 'EXISTS')
}

export function creationOf(replace: boolean, reader: TokenReader): Creation {
  const ifAbsent = reader.skip('IF', 'NOT', 'EXISTS')
  return replace ? 'replace' : ifAbsent ? 'if-absent' : 'new'
}

export function restOf(reader: TokenReader): Token[] {
  const rest: Token[] = []
  while (!reader.done) rest.push(reader.take())
  return rest
}
