import mqtt from 'mqtt'
import { answer } from './program.ts'

/*
 * The least a subscriber can be: mqtt.js with a persistent session at QoS 1, messages thrown away. What it costs is what a
 * packet costs in this language, the acknowledgement included.
 */

export type SubscriberQuestion =
  /** Makes the session, so that the broker queues for it, or goes on with it. */
  | { readonly do: 'connect'; readonly url: string; readonly clientId: string; readonly filter: string }
  /** So many messages have come since the connection. */
  | { readonly do: 'await'; readonly messages: number }
  | { readonly do: 'leave' }

export interface Received {
  readonly messages: number
  /** From the first to the last message, milliseconds. */
  readonly ms: number
  /** Processor time since the connection began, milliseconds. */
  readonly cpuMs: number
}

let client: mqtt.MqttClient | undefined
let messages = 0
let first = 0
let last = 0
let reached = () => {}
let awaited = Number.POSITIVE_INFINITY
let begun = process.cpuUsage()

answer<SubscriberQuestion>(async (question) => {
  switch (question.do) {
    case 'connect': {
      messages = 0
      begun = process.cpuUsage()
      const { url, clientId, filter } = question
      // As the bridge connects.
      const properties = { receiveMaximum: 500, sessionExpiryInterval: 7 * 86_400 }
      client = mqtt.connect(url, { clientId, clean: false, protocolVersion: 5, reconnectPeriod: 0, properties })
      client.on('message', () => {
        last = performance.now()
        if (messages++ === 0) first = last
        if (messages >= awaited) reached()
      })
      await new Promise<void>((resolve, reject) => {
        client?.once('connect', () => resolve())
        client?.once('error', reject)
      })
      await client.subscribeAsync(filter, { qos: 1 })
      return null
    }
    case 'await':
      awaited = question.messages
      if (messages < awaited) await new Promise<void>((resolve) => (reached = resolve))
      awaited = Number.POSITIVE_INFINITY
      return { messages, ms: last - first, cpuMs: cpuMs() } satisfies Received
    case 'leave':
      await client?.endAsync()
      return null
  }
})

function cpuMs(): number {
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1000
}
