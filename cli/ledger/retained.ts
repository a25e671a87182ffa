import { type BridgeInfo, parseBridgeInfo } from '../../src/bridge-info.ts'
import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { type Ledger, parseLedger } from '../../src/ledger.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import { createTopics } from '../../src/topics.ts'
import { visitBroker } from '../visit-broker.ts'

/** What the broker holds of the bridge's words. */
export interface Retained {
  /** By hostname. */
  readonly ledgers: ReadonlyMap<string, Ledger>
  readonly bridge: BridgeInfo | undefined
  readonly online: boolean
}

/** Reads it on one connection. Throws `E_MQTT_DISCONNECTED`, or `E_MQTT_REFUSED` where the access rules forbid it. */
export async function readRetained(
  settings: MqttSettings,
  deps: { readonly clock: Clock; readonly random: () => number },
): Promise<Retained> {
  const topics = createTopics(settings.base_topic, settings.discovery_prefix)
  const ledgers = new Map<string, Ledger>()
  let bridge: BridgeInfo | undefined
  let online = false
  const onMessage = ({ topic, payload }: { topic: string; payload: Buffer }) => {
    if (topic === topics.bridgeInfo) bridge = parseBridgeInfo(payload)
    else if (topic === topics.bridgeAvailability) online = payload.toString() === 'online'
    else {
      const hostname = topics.keyOfLedger(topic)
      const ledger = parseLedger(payload)
      if (hostname !== undefined && ledger !== undefined) ledgers.set(hostname, ledger)
    }
  }
  await visitBroker(settings, { name: 'ledger', onMessage }, deps, async (link) => {
    await link.subscribe([topics.bridgeInfo, topics.bridgeAvailability, topics.allLedgers]).catch(withHint)
    await link.roundTrip(topics.response('read')).catch(withHint)
  })
  return { ledgers, bridge, online }
}

function withHint(error: unknown): never {
  if (!(error instanceof SnowhatError && error.code === 'E_MQTT_REFUSED')) throw error
  throw new SnowhatError('E_MQTT_REFUSED', error.message, {
    cause: error,
    hint: 'let this user read bridge/# and write bridge/response/# at the broker (access rules)',
  })
}
