import { hintOf, messageOf, SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage, LinkOptions, MqttLink } from '../src/mqtt-link.ts'
import type { StopSignal } from '../src/stop.ts'
import type { Topics } from '../src/topics.ts'
import type { LedgerPublisher } from './ledger/ledger-publisher.ts'
import type { Presence } from './presence.ts'
import type { Routes } from './routes/routes.ts'

export interface MainConnectionParts {
  readonly clientId: string
  readonly log: Log
  readonly topics: Topics
  readonly presence: Presence
  readonly routes: Routes
  readonly ledgers: LedgerPublisher
  readonly link: () => MqttLink
  /** What the broker holds on these topics, read where nothing queues. */
  readonly retained: (filters: readonly string[], signal: StopSignal) => Promise<readonly IncomingMessage[]>
  /** Readings; acknowledged when it resolves. */
  readonly accept: (message: IncomingMessage) => Promise<void>
  readonly onReady: () => void
  readonly onLost: () => void
}

/** Messages that wait for their group's sync; the bytes bound what they take in memory. */
const UNACKNOWLEDGED = { messages: 1_000, bytes: 8 * 1024 * 1024 }

/** What the main connection is made of: its session, its Will, and what is said on it in which order. */
export function mainConnection(parts: MainConnectionParts): LinkOptions {
  const { ledgers, presence, routes, topics } = parts
  return {
    clientId: parts.clientId,
    persistentSession: true,
    unacknowledged: UNACKNOWLEDGED,
    will: { topic: topics.bridgeAvailability, payload: 'offline' },
    onMessage: (message) => {
      // Our own marker of a connection that broke comes again in the session.
      if (presence.take(message) || routes.ofTopic(message.topic) === undefined) return undefined
      return parts.accept(message)
    },
    onConnect: async ({ ended }) => {
      const link = parts.link()
      // What the last bridge left is read before this one speaks.
      await link.subscribe(presence.filters())
      for (const message of await parts.retained(presence.filters(), ended)) presence.take(message)
      await presence.speak(link)
      ledgers.connected()
      await subscribeAll(link, routes, parts.log)
      parts.onReady()
    },
    onDisconnect: () => {
      ledgers.disconnected()
      parts.onLost()
    },
  }
}

/**
 * A broker's access rules may be older than a route. Without the first one a bridge is of no use and says so by not
 * connecting; without another it serves the others, and tells what is missing.
 */
async function subscribeAll(link: MqttLink, { filters }: Routes, log: Log): Promise<void> {
  const [first, ...others] = filters
  if (first !== undefined) await link.subscribe([first])
  for (const topic of others)
    await link.subscribe([topic]).catch((error: unknown) => {
      if (!(error instanceof SnowhatError && error.code === 'E_MQTT_REFUSED')) throw error
      log.warn({ topic, reason: messageOf(error), hint: hintOf(error) ?? READ_HINT }, 'nothing comes by this route')
    })
}

const READ_HINT = 'let the user of the bridge read this topic: deploy/mosquitto.acl has the lines'
