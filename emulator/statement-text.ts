/**
 * Reads SQL text as Snowflake does: `--`, `//` and block comments, 'text' with doubled quotes or backslashes,
 * "identifiers", $$text$$ [documented: SQL lexical rules].
 */
export type Token = {
  readonly kind: 'word' | 'identifier' | 'text' | 'number' | 'sign'
  readonly text: string
  readonly at: number
}

export interface Statement {
  readonly tokens: readonly Token[]
  /** As written, comments included. */
  readonly text: string
  /** Line of the first token in its file, from 1. */
  readonly line: number
}

const TOKEN =
  /(?<space>\s+|--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<text>'(?:[^'\\]|''|\\[\s\S])*'|\$\$[\s\S]*?\$\$)|(?<identifier>"(?:[^"]|"")*")|(?<word>[A-Za-z_][\w$]*)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<sign>->>|->|=>|::|\|\||<=|>=|<>|!=|[\s\S])/y

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(sql); match !== null; match = TOKEN.exec(sql)) {
    const groups = match.groups ?? {}
    for (const kind of ['word', 'identifier', 'text', 'number', 'sign'] as const)
      if (groups[kind] !== undefined) tokens.push({ kind, text: match[0], at: match.index })
    if (TOKEN.lastIndex >= sql.length) break
  }
  return tokens
}

/** The statements of a script, cut at semicolons; empty ones are left out. */
export function statementsOf(script: string): Statement[] {
  const statements: Statement[] = []
  let tokens: Token[] = []
  const cut = (end: number) => {
    const [first] = tokens
    if (first !== undefined)
      statements.push({
        tokens,
        text: script.slice(first.at, end),
        line: script.slice(0, first.at).split('\n').length,
      })
    tokens = []
  }
  for (const token of tokensOf(script)) {
    if (token.text === ';') cut(token.at)
    else tokens.push(token)
  }
  cut(script.length)
  return statements
}

/** A place in the tokens of a statement, moving forward. */
export class TokenReader {
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get done(): boolean {
    return this.#next >= this.#tokens.length
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#next + ahead]
  }

  take(): Token {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw new SyntaxError('the statement ends too early')
    this.#next += 1
    return token
  }

  /** Takes these words or signs if all of them come next. */
  skip(...words: readonly string[]): boolean {
    if (!words.every((word, i) => isWord(this.peek(i), word))) return false
    this.#next += words.length
    return true
  }

  expect(word: string): void {
    if (!this.skip(word)) throw new SyntaxError(`expected ${word}, found ${this.peek()?.text ?? 'the end'}`)
  }

  /** Everything between the parenthesis that comes next and its partner, both taken, neither returned. */
  takeParenthesized(): Token[] {
    this.expect('(')
    const inner: Token[] = []
    for (let depth = 1; ; ) {
      const token = this.take()
      if (token.text === '(') depth += 1
      if (token.text === ')') depth -= 1
      if (depth === 0) return inner
      inner.push(token)
    }
  }
}

export function isWord(token: Token | undefined, word: string): boolean {
  return (
    token !== undefined && token.kind !== 'text' && token.kind !== 'identifier' && token.text.toUpperCase() === word
  )
}
