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
  readonly phase: 'running' | 'draining'
  readonly pis: readonly PiView[]
  readonly ratePerSecond: number
  readonly waiting: number
  readonly missing: number
  readonly rows: number
  readonly data: string
  readonly ports: { readonly mqtt: number; readonly page: number; readonly snowpipe: number }
  readonly messages: readonly string[]
}

const BARS = '▁▂▃▄▅▆▇█'
const MOST_PIS = 14

type Style = (kind: 'bold' | 'dim' | 'cyan' | 'green' | 'yellow' | 'red', text: string) => string

/** Pure: the lines of one frame. */
export function frame(view: DemoView, colour: boolean): string[] {
  const style: Style = (kind, text) => (colour ? styleText(kind, text, { validateStream: false }) : text)
  const { mqtt, page, snowpipe } = view.ports
  const chain = [
    [`${view.pis.length} Pis`, `${view.ratePerSecond.toFixed(1)} readings/s`],
    ['broker', `:${mqtt}`],
    ['bridge', `${view.waiting} waiting`],
    ['Snowpipe', `:${snowpipe}`],
    ['table', `${thousands(view.rows)} rows`],
  ] as const
  const widths = chain.map(([top, bottom]) => Math.max(top.length, bottom.length))
  const arrow = ' ──► '
  const title =
    view.phase === 'draining' ? 'committing what is under way …' : 'Ctrl-C stops and proves that nothing is lost'
  return [
    `${style('bold', 'Snowhat')}  ${clockTime(view.elapsedSeconds)}  ${style('dim', title)}`,
    '',
    `  ${chain.map(([top], i) => style('cyan', top.padEnd(widths[i] ?? 0))).join(style('dim', arrow))}`,
    `  ${chain.map(([, bottom], i) => bottom.padEnd(widths[i] ?? 0)).join(' '.repeat(arrow.length))}`,
    '',
    style('dim', `  ${header()}`),
    ...view.pis.slice(0, MOST_PIS).map((pi) => `  ${piLine(pi, style)}`),
    ...(view.pis.length > MOST_PIS ? [style('dim', `  … and ${view.pis.length - MOST_PIS} more, on the page`)] : []),
    '',
    `  page            http://127.0.0.1:${page}/`,
    `  Home Assistant  add the MQTT integration with broker 127.0.0.1, port ${mqtt}: the Pis appear by themselves`,
    `  ask the table   npx snowhat query ${snowpipe === 8085 ? '' : `--url http://127.0.0.1:${snowpipe} `}"select hostname, count(*) from sensehat_sensor_data group by 1"`,
    `  rows            ${view.data}/warehouse.duckdb`,
    ...view.messages.map((message) => style('yellow', `  ${message}`)),
  ]
}

function header(): string {
  return `${'Pi'.padEnd(15)}${'temperature'.padEnd(32)}${'°C'.padStart(7)}${'%RH'.padStart(8)}${'hPa'.padStart(10)}${'published'.padStart(12)}${'in table'.padStart(11)}${'lag'.padStart(9)}`
}

function piLine(pi: PiView, style: Style): string {
  const { latest } = pi
  const number = (value: number | null | undefined, decimals: number) => (value == null ? '–' : value.toFixed(decimals))
  const lag = `${pi.lagSeconds.toFixed(1)} s`
  return [
    pi.hostname.padEnd(15),
    style('green', sparkline(pi.temperatures, 30).padEnd(32)),
    number(latest?.temperature, 2).padStart(7),
    number(latest?.humidity, 1).padStart(8),
    number(latest?.pressure, 1).padStart(10),
    thousands(pi.published).padStart(12),
    thousands(pi.inTable).padStart(11),
    pi.lagSeconds > 10 ? style('red', lag.padStart(9)) : lag.padStart(9),
  ].join('')
}

/** The last `width` values between their own lowest and highest, but never less than half a degree apart. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width)
  const low = Math.min(...shown)
  const span = Math.max(Math.max(...shown) - low, 0.5)
  return shown
    .map((value) => BARS[Math.min(BARS.length - 1, Math.floor(((value - low) / span) * BARS.length))])
    .join('')
}

export function thousands(n: number): string {
  return n.toLocaleString('en-US')
}

export function clockTime(seconds: number): string {
  const s = Math.floor(seconds)
  return [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map((n) => String(n).padStart(2, '0')).join(':')
}
