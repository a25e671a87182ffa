import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Audit, rowsOf } from './audit.ts'

interface Evidence {
  readonly warehouse: string
  /** As /api/devices gave them last. */
  readonly devices: readonly object[]
  readonly logs: string
}

interface DeviceView {
  readonly hostname: string
  readonly ledger: {
    readonly streams: Readonly<
      Record<string, { readonly spooled: [number, number][]; readonly committed: [number, number][] }>
    >
  }
}

/** Told of each kind at most; a whole stream that is missing tells nothing new with each of its readings. */
const MOST = 10
const AROUND = 2

/** What can be said of each reading that is not in the table once: lines for the chronicle. */
export async function storiesOf(audit: Audit, evidence: Evidence): Promise<string[]> {
  const lines: string[] = []
  for (const { uuid, at } of audit.missing.slice(0, MOST))
    lines.push(`MISSING ${uuid}, taken at ${new Date(at).toISOString()}`, ...(await about(uuid, evidence)))
  for (const [uuid, copies] of audit.duplicates.slice(0, MOST))
    lines.push(`${copies} TIMES ${uuid}`, ...(await about(uuid, evidence)))
  for (const uuid of audit.strangers.slice(0, MOST)) lines.push(`NOBODY'S ${uuid}`)
  for (const gap of audit.gaps.slice(0, MOST)) lines.push(`GAP ${gap}`)
  for (const { uuid } of audit.excused) lines.push(`in hand at a kill: ${uuid}`)
  const { missing, duplicates, gaps } = audit
  for (const [what, n] of Object.entries({ missing, duplicates, gaps }).map(([k, v]) => [k, v.length] as const))
    if (n > MOST) lines.push(`… ${n} ${what} in all`)
  return lines
}

async function about(uuid: string, { warehouse, devices, logs }: Evidence): Promise<string[]> {
  const [, hostname = '', stream = '', number = ''] = /^(.*)-([^-]+)-(\d+)$/.exec(uuid) ?? []
  const seq = Number(number)
  const device = devices.find((one) => (one as DeviceView).hostname === hostname) as DeviceView | undefined
  const state = device?.ledger.streams[stream]
  const has = (ranges: [number, number][] | undefined) => ranges?.some(([first, last]) => first <= seq && seq <= last)
  const ledger =
    state === undefined
      ? 'does not list the stream'
      : `says spooled ${has(state.spooled)}, committed ${has(state.committed)}`
  const near = await rowsOf(
    warehouse,
    `hostname = '${hostname}' AND (stream = '${stream}' AND abs(seq - ${seq}) <= ${AROUND} OR after LIKE '${stream}.%')`,
  )
  const deadLetters = readdirSync(logs)
    .flatMap((file) => readFileSync(join(logs, file), 'utf8').split('\n'))
    .filter((line) => line.includes('dead letter') && line.includes(hostname))
  return [
    `    the ledger ${ledger}`,
    ...near.map((row) => `    row ${JSON.stringify(row, (_k, v) => (typeof v === 'bigint' ? Number(v) : v))}`),
    ...deadLetters.slice(0, MOST).map((line) => `    ${line}`),
  ]
}
