import { type BridgeInfo, parseBridgeInfo } from '../../src/bridge-info.ts'
import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { type Ledger, parseLedger } from '../../src/ledger.ts'
import { silentLog } from '../../src/log.ts'
import { openMqttLink } from '../../src/mqtt-link.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import { randomId } from '../../src/random-id.ts'
import { createTopics } from '../../src/topics.ts'
import { within } from '../../src/within.ts'

/** What the broker holds of the bridge's words. */
export interface Retained {
  /** By hostname. */
  readonly ledgers: ReadonlyMap<string, Ledger>
  readonly bridge: BridgeInfo | undefined
  readonly online: boolean
}

const DEADLINE_MS = 12_000
/** The first may be a broker that does not speak MQTT 5. */
const ATTEMPTS = 2

/** Reads it on one connection. Throws `E_MQTT_DISCONNECTED`, or `E_MQTT_REFUSED` where the access rules forbid it. */
export async function readRetained(
  settings: MqttSettings,
  deps: { readonly clock: Clock; readonly random: () => number },
): Promise<Retained> {
  const topics = createTopics(settings.base_topic, settings.discovery_prefix)
  const ledgers = new Map<string, Ledger>()
  let bridge: BridgeInfo | undefined
  let online = false
  let failed: unknown
  let attempts = 0
  let done = false
  let finish: () => void = () => undefined
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const link = await openMqttLink(
    settings,
    {
      clientId: `snowhat-ledger-${randomId(8)}`,
      onMessage: ({ topic, payload }) => {
        if (topic === topics.bridgeInfo) bridge = parseBridgeInfo(payload)
        else if (topic === topics.bridgeAvailability) online = payload.toString() === 'online'
        else {
          const hostname = topics.hostnameOfLedger(topic)
          const ledger = parseLedger(payload)
          if (hostname !== undefined && ledger !== undefined) ledgers.set(hostname, ledger)
        }
      },
      onConnect: async () => {
        await link.subscribe([topics.bridgeInfo, topics.bridgeAvailability, topics.allLedgers])
        await link.roundTrip(topics.response('read'))
        done = true
        finish()
      },
      onDisconnect: (error) => {
        failed = error
        if (++attempts >= ATTEMPTS || (error instanceof SnowhatError && error.code === 'E_MQTT_REFUSED')) finish()
      },
    },
    { ...deps, log: silentLog() },
  )
  try {
    await within(DEADLINE_MS, deps.clock, () => finished)
  } finally {
    await link.close()
  }
  if (!done) throw unreachable(settings.url, failed)
  return { ledgers, bridge, online }
}

function unreachable(url: string, cause: unknown): SnowhatError {
  if (cause instanceof SnowhatError && cause.code === 'E_MQTT_REFUSED')
    return new SnowhatError('E_MQTT_REFUSED', cause.message, {
      cause,
      hint: 'let this user read bridge/# and write bridge/response/# at the broker (access rules)',
    })
  const reason = cause === undefined ? 'it does not answer' : messageOf(cause) || 'it cannot be connected to'
  return new SnowhatError('E_MQTT_DISCONNECTED', `cannot reach the MQTT broker ${url}: ${reason}`, {
    cause,
    hint: 'is it running, and are SNOWHAT_MQTT_URL and the password right?',
  })
}
