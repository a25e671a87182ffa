import type { Clock } from '../../src/clock.ts'
import { counted } from '../../src/counted.ts'
import type { CostSettings } from '../config.ts'
import type { Identity } from '../snowpipe/credentials.ts'
import type { Spool } from '../spool/spool.ts'
import { type Ailment, type AilmentParts, ailmentsOf } from './ailments.ts'
import type { AlertCode, Finding } from './alerts.ts'
import type { Today } from './today.ts'

export interface FindingParts extends AilmentParts {
  readonly today: Pick<Today, 'now' | 'lookAtBudget'>
  readonly cost: CostSettings
  /** What Snowflake is signed in to with. */
  readonly identity: Pick<Identity, 'expiresAt' | 'clockSkewMs'>
  readonly clock: Clock
}

/** Two weeks: a new token needs a person who has time for it. */
const EXPIRES_SOON_MS = 14 * 86_400_000
const NAMED_DEVICES = 5

/**
 * What an alert is worth, at this moment: the ailments that can be told by MQTT, and what needs no hand at once but an eye.
 * `behind` begins when a row has waited for too long, or a device stands still, and ends at half of that.
 */
export function findingsOf(parts: FindingParts, stands: (code: AlertCode) => boolean): Finding[] {
  const { clock, cost, identity, stalledAfter, today } = parts
  const now = clock.now()
  const { missing, rejected } = today.now
  const ailments = ailmentsOf(parts)
  const findings = ailments.flatMap(({ code, message, devices }): Finding[] => {
    if (code === 'broker_away' || code === 'stalled') return []
    return [{ code, message: devices === undefined ? message : `${message} (${named(devices)})` }]
  })
  const tooLate = stalledAfter * (stands('behind') ? 0.5 : 1)
  if (ailments.some(({ code }) => code === 'stalled') || lagMs(parts, now, ailments) > tooLate)
    findings.push({ code: 'behind', message: 'rows wait for too long before they get into the table' })
  if (missing > 0) findings.push({ code: 'missing', message: 'readings are missing today: snowhat ledger' })
  if (rejected > 0)
    findings.push({
      code: 'rejected',
      message: 'Snowflake could not store rows today: look at ERROR_TABLE of the table',
    })
  const { expiresAt } = identity
  if (expiresAt !== null && expiresAt - now < EXPIRES_SOON_MS)
    findings.push({
      code: 'credential_expires',
      message: `the token for Snowflake expires on ${new Date(expiresAt).toISOString().slice(0, 10)}`,
    })
  const month = today.lookAtBudget(cost)
  const money = (amount: number | null) => `${amount?.toFixed(2)} ${cost.currency}`
  if (month.level === 'projected')
    findings.push({
      code: 'budget_projected',
      message: `this month will cost ${money(month.atEnd)} at this rate, and its budget is ${money(month.budget)}`,
    })
  if (month.level === 'exceeded')
    findings.push({
      code: 'budget_exceeded',
      message: `this month has cost ${money(month.soFar)}, and its budget is ${money(month.budget)}`,
    })
  return findings
}

/** Milliseconds the oldest row has waited, without the rows of devices that are ailing in a way of their own. */
export function lagMs({ spool }: { spool: Spool }, now: number, ailments: readonly Ailment[] = []): number {
  const told = new Set(ailments.flatMap(({ code, devices }) => (code === 'stalled' ? [] : (devices ?? []))))
  let oldest = now
  for (const device of spool.devices())
    if (device.waiting > 0 && !told.has(device.hostname)) oldest = Math.min(oldest, device.waitingSince ?? now)
  return now - oldest
}

function named(devices: readonly string[]): string {
  const rest = devices.length - NAMED_DEVICES
  const names = devices.slice(0, NAMED_DEVICES).join(', ')
  return rest > 0 ? `${names} and ${counted(rest, 'other')}` : names
}
