import { startHelper } from './program.ts'
import type { Received, SubscriberQuestion } from './subscriber-program.ts'

/** A bare mqtt.js subscriber of all readings, in a process of its own. */
export interface Subscriber {
  readonly pid: number
  /** Resolves when so many messages have come on this connection. */
  received(messages: number): Promise<Received>
  /** The session stays with the broker. */
  leave(): Promise<void>
}

export const READINGS = 'sensehat/+/readings'

export async function startSubscriber(url: string, clientId: string): Promise<Subscriber> {
  const helper = startHelper('./subscriber-program.ts')
  const ask = <T>(question: SubscriberQuestion) => helper.ask<T>(question)
  await ask({ do: 'connect', url, clientId, filter: READINGS })
  return {
    pid: helper.pid,
    received: (messages) => ask({ do: 'await', messages }),
    leave: async () => {
      await ask({ do: 'leave' })
      await helper.kill()
    },
  }
}
