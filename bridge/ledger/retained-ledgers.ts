import { Bell } from '../../src/bell.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import { type Ledger, parseLedger } from '../../src/ledger.ts'
import { type IncomingMessage, type LinkDeps, type MqttLink, openMqttLink } from '../../src/mqtt-link.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import { randomId } from '../../src/random-id.ts'
import type { Topics } from '../../src/topics.ts'

/** The other connection comes and goes with this one, but perhaps a moment later. */
const CONNECT_WAIT_MS = 5_000

/**
 * Reads a device's retained ledger on a connection of its own, one device at a time, so that no queue limit
 * at the broker can make a ledger look absent that is there.
 */
export interface RetainedLedgers {
  /**
   * All that the broker holds on these topics. Not on the main connection, where it would come behind everything that
   * is queued for the session: behind readings that a full spool does not take, it would never come.
   */
  messages(filters: readonly string[]): Promise<IncomingMessage[]>
  /** `null`: the broker holds none. Rejects when it cannot be asked now, or with `E_LEDGER_UNREADABLE`. */
  read(hostname: string): Promise<Ledger | null>
  close(): Promise<void>
}

export async function openRetainedLedgers(
  settings: MqttSettings,
  topics: Topics,
  clientId: string,
  deps: LinkDeps,
): Promise<RetainedLedgers> {
  const connected = new Bell()
  let heard: IncomingMessage[] = []
  const link: MqttLink = await openMqttLink(
    settings,
    {
      clientId: `${clientId}-reader-${randomId(4)}`,
      onMessage: (message) => {
        heard.push(message)
      },
      onConnect: () => connected.ring(),
    },
    deps,
  )
  const oneAtATime = new Gate(1)
  const messages = (filters: readonly string[]) =>
    oneAtATime.pass(async () => {
      const until = deps.clock.monotonic() + CONNECT_WAIT_MS
      for (let left = CONNECT_WAIT_MS; !link.connected && left > 0; left = until - deps.clock.monotonic())
        await connected.waitAtMost(left, deps.clock)
      heard = []
      await link.subscribe(filters)
      await link.roundTrip(topics.response('read'))
      await link.unsubscribe(filters)
      return heard
    })
  return {
    messages,
    read: async (hostname) => {
      const topic = topics.ledger(hostname)
      // An empty payload clears a retained message: there is none then.
      const found = (await messages([topic])).filter((message) => message.topic === topic && message.payload.length > 0)
      const last = found.at(-1)
      if (last === undefined) return null
      const ledger = parseLedger(last.payload)
      if (ledger === undefined)
        throw new SnowhatError('E_LEDGER_UNREADABLE', `the retained message on ${topic} is no ledger of this version`)
      return ledger
    },
    close: () => link.close(),
  }
}
