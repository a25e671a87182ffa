import { compareTokens, type OffsetToken, parseToken, sameToken } from '../offset-token.ts'
import { type Answer, noAnswer } from '../snowpipe/answer.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import { verdictOnChannel } from '../snowpipe/verdict.ts'
import type { DeviceLog } from '../spool/device-log.ts'

/** Why a channel has to be opened again; the causes are a label of a metric. */
export const REOPEN_CAUSES = [
  /** Snowflake says of the channel that it is of no use any more, in an answer or in its status. */
  'refused',
  /** The pipe has failed over to another cluster. */
  'moved',
  /** An append found no clear answer in time. */
  'no_answer',
  /** Rows that are not ours were committed. */
  'foreign_token',
  /** Nothing is committed for too long. */
  'no_commit',
  /** Snowflake does not know the channel. */
  'gone',
  /** A person has decided about a device that was held. */
  'decided',
  'internal_error',
] as const

export interface Reopen {
  readonly cause: (typeof REOPEN_CAUSES)[number]
  /** In words. */
  readonly reason: string
  /** Opening anew is worth one try; should it come again before anything was committed, a person must look. */
  readonly conflict?: Answer
}

/** What follows from a channel's status; `undefined` when nothing does. */
export type ChannelNews =
  | { readonly kind: 'committed'; readonly committed: OffsetToken }
  | ({ readonly kind: 'reopen' } & Reopen)

/** `atOpening`: what was committed then; the same again is no news, whoever wrote it. `late`: a commit is overdue. */
export function newsOf(
  status: ChannelStatus,
  atOpening: string | null,
  late: boolean,
  device: DeviceLog,
  instance: string,
): ChannelNews | undefined {
  const verdict = verdictOnChannel(status.code)
  if (verdict !== 'ok') {
    const reason = `the channel's status is ${status.code}`
    const conflict = verdict === 'reopen_once' ? { conflict: { ...noAnswer(reason), code: status.code } } : {}
    return { kind: 'reopen', cause: 'refused', reason, ...conflict }
  }
  const committed = status.committed === atOpening ? undefined : newsIn(status.committed, device, instance)
  if (committed === 'foreign')
    return { kind: 'reopen', cause: 'foreign_token', reason: `the committed token ${status.committed} is not ours` }
  if (committed !== undefined) return { kind: 'committed', committed }
  return late ? { kind: 'reopen', cause: 'no_commit', reason: 'nothing was committed for two minutes' } : undefined
}

/** What a committed token says of rows of this device that was not known: nothing, how far, or that others write here. */
function newsIn(text: string | null, device: DeviceLog, instance: string): OffsetToken | 'foreign' | undefined {
  if (text === null) return undefined
  const committed = parseToken(text)
  const { trimmed } = device
  // Rows have left up to it: said once more it is no news, whatever name it bears.
  if (committed !== undefined && trimmed !== null && sameToken(committed, trimmed)) return undefined
  const ours = committed?.owner === instance
  // Rows of before a change of name bear the old one.
  if (committed === undefined || !(ours || device.waits(committed))) return 'foreign'
  return trimmed === null || compareTokens(committed, trimmed) > 0 ? committed : undefined
}
