import { styleText } from 'node:util'
import type { Reading } from '../../src/reading.ts'

/** What the demo shows of one Pi. */
export interface PiView {
  readonly hostname: string
  readonly latest: Reading | undefined
  readonly temperatures: readonly number[]
  readonly published: number
  readonly inTable: number
  /** Seconds the oldest reading waits that is not in the table. */
  readonly lagSeconds: number
}

export interface DemoView {
  readonly elapsedSeconds: number
  readonly phase: 'running' | 'draining' | 'stopped'
  readonly pis: readonly PiView[]
  readonly ratePerSecond: number
  readonly data: string
  readonly ports: { readonly mqtt: number; readonly page: number; readonly snowpipe: number }
  readonly messages: readonly string[]
}

/** Of the terminal, in characters. */
export interface Size {
  readonly columns: number
  readonly rows: number
}

const BARS = '▁▂▃▄▅▆▇█'
/** From here on everything has its place. */
const WIDE = 110
/** Columns of a Pi's line without its sparkline, on a terminal that is not wide. */
const WITHOUT_SPARKLINE = 56
const SPARKLINE = 32
const TITLES = {
  running: 'Ctrl-C stops and proves that nothing is lost',
  draining: 'committing what is under way …',
  stopped: 'stopped',
} as const

type Style = (kind: 'bold' | 'dim' | 'cyan' | 'green' | 'yellow' | 'red', text: string) => string

/** Pure: the lines of one frame, none longer than the terminal is wide, and fewer than it has rows. */
export function frame(view: DemoView, colour: boolean, size: Size): string[] {
  const style: Style = (kind, text) => (colour ? styleText(kind, text, { validateStream: false }) : text)
  const head = [
    `${style('bold', 'Snowhat')}  ${clockTime(view.elapsedSeconds)}  ${style('dim', TITLES[view.phase])}`,
    '',
    ...chain(view, size, style),
    '',
    style('dim', `  ${header(size)}`),
  ]
  const messages = view.messages.map((message) => style('yellow', `  ${message}`))
  // One row stays free: the cursor is below the last line.
  const room = size.rows - 1 - head.length - messages.length
  const links = ['', ...linkLines(view, size)]
  const foot = room - links.length < Math.min(view.pis.length, 4) ? [] : links
  return [...head, ...piLines(view.pis, room - foot.length, size, style), ...foot, ...messages]
    .slice(0, Math.max(size.rows - 1, 1))
    .map((line) => cut(line, size.columns))
}

/** Published, in the table, and what is between the two. */
export function sums({ pis }: Pick<DemoView, 'pis'>): { published: number; inTable: number; onTheWay: number } {
  const published = pis.reduce((sum, pi) => sum + pi.published, 0)
  const inTable = pis.reduce((sum, pi) => sum + pi.inTable, 0)
  return { published, inTable, onTheWay: published - inTable }
}

function chain(view: DemoView, { columns }: Size, style: Style): string[] {
  const { inTable, onTheWay } = sums(view)
  const stations = [
    [`${view.pis.length} ${view.pis.length === 1 ? 'Pi' : 'Pis'}`, `${view.ratePerSecond.toFixed(1)} readings/s`],
    ['broker', `:${view.ports.mqtt}`],
    ['bridge', `${thousands(onTheWay)} on the way`],
    ['Snowpipe', `:${view.ports.snowpipe}`],
    ['table', `${thousands(inTable)} rows`],
  ] as const
  const widths = stations.map(([top, bottom]) => Math.max(top.length, bottom.length))
  const arrow = columns < WIDE ? ' ► ' : ' ──► '
  return [
    `  ${stations.map(([top], i) => style('cyan', top.padEnd(widths[i] ?? 0))).join(style('dim', arrow))}`,
    `  ${stations.map(([, bottom], i) => bottom.padEnd(widths[i] ?? 0)).join(' '.repeat(arrow.length))}`,
  ]
}

function piLines(pis: readonly PiView[], room: number, size: Size, style: Style): string[] {
  const shown = pis.length <= room ? pis : pis.slice(0, Math.max(room - 1, 0))
  const more = pis.length - shown.length
  return [
    ...shown.map((pi) => `  ${piLine(pi, size, style)}`),
    ...(more > 0 ? [style('dim', `  … and ${more} more, on the page`)] : []),
  ]
}

/** Where else one can look. What is stopped has no address. */
function linkLines({ phase, ports, data }: DemoView, { columns }: Size): string[] {
  const rows = `  rows            ${data}/warehouse.duckdb`
  if (phase === 'stopped') return [rows]
  const wide = columns >= WIDE
  const query = `npx snowhat query ${ports.snowpipe === 8085 ? '' : `--url http://127.0.0.1:${ports.snowpipe} `}`
  const select = wide
    ? 'select hostname, count(*) from sensehat_sensor_data group by 1'
    : 'select count(*) from sensehat_sensor_data'
  return [
    `  page            http://127.0.0.1:${ports.page}/`,
    wide
      ? `  Home Assistant  add the MQTT integration with broker 127.0.0.1, port ${ports.mqtt}: the Pis appear by themselves`
      : `  Home Assistant  MQTT integration with broker 127.0.0.1, port ${ports.mqtt}`,
    `  ask the table   ${query}"${select}"`,
    rows,
  ]
}

/** Width of the temperature's column; 0 where there is no place for it. */
function sparklineWidth(columns: number): number {
  const place = Math.min(SPARKLINE, columns - WITHOUT_SPARKLINE)
  return place < 'temperature  '.length ? 0 : place
}

function header({ columns }: Size): string {
  const width = sparklineWidth(columns)
  return [
    'Pi'.padEnd(15),
    width > 0 ? 'temperature'.padEnd(width) : '',
    '°C'.padStart(7),
    ...(columns < WIDE ? [] : ['%RH'.padStart(8), 'hPa'.padStart(10)]),
    'published'.padStart(12),
    'in table'.padStart(11),
    'lag'.padStart(9),
  ].join('')
}

function piLine(pi: PiView, { columns }: Size, style: Style): string {
  const { latest } = pi
  const number = (value: number | null | undefined, decimals: number) => (value == null ? '–' : value.toFixed(decimals))
  const lag = `${pi.lagSeconds.toFixed(1)} s`
  const width = sparklineWidth(columns)
  return [
    pi.hostname.padEnd(15),
    width > 0 ? style('green', sparkline(pi.temperatures, width - 2).padEnd(width)) : '',
    number(latest?.temperature, 2).padStart(7),
    ...(columns < WIDE ? [] : [number(latest?.humidity, 1).padStart(8), number(latest?.pressure, 1).padStart(10)]),
    thousands(pi.published).padStart(12),
    thousands(pi.inTable).padStart(11),
    pi.lagSeconds > 10 ? style('red', lag.padStart(9)) : lag.padStart(9),
  ].join('')
}

/** The last `width` values between their own lowest and highest, but never less than 0.3 degrees apart. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width)
  const low = Math.min(...shown)
  const span = Math.max(Math.max(...shown) - low, 0.3)
  return shown
    .map((value) => BARS[Math.min(BARS.length - 1, Math.floor(((value - low) / span) * BARS.length))])
    .join('')
}

/** At most `columns` visible characters. Colour codes take no place, and all of them stay: one of them ends the colour. */
export function cut(line: string, columns: number): string {
  const [first = '', ...coded] = line.split('\x1b')
  const parts = [['', first], ...coded.map((part) => codeAndText(part))] as const
  const length = parts.reduce((sum, [, text]) => sum + [...text].length, 0)
  if (length <= columns) return line
  let left = Math.max(columns - 1, 0)
  let marked = columns < 1
  return parts
    .map(([code, text]) => {
      const all = [...text]
      const kept = all.slice(0, left)
      left -= kept.length
      const mark = !marked && kept.length < all.length ? '…' : ''
      marked ||= mark !== ''
      return `${code}${kept.join('')}${mark}`
    })
    .join('')
}

function codeAndText(part: string): readonly [string, string] {
  const end = part.indexOf('m') + 1
  return [`\x1b${part.slice(0, end)}`, part.slice(end)]
}

export function thousands(n: number): string {
  return n.toLocaleString('en-US')
}

export function clockTime(seconds: number): string {
  const s = Math.floor(seconds)
  return [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map((n) => String(n).padStart(2, '0')).join(':')
}
