import { isFields } from '../judge/finding.ts'
import { type Expression, type Template, UnknownTemplate } from './syntax.ts'

/** What Home Assistant makes of a payload or of a command. */
export interface Rendered {
  readonly text: string
  /** `Template variable warning`: a value that was not there and was written as nothing. */
  readonly warnings: readonly string[]
}

/** The template raises: Home Assistant logs an error and keeps the state. */
export class TemplateError extends Error {}

/** `value` and, if it is JSON, `value_json`. What Python and JavaScript write differently is written as Python does. */
export function render(template: Template, value: string | number): Rendered {
  const variables = new Map<string, unknown>([['value', value]])
  try {
    variables.set('value_json', JSON.parse(String(value)))
  } catch {
    // A plain text: the template may use `value` alone.
  }
  const warnings: string[] = []
  const evaluation = new Evaluation(variables, (missing) =>
    warnings.push(`Template variable warning: ${missing} when rendering '${template.source}'`),
  )
  const texts = template.parts.map((part) => (typeof part === 'string' ? part : evaluation.print(part)))
  return { text: texts.join('').trim(), warnings }
}

/** What was looked up and not found. It prints as nothing and is false, with a warning; a member of it raises. */
class Missing {
  readonly what: string
  constructor(what: string) {
    this.what = what
  }
}

class Evaluation {
  readonly #variables: ReadonlyMap<string, unknown>
  readonly #warn: (missing: string) => void

  constructor(variables: ReadonlyMap<string, unknown>, warn: (missing: string) => void) {
    this.#variables = variables
    this.#warn = warn
  }

  print(expression: Expression): string {
    const value = this.#evaluate(expression)
    if (value instanceof Missing) {
      this.#warn(value.what)
      return ''
    }
    if (value === null) return 'None'
    if (typeof value === 'boolean') return value ? 'True' : 'False'
    if (typeof value === 'object') throw new UnknownTemplate('a dictionary or list printed without tojson')
    return String(value)
  }

  #evaluate(expression: Expression): unknown {
    switch (expression.is) {
      case 'constant':
        return expression.value
      case 'variable':
        return this.#variables.has(expression.name)
          ? this.#variables.get(expression.name)
          : new Missing(`'${expression.name}' is undefined`)
      case 'member':
        return member(this.#evaluate(expression.of), expression.key)
      case 'dictionary':
        return Object.fromEntries(expression.entries.map(([key, value]) => [this.print(key), this.#evaluate(value)]))
      case 'list':
        return expression.items.map((item) => this.#evaluate(item))
      case 'choice':
        return this.#isTrue(this.#evaluate(expression.test))
          ? this.#evaluate(expression.then)
          : this.#evaluate(expression.otherwise)
      case 'json':
        return toJson(this.#evaluate(expression.of))
    }
  }

  /** As Python sees it: empty texts, lists and dictionaries are false. */
  #isTrue(value: unknown): boolean {
    if (value instanceof Missing) {
      this.#warn(value.what)
      return false
    }
    if (Array.isArray(value)) return value.length > 0
    if (isFields(value)) return Object.keys(value).length > 0
    return Boolean(value)
  }
}

function member(of: unknown, key: string | number): unknown {
  if (of instanceof Missing) throw new TemplateError(of.what)
  const found = Array.isArray(of) ? of[Number(key)] : isFields(of) && Object.hasOwn(of, key) ? of[key] : undefined
  return found === undefined ? new Missing(`'${pythonType(of)}' has no attribute '${key}'`) : found
}

function pythonType(value: unknown): string {
  if (value === null) return 'None'
  if (Array.isArray(value)) return 'list object'
  return typeof value === 'object' ? 'dict object' : typeof value
}

/** Jinja's filter sorts keys and writes what HTML or ASCII lacks as `\uXXXX`: the same JSON in other letters. */
function toJson(value: unknown): string {
  return sorted(value).replace(
    /[<>&'\u0080-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function sorted(value: unknown): string {
  if (value instanceof Missing) throw new TemplateError(value.what)
  if (Array.isArray(value)) return `[${value.map(sorted).join(', ')}]`
  if (!isFields(value)) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${sorted(item)}`).join(', ')}}`
}
