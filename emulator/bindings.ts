import { wrongValue } from './sql-refusal.ts'
import type { Token } from './statement-text.ts'

/**
 * Puts the values of a request's `bindings` in the place of the question marks: `{"1": {"type": "FIXED", "value": "7"}}`
 * [documented]. Values are texts; a list of values (a bulk insert) is not emulated.
 */
export function bound(tokens: readonly Token[], bindings: unknown): readonly Token[] {
  if (typeof bindings !== 'object' || bindings === null) return tokens
  let place = 0
  return tokens.flatMap((token) => {
    if (token.text !== '?') return [token]
    place += 1
    const binding = (bindings as Record<string, { type?: unknown; value?: unknown } | undefined>)[place]
    if (binding === undefined) throw wrongValue(`Bind variable ${place} not set.`)
    return tokensFor(String(binding.type).toUpperCase(), binding.value ?? null, token.at)
  })
}

function tokensFor(type: string, value: unknown, at: number): Token[] {
  const word = (text: string): Token => ({ kind: 'word', text, at })
  const sign = (text: string): Token => ({ kind: 'sign', text, at })
  const literal = (text: string): Token => ({
    kind: 'text',
    text: `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
    at,
  })
  if (value === null) return [word('NULL')]
  if (typeof value !== 'string') throw wrongValue('a bound value must be a text or null')
  switch (type) {
    case 'TEXT':
      return [literal(value)]
    case 'BOOLEAN':
      return [word(/^(true|1)$/i.test(value) ? 'TRUE' : 'FALSE')]
    case 'FIXED':
    case 'REAL': {
      if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) throw wrongValue(`'${value}' is not a number`)
      const number: Token = { kind: 'number', text: value.replace('-', ''), at }
      return value.startsWith('-') ? [sign('('), sign('-'), number, sign(')')] : [number]
    }
    case 'DATE':
      return [literal(new Date(Number(value)).toISOString().slice(0, 10)), sign('::'), word('DATE')]
    case 'TIMESTAMP_NTZ':
      // Nanoseconds since 1970.
      return [
        literal(new Date(Number(BigInt(value) / 1_000_000n)).toISOString().slice(0, -1)),
        sign('::'),
        word('TIMESTAMP_NTZ'),
      ]
    default:
      throw wrongValue(`the emulator binds no ${type}`)
  }
}
