/**
 * What Home Assistant does when the rule is broken:
 *
 * - `topic`: the message is ignored; `document`: all components are ignored; `component`: that entity is missing, or
 *   keeps its old configuration; `add`: that entity is refused when it is to be added;
 * - `advisory`: it works, with a warning; `silent`: it works, without what was meant, and nobody is told;
 * - `own`: Home Assistant does not mind; publishers here must.
 */
export type Level = 'topic' | 'document' | 'component' | 'add' | 'advisory' | 'silent' | 'own'

type Digit = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

/** The ids of the checklist (spec 4.3); `1.3` and `1.7` are rules of these sections that it has no id for. */
export type Rule =
  | 'T1'
  | 'T2'
  | `D${Digit | 10}`
  | `C${Digit}`
  | `C1${0 | Digit}`
  | 'C20'
  | `C2${1 | 2 | 3}`
  | '1.3'
  | '1.7'

export interface Finding {
  readonly rule: Rule
  readonly level: Level
  /** The component's key; absent when it is about the document. */
  readonly component?: string
  readonly message: string
}

/** Notes a finding; who judges a component gets one that names it. */
export type Report = (rule: Rule, level: Level, message: string) => void

/** A JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
