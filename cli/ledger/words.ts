import { describeBridge } from '../../src/bridge-info.ts'
import { counted } from '../../src/counted.ts'
import { type Interval, IntervalSet } from '../../src/intervals.ts'
import { alignedTable, type Column } from '../query/table.ts'
import { type Account, isWell } from './account.ts'
import type { Retained } from './retained.ts'

const NUMBERS: readonly (readonly [title: string, key: keyof Account])[] = [
  ['published', 'published'],
  ['received', 'received'],
  ['spooled', 'spooled'],
  ['committed', 'committed'],
  ['missing', 'missing'],
  ['given up', 'declared_gaps'],
  ['redelivered', 'redelivered'],
  ['late', 'late'],
  ['rejected', 'rejected'],
  ['dead letters', 'dead_letters'],
  ['waiting', 'lag_rows'],
]

/** All devices, one line each, and what it comes to. */
export function overviewOf(accounts: readonly Account[], retained: Retained, url: string): string {
  if (accounts.length === 0)
    return `no ledger at ${url}: no bridge has taken a reading there yet\n${bridgeLine(retained)}`
  const columns: Column[] = [
    { name: 'device', numeric: false },
    ...NUMBERS.map(([name]) => ({ name, numeric: true })),
    { name: 'lag', numeric: true },
    { name: 'lane', numeric: false },
  ]
  const rows = accounts.map((account) => [
    account.hostname,
    ...NUMBERS.map(([, key]) => String(account[key])),
    `${account.lag_seconds.toFixed(1)} s`,
    account.lane ?? '?',
  ])
  return [alignedTable(columns, rows), '', verdict(accounts), ...dearestLines(accounts), bridgeLine(retained)].join(
    '\n',
  )
}

/** Named as those that cost most. */
const DEAREST = 5

/** Who costs most this month, and whether that is too much; nothing where the bridge's page does not tell. */
function dearestLines(accounts: readonly Account[]): string[] {
  const dearest = accounts
    .filter(({ bytes }) => bytes !== null && bytes.billed_month > 0)
    .sort((a, b) => (b.bytes?.billed_month ?? 0) - (a.bytes?.billed_month ?? 0))
    .slice(0, DEAREST)
    .map(({ bytes, hostname }) => `${hostname} ${sizeOf(bytes)}`)
  const line = dearest.length > 0 && accounts.length > 1 ? [`most bytes this month: ${dearest.join(', ')}`] : []
  return [...line, ...accounts.flatMap(budgetLines)]
}

function budgetLines({ hostname, ledger: { budget } }: Account): string[] {
  if (budget === undefined) return []
  const what =
    budget.level === 'exceeded' ? 'the budget of this month is spent' : 'this month will cost more than its budget'
  return [`${what}; ${hostname} has cost most: ${budget.cost_month.toFixed(2)} ${budget.currency}`]
}

function sizeOf(bytes: Account['bytes']): string {
  if (bytes === null) return "unknown: the bridge's page does not answer"
  const megabytes = `${(bytes.billed_month / 1e6).toFixed(1)} MB`
  return bytes.cost_month === null ? megabytes : `${megabytes} (${bytes.cost_month.toFixed(2)} ${bytes.currency})`
}

/** One device: its numbers, its streams, and what a person has to decide. */
export function detailOf(account: Account, retained: Retained): string {
  const { ledger, hold } = account
  const width = Math.max(...NUMBERS.map(([title]) => title.length), 'last commit'.length)
  const line = (title: string, value: string) => `  ${title.padEnd(width)}  ${value}`
  const streams = Object.entries(ledger.streams).map(([stream, { spooled, committed, declared }]) => {
    const there = new IntervalSet(spooled)
    const givenUp = new IntervalSet(declared)
    const holes = there.holes(1, there.max ?? 0)
    const missing = holes.flatMap(([first, last]) => givenUp.holes(first, last))
    const missingSet = new IntervalSet(missing)
    const given = holes.flatMap(([first, last]) => missingSet.holes(first, last))
    return [stream, ranges(spooled), ranges(committed), ranges(missing), ranges(given)]
  })
  return [
    account.hostname,
    ...NUMBERS.map(([title, key]) => line(title, String(account[key]))),
    line('lag', `${account.lag_seconds.toFixed(1)} s`),
    line('last commit', account.last_commit_at ?? 'never'),
    line('this month', sizeOf(account.bytes)),
    line('lane', account.lane ?? "unknown: the bridge's page does not answer"),
    '',
    alignedTable(
      ['stream', 'spooled', 'committed', 'missing', 'given up'].map((name) => ({ name, numeric: false })),
      streams,
    ),
    ...(hold === null ? [] : ['', ...holdLines(account.hostname, hold)]),
    '',
    verdict([account]),
    ...budgetLines(account),
    bridgeLine(retained),
  ].join('\n')
}

function holdLines(hostname: string, hold: NonNullable<Account['hold']>): string[] {
  return [
    `held since ${hold.since}: ${hold.reason}`,
    ...(hold.queries.length === 0
      ? []
      : ['look first:', ...hold.queries.map((query) => `  ${query};`), 'then decide:']),
    ...Object.entries(hold.choices).flatMap(([choice, effect]) => [
      `  snowhat ledger ${hostname} --${choice}`,
      `      ${effect}`,
    ]),
  ]
}

function verdict(accounts: readonly Account[]): string {
  if (accounts.every(isWell)) return 'nothing is missing'
  return accounts.flatMap((account) => [...missingLines(account), ...heldLines(account)]).join('\n')
}

function missingLines({ hostname, missing }: Account): string[] {
  if (missing === 0) return []
  const what = `${hostname}: ${counted(missing, 'reading')} ${missing === 1 ? 'is' : 'are'} missing`
  return [
    `${what}; if the number stays while its Pi is online, its outbox does not hold them any more`,
    `  snowhat ledger ${hostname}   shows which; on the Pi: snowhat publisher outbox status`,
  ]
}

function heldLines({ hostname, hold }: Account): string[] {
  return hold === null
    ? []
    : [`${hostname}: held until you decide`, `  snowhat ledger ${hostname}   shows why, and what there is to decide`]
}

function bridgeLine({ bridge, online }: Retained): string {
  if (bridge === undefined) return 'no bridge has been at this broker'
  return `bridge ${online ? 'online' : 'offline'}: ${describeBridge(bridge)}`
}

const MOST_RANGES = 4

/** `1-100, 102`, and how many more there are when there are many. */
function ranges(intervals: readonly Interval[]): string {
  const shown = intervals.slice(-MOST_RANGES).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
  const more = intervals.length - shown.length
  return `${more > 0 ? `(${more} more) ` : ''}${shown.join(', ')}` || '-'
}
