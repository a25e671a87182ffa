import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { type Log, withoutUserInfo } from '../../src/log.ts'
import { type MqttLink, openMqttLink } from '../../src/mqtt-link.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import { randomId } from '../../src/random-id.ts'
import type { Topics } from '../../src/topics.ts'

const CONNECT_MS = 15_000
/** A retained message follows the subscription at once. */
const BRIDGE_MS = 3_000

/**
 * A connection to a broker at which a bridge is online. A broker acknowledges a message that nobody is subscribed to
 * and throws it away: without a bridge, what is sent would be gone. Throws when there is no broker or no bridge.
 */
export async function connectToBridge(
  mqtt: MqttSettings,
  topics: Topics,
  deps: { readonly clock: Clock; readonly log: Log; readonly random: () => number; readonly stop: AbortSignal },
): Promise<MqttLink> {
  const { clock, stop } = deps
  let hear = (_word: string): void => undefined
  let subscribed = (): void => undefined
  const word = new Promise<string>((resolve) => {
    hear = resolve
  })
  const ready = new Promise<void>((resolve) => {
    subscribed = resolve
  })
  const link: MqttLink = await openMqttLink(
    mqtt,
    {
      clientId: `snowhat-deadletters-${randomId(8)}`,
      onMessage: ({ topic, payload }) => {
        if (topic === topics.bridgeAvailability) hear(payload.toString())
      },
      onConnect: async () => {
        await link.subscribe([topics.bridgeAvailability])
        subscribed()
      },
    },
    deps,
  )
  const url = withoutUserInfo(mqtt.url)
  try {
    await orAfter(CONNECT_MS, ready, clock, stop, () => {
      throw new SnowhatError('E_MQTT_DISCONNECTED', `cannot reach the broker at ${url}`, {
        hint: 'is SNOWHAT_MQTT_URL that of the bridge? Nothing was sent',
      })
    })
    const said = await orAfter(BRIDGE_MS, word, clock, stop, () => 'nothing')
    if (said !== 'online')
      throw new SnowhatError('E_DEAD_LETTERS', `no bridge is online at ${url}: nobody would take the readings`, {
        hint: `start snowhat bridge and try again; ${topics.bridgeAvailability} must say online. Nothing was sent`,
      })
    return link
  } catch (error) {
    await link.close()
    throw stop.aborted ? new SnowhatError('E_SHUTDOWN', 'stopped; nothing was sent') : error
  }
}

async function orAfter<T>(ms: number, promise: Promise<T>, clock: Clock, stop: AbortSignal, late: () => T): Promise<T> {
  const done = new AbortController()
  try {
    return await Promise.race([promise, clock.sleep(ms, AbortSignal.any([done.signal, stop])).then(late)])
  } finally {
    done.abort()
  }
}
