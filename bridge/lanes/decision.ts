import { StreamSets } from '../../src/ledger.ts'
import type { OffsetToken } from '../offset-token.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import type { DeviceLog } from '../spool/device-log.ts'

/*
 * A lane is held where only a person can know what is in the table. This is what there is to decide, and what each
 * decision does to what the spool knows. Carried out at the opening that follows it (`open-channel.ts`), because only
 * an opening tells what is committed and leaves nothing uncommitted behind.
 */

/** Why a lane is held. */
export const HOLD_CODES = [
  /** Snowflake has parsed another number of rows than were sent. */
  'row_counts',
  /** The channel is not the one that was known: dropped, expired, or its table was replaced. */
  'another_channel',
  /** The channel has forgotten what it committed. */
  'forgotten_channel',
  /** Another version's ledger tells what is in the table, and this one cannot read it. */
  'unreadable_ledger',
  /** Another bridge has taken the channel; nothing to decide here, this bridge ends. */
  'rival',
] as const

export type HoldCode = (typeof HOLD_CODES)[number]

export interface Hold {
  readonly code: HoldCode
  readonly reason: string
  /** Epoch milliseconds. */
  readonly since: number
  /** `created_on_ms` of the channel that was found. */
  readonly incarnation: number | null
}

/** `keep`: what is known committed is in the table. `resend`: it is not. */
export type Choice = 'keep' | 'resend'

/** What a person has decided. Kept in the spool, so that a restart before it is carried out asks nobody again. */
export interface Decision {
  readonly choice: Choice
  readonly code: HoldCode
  readonly incarnation: number | null
  /** Epoch milliseconds. */
  readonly at: number
  readonly carriedOut: boolean
}

/** What each choice does, in words for the person who chooses. */
const EFFECTS: Readonly<Record<HoldCode, Readonly<Partial<Record<Choice, string>>>>> = {
  row_counts: {
    keep: 'the rows up to the committed token are taken as in the table and leave the spool; nothing of them is sent again',
    resend:
      'the rows up to the committed token are sent once more; those of them that are in the table are there twice then',
  },
  another_channel: {
    keep: 'what was committed is taken as in the table, and the rows in the spool are sent to the new channel; one that was committed just before is there twice then',
    resend:
      'the rows in the spool, and what the Pis still hold, are sent; readings that were committed before have left the Pis and cannot come back, and count as given up',
  },
  forgotten_channel: {
    keep: 'what was committed is taken as in the table, and the rows in the spool are sent; one that was committed just before is there twice then',
    resend:
      'the rows in the spool, and what the Pis still hold, are sent; readings that were committed before have left the Pis and cannot come back, and count as given up',
  },
  unreadable_ledger: {
    resend:
      'the rows in the spool are sent without knowing what the other bridge has committed; those of them that are in the table are there twice then',
  },
  rival: {},
}

/** The choices there are for a hold, and what each does. */
export function choicesFor(code: HoldCode): Readonly<Partial<Record<Choice, string>>> {
  return EFFECTS[code]
}

/** What was decided for just this: the same reason, and the same channel. */
export function decided(device: DeviceLog, code: HoldCode, status: ChannelStatus): Choice | undefined {
  const { decision } = device
  if (decision === null || decision.carriedOut) return undefined
  return decision.code === code && decision.incarnation === status.createdOnMs ? decision.choice : undefined
}

/** Whoever saves the device next saves this with it. */
export function markCarriedOut(device: DeviceLog): void {
  if (device.decision !== null) device.decision = { ...device.decision, carriedOut: true }
}

/** Row counts, `keep`: they agree from here on, whatever they were. Rejected rows are still counted. */
export function acceptCounts(device: DeviceLog, committed: OffsetToken, status: ChannelStatus): void {
  device.agreed = { parsed: status.rowsParsed - device.countTo(committed), errors: device.agreed.errors }
}

/**
 * `resend`: nothing that has left this spool is in the table. What is held stays; all else is declared, so that it is not
 * called missing for ever, and new should a publisher still have it. Gives what has left.
 */
export function forgetTable(device: DeviceLog): StreamSets {
  const { received, committed, declared, predecessor } = device
  const gone = committed.clone()
  if (predecessor !== null && !device.confirmed) gone.addAll(StreamSets.from(predecessor, 'committed'))
  const held = received.without(committed)
  declared.addAll(gone)
  received.clear()
  received.addAll(held)
  committed.clear()
  device.trimmed = null
  device.lastCommitAt = null
  // Its number stays: it tells an old ledger, heard again, from a new one.
  if (predecessor !== null) device.predecessor = { ...predecessor, streams: {}, runs: [], last_commit_at: null }
  device.said = null
  return gone
}
