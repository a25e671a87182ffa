import { SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import { type Ledger, parseLedger } from '../../src/ledger.ts'
import { type LinkDeps, type MqttLink, openMqttLink } from '../../src/mqtt-link.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import { randomId } from '../../src/random-id.ts'
import type { Topics } from '../../src/topics.ts'

/**
 * Reads a device's retained ledger on a connection of its own, one device at a time, so that no queue limit
 * at the broker can make a ledger look absent that is there.
 */
export interface RetainedLedgers {
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
  const found = new Map<string, Ledger | 'unreadable'>()
  const link: MqttLink = await openMqttLink(
    settings,
    {
      clientId: `${clientId}-reader-${randomId(4)}`,
      onMessage: ({ topic, payload }) => {
        const hostname = topics.hostnameOfLedger(topic)
        // An empty payload clears a retained message: there is none then.
        if (hostname !== undefined && payload.length > 0) found.set(hostname, parseLedger(payload) ?? 'unreadable')
      },
    },
    deps,
  )
  const oneAtATime = new Gate(1)
  return {
    read: (hostname) =>
      oneAtATime.pass(async () => {
        if (!link.connected) throw new SnowhatError('E_MQTT_DISCONNECTED', 'not connected to the MQTT broker')
        const topic = topics.ledger(hostname)
        found.delete(hostname)
        await link.subscribe([topic])
        await link.roundTrip(topics.response('read'))
        await link.unsubscribe([topic])
        const ledger = found.get(hostname) ?? null
        if (ledger === 'unreadable')
          throw new SnowhatError('E_LEDGER_UNREADABLE', `the retained message on ${topic} is no ledger of this version`)
        return ledger
      }),
    close: () => link.close(),
  }
}
