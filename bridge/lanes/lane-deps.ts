import type { Ledger } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import type { StopSignal } from '../../src/stop.ts'
import type { Encoding } from '../compression.ts'
import type { BridgeOwnSettings } from '../config.ts'
import type { BridgeEvents } from '../events.ts'
import type { LedgerPublisher } from '../ledger/ledger-publisher.ts'
import type { PipePath } from '../snowpipe/client.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { Spool } from '../spool/spool.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'
import type { AppendDeps } from './append-batch.ts'
import type { OpeningPace } from './opening-pace.ts'

/** What a lane needs of the bridge. */
export interface LaneDeps extends AppendDeps {
  readonly log: Log
  readonly events: BridgeEvents
  readonly spool: Spool
  readonly ledgers: LedgerPublisher
  /** How rows are compressed. */
  readonly encoding: Encoding
  /** How fast channels of a pipe are opened. */
  readonly openingPace: (pipe: PipePath) => OpeningPace
  /** How sure it must be that a channel has expired before nobody is asked. */
  readonly expiredChannels: BridgeOwnSettings['expired_channels']
  /** Reads the device's retained ledger; `null` when there is none. Waits for the broker. */
  readonly retainedLedger: (hostname: string, signal: StopSignal) => Promise<Ledger | null>
  /** Hears from the broker whether another bridge speaks now; ends this one if so. Not for long: the broker may be away. */
  readonly lookForRival: () => Promise<void>
  /** The pipe is served elsewhere since `since` (monotonic) at the latest: all its channels must be opened again. */
  readonly onMoved: (pipe: PipePath, since: number) => void
  /** Rows have left the spool. */
  readonly onTrimmed: () => void
  /** The spool has a new instance: everybody must hear of it. */
  readonly onRenewed: () => void
  /** Another bridge has taken this channel. */
  readonly onRival: (reason: string) => void
  /** A row that can never be stored; resolves when it is kept as a dead letter. */
  readonly onRefusedRow: (device: DeviceLog, row: SpooledRow, reason: string) => Promise<void>
}
