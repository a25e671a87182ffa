import { columnType, storedAs } from './column-type.ts'
import { foldIdentifier, literal, type ObjectName } from './names.ts'
import { isWord, type Token } from './statement-text.ts'

/**
 * A query of Snowflake's, in DuckDB's words. Only what differs in plain queries is translated: names, type names in casts,
 * text escapes, a few functions. The rest is left to DuckDB, which has the same standard SQL.
 */
const FUNCTIONS: Readonly<Record<string, string>> = { IFF: 'if', NVL: 'ifnull', TO_VARIANT: 'to_json', SYSDATE: 'now' }

/** Functions whose first argument is a bare unit of time in Snowflake and a text in DuckDB. */
const BY_UNIT = new Set(['DATEDIFF', 'TIMESTAMPDIFF', 'DATE_TRUNC', 'DATE_PART'])

export interface Translation {
  /** What stands for a name of two or three parts; `undefined` leaves it as it is. */
  readonly rename: (parts: readonly string[]) => string | undefined
  /** What stands for `ERROR_TABLE(name)`. */
  readonly errorTable?: (parts: readonly string[]) => string
}

export function translated(tokens: readonly Token[], translation: Translation): string {
  const words: string[] = []
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i] as Token
    const name = nameAt(tokens, i)
    if (isWord(token, 'ERROR_TABLE') && isWord(tokens[i + 1], '(') && translation.errorTable) {
      const inner = nameAt(tokens, i + 2)
      words.push(translation.errorTable(inner.parts))
      i = inner.end
    } else if (name.parts.length > 0 && tokens[name.end]?.text === ':' && isName(tokens[name.end + 1])) {
      const path = nameAt(tokens, name.end + 1)
      words.push(`(${textBetween(tokens, i, name.end)} ->> ${literal(jsonPath(tokens, name.end + 1, path.end))})`)
      i = path.end - 1
    } else if (name.parts.length > 1) {
      words.push(translation.rename(name.parts) ?? textBetween(tokens, i, name.end))
      i = name.end - 1
    } else if (token.kind === 'text') words.push(literal(valueOfText(token.text)))
    else words.push(castType(tokens, i) ?? functionName(tokens, i) ?? unitAt(tokens, i) ?? token.text)
  }
  return words.join(' ').replaceAll(/ ?:: ?/g, '::')
}

/** The identifiers with dots between them that begin here, and the place after them. */
function nameAt(tokens: readonly Token[], start: number): { parts: string[]; end: number } {
  const parts: string[] = []
  let end = start
  while (isName(tokens[end])) {
    parts.push(foldIdentifier(tokens[end]?.text ?? ''))
    end += 1
    if (tokens[end]?.text !== '.' || !isName(tokens[end + 1])) break
    end += 1
  }
  return { parts, end }
}

/** `column:key.key` of a VARIANT, as a JSON path. */
function jsonPath(tokens: readonly Token[], start: number, end: number): string {
  const keys = tokens.slice(start, end).filter((token) => token.text !== '.')
  return `$${keys.map((key) => `."${key.kind === 'identifier' ? foldIdentifier(key.text) : key.text}"`).join('')}`
}

function textBetween(tokens: readonly Token[], start: number, end: number): string {
  return tokens
    .slice(start, end)
    .map((token) => token.text)
    .join('')
}

function isName(token: Token | undefined): boolean {
  return token?.kind === 'word' || token?.kind === 'identifier'
}

function castType(tokens: readonly Token[], i: number): string | undefined {
  const token = tokens[i]
  if (token?.kind !== 'word' || columnType(token.text) === undefined) return undefined
  const isCast =
    tokens[i - 1]?.text === '::' || (isWord(tokens[i - 1], 'AS') && [')', '('].includes(tokens[i + 1]?.text ?? ''))
  if (!isCast) return undefined
  if (tokens[i + 1]?.text === '(') return /^(NUMBER|NUMERIC|DEC)$/i.test(token.text) ? 'DECIMAL' : token.text
  const type = columnType(token.text)
  return type && storedAs(type)
}

function functionName(tokens: readonly Token[], i: number): string | undefined {
  return tokens[i + 1]?.text === '(' ? FUNCTIONS[tokens[i]?.text.toUpperCase() ?? ''] : undefined
}

function unitAt(tokens: readonly Token[], i: number): string | undefined {
  const isFirstArgument = tokens[i - 1]?.text === '(' && BY_UNIT.has(tokens[i - 2]?.text.toUpperCase() ?? '')
  return isFirstArgument && tokens[i]?.kind === 'word' ? literal(tokens[i]?.text ?? '') : undefined
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', 0: '\0' }

/** What a text literal of Snowflake's says. */
export function valueOfText(written: string): string {
  if (written.startsWith('$$')) return written.slice(2, -2)
  return written
    .slice(1, -1)
    .replaceAll(/''|\\([\s\S])/g, (_, escaped?: string) =>
      escaped === undefined ? "'" : (ESCAPES[escaped] ?? escaped),
    )
}

/** Completes `schema.name` and `name` and keeps what is already whole. */
export function completed(parts: readonly string[], database: string, schema: string): ObjectName {
  const [name = '', ownSchema = schema, ownDatabase = database] = [...parts].reverse()
  return { database: ownDatabase, schema: ownSchema, name }
}
