import type { Ledger } from '../../src/ledger.ts'
import type { BackPressure } from '../back-pressure.ts'
import type { DeadLetters } from '../dead-letters.ts'
import type { BridgeEvents } from '../events.ts'
import type { Lanes } from '../lanes/lanes.ts'
import type { LedgerPublisher } from '../ledger/ledger-publisher.ts'
import type { Spool } from '../spool/spool.ts'
import type { StatusSource } from './server.ts'

/** The parts of a running bridge that the page and the API tell of. */
export interface StatusParts {
  readonly target: string
  readonly connected: () => boolean
  readonly stopping: () => boolean
  readonly events: BridgeEvents
  readonly spool: Spool
  readonly lanes: Lanes
  readonly ledgers: LedgerPublisher
  readonly pressure: BackPressure
  readonly deadLetters: DeadLetters
}

export function statusSource(parts: StatusParts): StatusSource {
  const { events, lanes, ledgers, spool } = parts
  const again = { channels_reopened: 0, rows_replayed: 0 }
  events.on('channel:reopened', (_device, _reason, rows) => {
    again.channels_reopened++
    again.rows_replayed += rows
  })
  const laneStates = () => new Map([...lanes].map((lane) => [lane.device.hostname, lane.state]))
  return {
    ready: () => !parts.stopping() && parts.connected(),
    health: () => {
      const devices = [...spool.devices()]
      return {
        mqtt_connected: parts.connected(),
        target: parts.target,
        devices: devices.length,
        rows_waiting: devices.reduce((sum, device) => sum + device.waiting, 0),
        spool_bytes: spool.bytes,
        redelivered: devices.reduce((sum, device) => sum + device.counters.redelivered, 0),
        ...again,
        dead_letters: parts.deadLetters.total,
        dead_letters_by_code: Object.fromEntries(parts.deadLetters.byCode),
        problems: problemsOf(parts),
      }
    },
    devices: () => {
      const states = laneStates()
      return [...spool.devices()]
        .sort((a, b) => a.hostname.localeCompare(b.hostname))
        .map((device) => view(device.hostname, states.get(device.hostname), ledgers.current(device)))
    },
    device: (hostname) => {
      const device = [...spool.devices()].find((one) => one.hostname === hostname)
      return device && view(hostname, laneStates().get(hostname), ledgers.current(device))
    },
  }
}

function problemsOf({ lanes, ledgers, pressure }: StatusParts): string[] {
  return [
    ...lanes.trouble.codes,
    ...(pressure.full ? ['spool_full'] : []),
    ...(ledgers.refused ? ['ledger_refused'] : []),
  ]
}

function view(hostname: string, lane: string | undefined, ledger: Ledger): object {
  const committed = Object.values(ledger.streams).flatMap((stream) => stream.committed)
  return {
    hostname,
    lane: lane ?? 'resting',
    rows_committed: committed.reduce((sum, [first, last]) => sum + last - first + 1, 0),
    ledger,
  }
}
