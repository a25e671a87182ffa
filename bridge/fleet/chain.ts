import type { AlertCode } from '../status/alerts.ts'
import type { Health } from '../status/health.ts'

/** A station on the way of a reading. */
export type StageName = 'pis' | 'broker' | 'spool' | 'snowflake'

/** `unknown`: nothing was asked of it lately. */
export type StageState = 'ok' | 'warning' | 'bad' | 'unknown'

export interface StageProblem {
  readonly code: string
  readonly severity: Severity
  /** What is wrong, and what to do. */
  readonly message: string
  readonly remedy: string
  /** Epoch milliseconds. */
  readonly since: number
}

export interface Stage {
  readonly name: StageName
  readonly state: StageState
  /** Since when it is connected, or is not; epoch milliseconds, `null` where nobody knows. */
  readonly since: number | null
  readonly problems: readonly StageProblem[]
}

export interface Chain {
  readonly stages: readonly Stage[]
  /** As a device reaches the broker, without a password. */
  readonly broker_url: string
  readonly health: Health
}

/** A problem at its place. */
interface Found {
  readonly stage: StageName
  readonly problem: StageProblem
}

type Severity = 'warning' | 'bad'
type Place = readonly [stage: StageName, severity: Severity, remedy: string]

const WHERE: Readonly<Record<AlertCode, Place>> = {
  held: ['snowflake', 'bad', 'open the device: it shows the statements to look with, and the command that goes on'],
  blocked: [
    'snowflake',
    'bad',
    'see to the key, the grants or the names in the settings; the bridge tries every minute',
  ],
  behind: ['snowflake', 'warning', 'rows are safe in the spool; look whether Snowflake can be reached, and at the log'],
  missing: ['pis', 'warning', 'the devices below show which; the Pi may have restarted without its outbox'],
  rejected: ['snowflake', 'warning', 'the rows are in the error table, with the reason of each'],
  spool_full: ['spool', 'bad', 'let Snowflake take rows, or raise spool.max_bytes; broker and Pis keep what comes'],
  ledger_refused: ['broker', 'bad', 'let the bridge write sensehat/bridge/#: without ledgers no row is sent'],
  dead_letters_not_kept: ['spool', 'bad', 'make room on the disk of the spool; the letters are in the log meanwhile'],
  duplicate_channel_owner: ['snowflake', 'bad', 'stop the other program that uses the channel'],
  rival: ['broker', 'bad', 'one bridge per broker: stop the other one'],
  credential_expires: ['snowflake', 'warning', 'make a new token and put it into snowflake.pat_file'],
  budget_projected: ['snowflake', 'warning', 'longer intervals at the Pis cost less; snowhat ledger lists the dearest'],
  budget_exceeded: [
    'snowflake',
    'bad',
    'rows go on; longer intervals at the Pis cost less, or raise cost.budget_per_month',
  ],
}

export interface ChainFacts {
  readonly health: Health
  readonly alerts: readonly { readonly code: AlertCode; readonly message: string; readonly since: number }[]
  /** Since when the broker is there, or is away. */
  readonly brokerSince: number
  readonly brokerUrl: string
}

/** The way of a reading at a glance: at which station it is disturbed, since when, and what to do. Pure. */
export function chainOf({ health, alerts, brokerSince, brokerUrl }: ChainFacts): Chain {
  const found = alerts.map(({ code, message, since }): Found => {
    const [stage, severity, remedy] = WHERE[code]
    return { stage, problem: { code, severity, message, remedy, since } }
  })
  if (!health.mqtt_connected)
    found.push({
      stage: 'broker',
      problem: {
        code: 'broker_away',
        severity: 'bad',
        message: 'the broker cannot be reached',
        remedy: 'look whether it runs, and at mqtt.url, user and password; the Pis keep their readings meanwhile',
        since: brokerSince,
      },
    })
  if (health.snowflake.reachable === false)
    found.push({
      stage: 'snowflake',
      problem: {
        code: 'snowflake_away',
        severity: 'bad',
        message: 'Snowflake does not answer',
        remedy: 'nothing is lost, rows wait in the spool; look at the internet connection and at snowflake.account',
        since: timeOf(health.snowflake.answered_at) ?? timeOf(health.started_at) ?? brokerSince,
      },
    })
  const stage = (name: StageName, since: number | null, known = true): Stage => {
    const here = found.filter((one) => one.stage === name)
    const worst = here.some(({ problem }) => problem.severity === 'bad') ? 'bad' : 'warning'
    return {
      name,
      state: here.length > 0 ? worst : known ? 'ok' : 'unknown',
      since,
      problems: here.map(({ problem }) => problem),
    }
  }
  return {
    stages: [
      stage('pis', null, health.devices > 0),
      stage('broker', brokerSince),
      stage('spool', timeOf(health.started_at)),
      stage('snowflake', timeOf(health.snowflake.answered_at), health.snowflake.reachable === true),
    ],
    broker_url: withoutPassword(brokerUrl),
    health,
  }
}

/** User and password are the bridge's own, and so may be what follows a `?`. The path is where a broker of WebSockets listens. */
function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return ''
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname.replace(/^\/$/, '')}`
}

function timeOf(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso)
}
