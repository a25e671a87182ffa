/**
 * The part of Jinja that device documents here need: `{{ … }}` with `value`, `value_json`, its members, texts, numbers,
 * dictionaries and lists, `a if b else c` and `| tojson`. Everything else is an `UnknownTemplate`: a judge that guesses
 * would pass what Home Assistant refuses.
 */
export type Expression =
  | { readonly is: 'constant'; readonly value: string | number | boolean | null }
  | { readonly is: 'variable'; readonly name: 'value' | 'value_json' }
  | { readonly is: 'member'; readonly of: Expression; readonly key: string | number }
  | { readonly is: 'dictionary'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly is: 'list'; readonly items: readonly Expression[] }
  | { readonly is: 'choice'; readonly test: Expression; readonly then: Expression; readonly otherwise: Expression }
  | { readonly is: 'json'; readonly of: Expression }

export interface Template {
  readonly source: string
  /** Texts that stay as they are, and what is to be worked out. */
  readonly parts: readonly (string | Expression)[]
}

/** No Jinja: Home Assistant refuses the component. */
export class TemplateSyntaxError extends Error {}

/** May be Jinja; the judge does not know it. */
export class UnknownTemplate extends Error {}

export function parseTemplate(source: string): Template {
  if (/\{%|\{#/.test(source)) throw new UnknownTemplate('statements and comments')
  const parts: (string | Expression)[] = []
  let at = 0
  for (;;) {
    const open = source.indexOf('{{', at)
    const text = source.slice(at, open === -1 ? undefined : open)
    if (text !== '') parts.push(text)
    if (open === -1) return { source, parts }
    const parser = new Parser(source, open + 2)
    parts.push(parser.expressionToTheEnd())
    at = parser.at
  }
}

/** Every `value_json.a.b` in it, as `a.b`; the empty text is the whole. */
export function fieldsOf(template: Template): ReadonlySet<string> {
  const fields = new Set<string>()
  const walk = (expression: Expression): void => {
    const path = pathOf(expression)
    if (path !== undefined) fields.add(path.join('.'))
    else for (const inner of within(expression)) walk(inner)
  }
  for (const part of template.parts) if (typeof part !== 'string') walk(part)
  return fields
}

/** Whether what surrounds the expressions closes only what it has opened: `value_json.a }}` does not. */
export function isBalanced(template: Template): boolean {
  let depth = 0
  for (const text of template.parts)
    for (const letter of typeof text === 'string' ? text : '') {
      if (letter === '{') depth++
      if (letter === '}' && --depth < 0) return false
    }
  return depth === 0
}

function pathOf(expression: Expression): readonly (string | number)[] | undefined {
  if (expression.is === 'variable') return expression.name === 'value_json' ? [] : undefined
  if (expression.is !== 'member') return undefined
  const path = pathOf(expression.of)
  return path && [...path, expression.key]
}

function within(expression: Expression): readonly Expression[] {
  switch (expression.is) {
    case 'constant':
    case 'variable':
      return []
    case 'member':
    case 'json':
      return [expression.of]
    case 'dictionary':
      return expression.entries.flat()
    case 'list':
      return expression.items
    case 'choice':
      return [expression.test, expression.then, expression.otherwise]
  }
}

/** A text may hold anything, `}}` too. */
const TOKEN = /\s*(\d+(?:\.\d+)?|[A-Za-z_]\w*|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[.[\]{}:,|()])/y
const CONSTANTS = new Map<string, boolean | null>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])
/** What Python's dictionary has under these names is found before the payload's own key. */
const DICTIONARY_METHODS = new Set('clear copy fromkeys get items keys pop popitem setdefault update values'.split(' '))

class Parser {
  at: number
  readonly #source: string

  constructor(source: string, at: number) {
    this.#source = source
    this.at = at
  }

  /** What stands before the `}}`, and goes behind it. */
  expressionToTheEnd(): Expression {
    const expression = this.#expression()
    this.#skipSpace()
    if (!this.#source.startsWith('}}', this.at)) throw this.#unexpected('}}')
    this.at += 2
    return expression
  }

  #expression(): Expression {
    const then = this.#filtered()
    if (!this.#take('if')) return then
    const test = this.#filtered()
    this.#need('else')
    return { is: 'choice', test, then, otherwise: this.#expression() }
  }

  #filtered(): Expression {
    let of = this.#member()
    while (this.#take('|')) {
      if (!this.#take('tojson')) throw new UnknownTemplate(`a filter other than tojson in ${this.#source}`)
      of = { is: 'json', of }
    }
    return of
  }

  #member(): Expression {
    let of = this.#atom()
    for (;;) {
      if (this.#take('.')) {
        const key = this.#next()
        if (!/^\w+$/.test(key)) throw this.#unexpected('a name')
        if (DICTIONARY_METHODS.has(key)) throw new UnknownTemplate(`.${key} is a method of Python's dictionary`)
        of = { is: 'member', of, key }
      } else if (this.#take('[')) {
        const key = this.#atom()
        if (key.is !== 'constant' || !(typeof key.value === 'string' || typeof key.value === 'number'))
          throw new UnknownTemplate(`a computed key in ${this.#source}`)
        this.#need(']')
        of = { is: 'member', of, key: key.value }
      } else return of
    }
  }

  #atom(): Expression {
    const before = this.at
    const token = this.#next()
    if (token === '{') return { is: 'dictionary', entries: this.#until('}', () => this.#entry()) }
    if (token === '[') return { is: 'list', items: this.#until(']', () => this.#expression()) }
    if (token === '(') {
      const inner = this.#expression()
      this.#need(')')
      return inner
    }
    if (/^['"]/.test(token)) return { is: 'constant', value: unquoted(token) }
    if (/^\d/.test(token)) return { is: 'constant', value: Number(token) }
    if (token === 'value' || token === 'value_json') return { is: 'variable', name: token }
    const constant = CONSTANTS.get(token)
    if (constant !== undefined) return { is: 'constant', value: constant }
    if (/^\w/.test(token)) throw new UnknownTemplate(`${token} in ${this.#source}`)
    this.at = before
    throw this.#unexpected('a value')
  }

  #entry(): readonly [Expression, Expression] {
    const key = this.#expression()
    this.#need(':')
    return [key, this.#expression()]
  }

  #until<T>(end: string, one: () => T): T[] {
    const all: T[] = []
    while (!this.#take(end)) {
      if (all.length > 0) this.#need(',')
      all.push(one())
    }
    return all
  }

  #take(token: string): boolean {
    const before = this.at
    this.#skipSpace()
    if (this.at < this.#source.length && this.#peek() === token) {
      this.#next()
      return true
    }
    this.at = before
    return false
  }

  #need(token: string): void {
    if (!this.#take(token)) throw this.#unexpected(token)
  }

  #peek(): string | undefined {
    TOKEN.lastIndex = this.at
    return TOKEN.exec(this.#source)?.[1]
  }

  #next(): string {
    const token = this.#peek()
    if (token === undefined) throw this.#unexpected('}}')
    this.at = TOKEN.lastIndex
    return token
  }

  #skipSpace(): void {
    while (/\s/.test(this.#source[this.at] ?? '')) this.at++
  }

  /** At the end, or where a bracket closes what is not open, no Jinja goes on; elsewhere it may. */
  #unexpected(wanted: string): TemplateSyntaxError | UnknownTemplate {
    this.#skipSpace()
    const found = this.#source[this.at]
    const message = `${wanted} expected, not ${found ?? 'the end'}, in ${this.#source}`
    return found === undefined || /[}\]),:]/.test(found)
      ? new TemplateSyntaxError(message)
      : new UnknownTemplate(message)
  }
}

function unquoted(token: string): string {
  return token.slice(1, -1).replace(/\\(.)/g, (_escape, letter: string) => {
    if (letter === 'n') return '\n'
    if (letter === 't') return '\t'
    return letter
  })
}
