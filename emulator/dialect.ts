import { columnType, storedAs } from './column-type.ts'
import { foldIdentifier, literal, type ObjectName } from './names.ts'
import { isWord, type Token } from './statement-text.ts'

/**
 * A query of Snowflake's, in DuckDB's words. Only what differs in plain queries is translated: names, type names in casts,
 * text escapes, a few functions. The rest is left to DuckDB, which has the same standard SQL.
 */
const FUNCTIONS: Readonly<Record<string, string>> = {
  IFF: 'if',
  NVL: 'ifnull',
  TO_VARIANT: 'to_json',
  OBJECT_KEYS: 'json_keys',
  BOOLOR_AGG: 'bool_or',
}

/** Functions that DuckDB writes in another way, by their arguments. */
const REWRITTEN: Readonly<Record<string, (...args: readonly string[]) => string>> = {
  // SYSDATE() is UTC without a zone [documented].
  SYSDATE: () => "(now() AT TIME ZONE 'UTC')",
  CURRENT_TIMESTAMP: () => 'now()',
  DATEADD: (unit = 'day', count = '0', time = 'NULL') => `(${time} + (${count}) * INTERVAL 1 ${unit})`,
  TYPEOF: (value = 'NULL') => `(${TYPE_NAMES.replace('?', value)})`,
  // Whole seconds, and the unit bare or as a text [documented].
  DATE_PART: (unit = 'year', time = 'NULL') => {
    const bare = unit.replaceAll("'", '')
    return EPOCH.test(bare) ? `CAST(floor(epoch(${time})) AS BIGINT)` : `date_part(${literal(bare)}, ${time})`
  },
}

/** The unit that counts seconds since 1970, and its other names [documented]. */
const EPOCH = /^epoch(_seconds?)?$/i

/** TYPEOF of a VARIANT [documented]. */
const TYPE_NAMES = `CASE json_type(?) WHEN 'UBIGINT' THEN 'INTEGER' WHEN 'BIGINT' THEN 'INTEGER' WHEN 'DOUBLE' THEN 'DOUBLE'
  WHEN 'VARCHAR' THEN 'VARCHAR' WHEN 'BOOLEAN' THEN 'BOOLEAN' WHEN 'ARRAY' THEN 'ARRAY' WHEN 'OBJECT' THEN 'OBJECT'
  WHEN 'NULL' THEN 'NULL_VALUE' END`

/** Functions whose first argument is a bare unit of time in Snowflake and a text in DuckDB. */
const BY_UNIT = new Set(['DATEDIFF', 'TIMESTAMPDIFF', 'DATE_TRUNC'])

export interface Translation {
  /** What stands for a name of two or three parts; `undefined` leaves it as it is. */
  readonly rename: (parts: readonly string[]) => string | undefined
  /** What stands for `ERROR_TABLE(name)`. */
  readonly errorTable?: (parts: readonly string[]) => string
  /** Further functions, by their name in upper case, with the tokens of their arguments. */
  readonly functions?: Readonly<Record<string, (args: readonly (readonly Token[])[]) => string>>
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
    } else if (isFlatten(tokens, i)) {
      const call = callAt(tokens, i + 1)
      const input = call.args[0]?.slice(isWord(call.args[0]?.[0], 'INPUT') ? 2 : 0) ?? []
      words.push(`LATERAL (SELECT key, value FROM json_each(${translated(input, translation)}))`)
      i = call.end - 1
    } else if (isRewritten(tokens, i, translation)) {
      const call = callAt(tokens, i)
      const own = translation.functions?.[token.text.toUpperCase()]
      const rewrite = REWRITTEN[token.text.toUpperCase()]
      if (own) words.push(own(call.args))
      else if (rewrite) words.push(rewrite(...call.args.map((arg) => translated(arg, translation))))
      i = call.end - 1
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

/** `LATERAL FLATTEN(…)`: one row for each key of an object. */
function isFlatten(tokens: readonly Token[], i: number): boolean {
  return isWord(tokens[i], 'LATERAL') && isWord(tokens[i + 1], 'FLATTEN') && tokens[i + 2]?.text === '('
}

function isRewritten(tokens: readonly Token[], i: number, { functions }: Translation): boolean {
  const name = tokens[i]?.kind === 'word' ? (tokens[i]?.text.toUpperCase() ?? '') : ''
  const isKnown = Object.hasOwn(REWRITTEN, name) || (functions !== undefined && Object.hasOwn(functions, name))
  return isKnown && tokens[i + 1]?.text === '(' && tokens[i - 1]?.text !== '.'
}

/** The arguments of the function call that begins here, and the place after it. */
function callAt(tokens: readonly Token[], start: number): { args: Token[][]; end: number } {
  const args: Token[][] = []
  let arg: Token[] = []
  let depth = 0
  for (let i = start + 1; i < tokens.length; i += 1) {
    const token = tokens[i] as Token
    if (token.text === '(' && depth++ === 0) continue
    if (token.text === ')' && --depth === 0) {
      if (arg.length > 0) args.push(arg)
      return { args, end: i + 1 }
    }
    if (token.text === ',' && depth === 1) {
      args.push(arg)
      arg = []
    } else arg.push(token)
  }
  return { args, end: tokens.length }
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
  return `$${keys.map((key) => `.${JSON.stringify(key.kind === 'identifier' ? foldIdentifier(key.text) : key.text)}`).join('')}`
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
