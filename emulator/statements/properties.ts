import { valueOfText } from '../dialect.ts'
import { isWord, type Token, TokenReader } from '../statement-text.ts'
import type { Properties } from './definition.ts'

/**
 * Reads `KEY = value`, with or without commas between them, as far as they go. Words without a value are passed over up
 * to the end or to one of the `stops`, which is left where it is.
 */
export function takeProperties(reader: TokenReader, ...stops: readonly string[]): Properties {
  const properties = new Map<string, string | readonly string[]>()
  while (!reader.done && !stops.some((stop) => isWord(reader.peek(), stop))) {
    const key = reader.take()
    if (isWord(reader.peek(), '(')) reader.takeParenthesized()
    else if (key.kind === 'word' && reader.skip('=')) properties.set(key.text.toUpperCase(), takeValue(reader))
  }
  return properties
}

function takeValue(reader: TokenReader): string | readonly string[] {
  if (!isWord(reader.peek(), '(')) return textOf(reader.take())
  const inner = new TokenReader(reader.takeParenthesized())
  const values: string[] = []
  while (!inner.done) if (!inner.skip(',')) values.push(textOf(inner.take()))
  return values
}

function textOf(token: Token): string {
  return token.kind === 'text' ? valueOfText(token.text) : token.text
}

/** The one text under a key; `undefined` when it is not there. */
export function propertyText(properties: Properties, key: string): string | undefined {
  const value = properties.get(key)
  return typeof value === 'string' ? value : undefined
}

export function propertyList(properties: Properties, key: string): readonly string[] | undefined {
  const value = properties.get(key)
  return typeof value === 'string' ? [value] : value
}
