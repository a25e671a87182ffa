import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { type IncomingMessage, type LinkOptions, type MqttLink, openMqttLink } from '../../src/mqtt-link.ts'
import { type MqttSettings, mqttSection } from '../../src/mqtt-section.ts'
import { eventually } from './eventually.ts'

export interface TestLink extends MqttLink {
  readonly clientId: string
  /** Of each CONNACK so far. */
  readonly sessions: { readonly resumed: boolean }[]
  /** In the order they came, our own handler or not. */
  readonly messages: IncomingMessage[]
  /** Payloads of one topic, in order. */
  heard(topic: string): string[]
}

export type Protocol = MqttSettings['protocol']

let links = 0

export function mqttSettings(url: string, protocol: Protocol = 'auto'): MqttSettings {
  const defaults = Object.fromEntries(Object.entries(mqttSection).map(([key, setting]) => [key, setting.default]))
  return { ...(defaults as never as MqttSettings), url, protocol }
}

/** A connected link, closed when the test is over. */
export async function connected(
  url: string,
  protocol: Protocol,
  options: Partial<LinkOptions> = {},
): Promise<TestLink> {
  const clientId = options.clientId ?? `test-${process.pid}-${++links}`
  const sessions: { resumed: boolean }[] = []
  const messages: IncomingMessage[] = []
  const link = await openMqttLink(
    mqttSettings(url, protocol),
    {
      ...options,
      clientId,
      onMessage: async (message) => {
        messages.push(message)
        await options.onMessage?.(message)
      },
      onConnect: async (session) => {
        sessions.push(session)
        await options.onConnect?.(session)
      },
    },
    { clock: systemClock(), log: silentLog(), random: Math.random },
  )
  onTestFinished(() => link.close())
  await eventually(`a connection to ${url}`, () => link.connected && sessions.length > 0)
  return Object.assign(link, {
    clientId,
    sessions,
    messages,
    heard: (topic: string) => messages.filter((m) => m.topic === topic).map((m) => m.payload.toString()),
  })
}
