import type { BridgeInfo } from '../src/bridge-info.ts'
import type { Clock } from '../src/clock.ts'
import { within } from '../src/within.ts'
import type { Lanes } from './lanes/lanes.ts'
import type { LedgerPublisher } from './ledger/ledger-publisher.ts'
import type { Answers } from './requests.ts'
import type { Spool } from './spool/spool.ts'
import type { StatusSource } from './status/source.ts'

export interface AnswersDeps {
  readonly clock: Clock
  readonly spool: Pick<Spool, 'devices'>
  readonly lanes: Pick<Lanes, 'flush'>
  readonly ledgers: Pick<LedgerPublisher, 'flush'>
  readonly status: Pick<StatusSource, 'device' | 'devices' | 'health'>
  readonly info: () => BridgeInfo
  readonly stopping: () => boolean
}

/** How long an answer to `flush` waits for the rows to be committed, and for the broker to take the ledgers. */
const FLUSH_MS = 10_000
const LEDGERS_MS = 2_000
const LOOK_MS = 50

/** What a running bridge answers: the same as over HTTP, and `flush`. */
export function answersOf({ clock, spool, lanes, ledgers, status, info, stopping }: AnswersDeps): Answers {
  return {
    about: info,
    health: () => status.health(),
    ledger: (hostname) => (hostname === undefined ? { devices: status.devices() } : status.device(hostname)),
    flush: async () => {
      lanes.flush()
      // Not `rows`: those on the disk wait as well.
      const waiting = new Set([...spool.devices()].filter((device) => device.waiting > 0))
      const until = clock.monotonic() + FLUSH_MS
      while (waiting.size > 0 && clock.monotonic() < until && !stopping()) {
        await clock.sleep(LOOK_MS)
        for (const device of waiting) if (device.waiting === 0) waiting.delete(device)
      }
      await within(LEDGERS_MS, clock, () => ledgers.flush())
      const rows = [...spool.devices()].reduce((sum, device) => sum + device.waiting, 0)
      return { flushed: waiting.size === 0, rows_waiting: rows }
    },
  }
}
