import { counted } from '../../src/counted.ts'
import { alignedTable } from '../query/table.ts'
import type { BridgeForgot } from './bridge-side.ts'
import type { RetainedMessage } from './device-topics.ts'

/** What was done, or would be. */
export interface Outcome {
  readonly hostname: string
  readonly dryRun: boolean
  readonly messages: readonly RetainedMessage[]
  readonly bridgeRuns: boolean
  /** `undefined`: no bridge runs, it did not know the device, or it was not asked. */
  readonly forgot: BridgeForgot | undefined
}

export function outcomeWords(outcome: Outcome): string {
  const { hostname, messages, dryRun } = outcome
  const columns = [
    { name: dryRun ? 'would be emptied' : 'emptied', numeric: false },
    { name: 'bytes', numeric: true },
  ]
  const rows = messages.map(({ topic, payload }) => [topic, String(payload.length)])
  const what = `${counted(messages.length, 'retained message')} of ${hostname}`
  return [
    ...(messages.length === 0 ? [] : [alignedTable(columns, rows), '']),
    dryRun ? `${what} would be emptied; nothing was done` : `${what} emptied; the broker holds none any more`,
    ...bridgeWords(outcome),
  ].join('\n')
}

function bridgeWords({ dryRun, bridgeRuns, forgot, hostname }: Outcome): string[] {
  if (!bridgeRuns) return []
  if (dryRun) return ['the bridge would forget it']
  if (forgot === undefined) return ['the bridge did not know it']
  const { channel, rows_given_up } = forgot
  return [
    'the bridge has forgotten it, but for what is in the table: nothing comes twice should it come back',
    ...(rows_given_up === 0
      ? []
      : [`${counted(rows_given_up, 'reading')} that waited ${rows_given_up === 1 ? 'was' : 'were'} given up`]),
    channel === 'dropped'
      ? 'its channel is dropped; its rows stay in the table'
      : `its channel stays, and costs nothing; snowhat forget ${hostname} --channel drops it`,
  ]
}

export function outcomeJson({ hostname, dryRun, messages, bridgeRuns, forgot }: Outcome): string {
  return JSON.stringify({
    hostname,
    dry_run: dryRun,
    topics: messages.map(({ topic, payload }) => ({ topic, bytes: payload.length })),
    bridge: dryRun ? null : forgot !== undefined ? 'forgot' : bridgeRuns ? 'did not know it' : 'not running',
    rows_given_up: forgot?.rows_given_up ?? 0,
    channel: forgot?.channel ?? null,
  })
}
