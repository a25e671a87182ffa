import { stripVTControlCharacters, styleText } from 'node:util'
import { settingPaths } from '../../src/config.ts'
import { counted } from '../../src/counted.ts'
import { withoutUserInfo } from '../../src/log.ts'
import type { AllSettings, Output } from '../command.ts'
import { allSections } from '../sections.ts'
import { FINDINGS, type Finding, type FindingId, type Group, groupOf, type Status } from './finding.ts'

const HEADINGS: Readonly<Record<Group, string>> = {
  configuration: 'Configuration',
  machine: 'This machine',
  broker: 'Broker',
  bridge: 'Bridge',
  pi: 'Pi',
  snowflake: 'Snowflake',
}

const MARKS: Readonly<Record<Status, readonly [mark: string, colour: 'green' | 'yellow' | 'red' | 'gray']>> = {
  ok: ['✓', 'green'],
  warn: ['!', 'yellow'],
  broken: ['✗', 'red'],
  skipped: ['–', 'gray'],
}

/** They show that something is wrong and not what: whatever else is broken explains them. */
const CONSEQUENCES: ReadonlySet<FindingId> = new Set(['bridge.health', 'broker.readings', 'snowflake.canary'])

/** Shorter ones could be any word. */
const SHORTEST_SECRET = 4

export interface Summary {
  readonly ok: number
  readonly warn: number
  readonly broken: number
  readonly skipped: number
  /** The one to begin with. */
  readonly first: Finding | null
}

export function summaryOf(findings: readonly Finding[]): Summary {
  const those = (status: Status) => findings.filter((finding) => finding.status === status)
  const begin = (some: readonly Finding[]) => some.find(({ id }) => !CONSEQUENCES.has(id)) ?? some[0]
  const first = begin(those('broken')) ?? begin(those('warn')) ?? null
  const count = (status: Status) => those(status).length
  return { ok: count('ok'), warn: count('warn'), broken: count('broken'), skipped: count('skipped'), first }
}

/** Takes the values of all secrets out of texts, wherever they may have come from. */
export function secretsRemover(settings: AllSettings): (finding: Finding) => Finding {
  const values = settings as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  const secrets = [...settingPaths(allSections)].flatMap(([path, setting]) => {
    const [section = '', key = ''] = path.split('.')
    const value = values[section]?.[key]
    return setting.secret && typeof value === 'string' && value.length >= SHORTEST_SECRET ? [value] : []
  })
  const clean = (text: string) =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), withoutUserInfo(text))
  return (finding) => ({
    ...finding,
    what: clean(finding.what),
    ...(finding.why !== undefined && { why: clean(finding.why) }),
    ...(finding.fix !== undefined && { fix: clean(finding.fix) }),
    ...(finding.sql !== undefined && { sql: clean(finding.sql) }),
  })
}

/** Writes each check as it ends, in the order of the list, below the heading of its group. */
export class Report {
  readonly #output: Output
  #group: Group | undefined
  #skippedFor: string | undefined

  constructor(output: Output) {
    this.#output = output
  }

  add(findings: readonly Finding[]): void {
    for (const finding of findings) this.#write(finding)
  }

  /** A line that the next one takes the place of; on a terminal only. */
  progress(text: string): void {
    if (this.#output.isTTY === true) this.#output.write(`\r\u001b[K${this.#styled('gray', text)}`)
  }

  end({ broken, warn, ok, skipped, first }: Summary): void {
    this.progress('')
    const words = [
      broken === 0 ? 'nothing is broken' : `${broken} broken`,
      ...(warn === 0 ? [] : [counted(warn, 'warning')]),
      `${ok} in order`,
      ...(skipped === 0 ? [] : [`${skipped} not looked at`]),
    ]
    this.#line('')
    this.#line(this.#styled(broken > 0 ? 'red' : warn > 0 ? 'yellow' : 'green', words.join(', ')))
    if (first !== null && broken + warn > 0)
      this.#wrapped('', `Begin with ${first.id}: ${first.fix ?? first.what}`, '  ')
  }

  #write(finding: Finding): void {
    this.progress('')
    const group = groupOf(finding.id)
    if (group !== this.#group) {
      this.#line(`${this.#group === undefined ? '' : '\n'}${this.#styled('bold', HEADINGS[group])}`)
      this.#group = group
      this.#skippedFor = undefined
    }
    // Many are skipped for one reason: it is said once in a group.
    if (finding.status === 'skipped' && finding.why === this.#skippedFor) return
    this.#skippedFor = finding.status === 'skipped' ? finding.why : undefined
    const [mark, colour] = MARKS[finding.status]
    const head = `  ${this.#styled(colour, mark)} ${this.#styled('gray', finding.id.padEnd(WIDTH))} `
    this.#wrapped(head, sentenceOf(finding), `${INDENT}  `, finding.status === 'skipped' ? 'gray' : undefined)
    if (finding.status === 'skipped') return
    const { why, fix, sql, status } = finding
    if (why !== undefined) this.#more(status === 'ok' ? '     ' : 'why  ', why)
    if (fix !== undefined) this.#more('fix  ', fix)
    if (sql !== undefined)
      for (const line of ['', ...sql.split('\n'), '']) this.#line(line === '' ? '' : `${INDENT}     ${line}`)
  }

  #more(label: string, text: string): void {
    this.#wrapped(`${INDENT}${this.#styled('gray', label)}`, text, `${INDENT}${' '.repeat(label.length)}`)
  }

  /** Wrapped between words on a terminal; elsewhere one line, so that it can be searched. */
  #wrapped(head: string, text: string, indent: string, colour?: 'gray'): void {
    const shown = (words: string) => (colour === undefined ? words : this.#styled(colour, words))
    const [first = '', ...rest] = linesOf(text, this.#width, stripVTControlCharacters(head).length, indent.length)
    this.#line(`${head}${shown(first)}`)
    for (const line of rest) this.#line(`${indent}${shown(line)}`)
  }

  get #width(): number {
    const { isTTY, columns = 80 } = this.#output
    return isTTY === true ? columns : Number.POSITIVE_INFINITY
  }

  #line(text: string): void {
    this.#output.write(`${text}\n`)
  }

  #styled(format: 'bold' | 'green' | 'yellow' | 'red' | 'gray', text: string): string {
    return this.#output.isTTY === true ? styleText(format, text) : text
  }
}

const WIDTH = Math.max(...Object.keys(FINDINGS).map((id) => id.length))
const INDENT = '      '

function sentenceOf({ status, what, why }: Finding): string {
  return status === 'skipped' ? `not looked at: ${why}` : what
}

/** Words in lines that end before `width`; a word that is longer than a line stands by itself. */
function linesOf(text: string, width: number, head: number, indent: number): string[] {
  const lines: string[] = []
  let line: string | undefined
  for (const word of text.split(' ')) {
    const room = width - (lines.length === 0 ? head : indent)
    if (line === undefined) line = word
    else if (line.length + 1 + word.length <= room) line += ` ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line ?? '']
}
