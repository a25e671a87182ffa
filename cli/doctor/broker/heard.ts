import { type BridgeInfo, parseBridgeInfo } from '../../../src/bridge-info.ts'
import { type Ledger, parseLedger } from '../../../src/ledger.ts'
import type { IncomingMessage } from '../../../src/mqtt-link.ts'
import type { Topics } from '../../../src/topics.ts'

/** What the broker holds of bridge and Pis, as far as this user may read it. */
export interface Heard {
  readonly bridge: BridgeInfo | undefined
  /** `undefined`: nothing retained, or not to be read. */
  readonly availability: string | undefined
  readonly health: unknown
  /** By device. */
  readonly ledgers: ReadonlyMap<string, Ledger>
  /** Pis that say they are online. */
  readonly online: readonly string[]
  /** The latest retained message of each topic, for saying it again. */
  readonly retained: ReadonlyMap<string, Buffer>
}

/** Of retained messages, in the order they came. */
export function heardFrom(messages: readonly IncomingMessage[], topics: Topics): Heard {
  const retained = new Map(messages.map(({ topic, payload }) => [topic, payload]))
  const ledgers = new Map<string, Ledger>()
  const online: string[] = []
  for (const [topic, payload] of retained) {
    const device = topics.keyOfLedger(topic)
    const ledger = device === undefined ? undefined : parseLedger(payload)
    if (device !== undefined && ledger !== undefined) ledgers.set(device, ledger)
    const [, hostname] = topic.startsWith(`${topics.base}/`) ? (/\/([^/]+)\/availability$/.exec(topic) ?? []) : []
    if (hostname !== undefined && hostname !== 'bridge' && payload.toString() === 'online') online.push(hostname)
  }
  const info = retained.get(topics.bridgeInfo)
  return {
    bridge: info && parseBridgeInfo(info),
    availability: retained.get(topics.bridgeAvailability)?.toString(),
    health: jsonOf(retained.get(topics.bridgeHealth)),
    ledgers,
    online,
    retained,
  }
}

function jsonOf(payload: Buffer | undefined): unknown {
  try {
    return payload === undefined ? undefined : JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}
