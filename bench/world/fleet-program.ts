import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type MqttClient } from 'mqtt'
import { randomId } from '../../src/random-id.ts'
import { answer } from './program.ts'
import { createDevice, type Device } from './readings.ts'

/*
 * Many simulated Pis in a process of their own: single readings at QoS 1, over a few connections, so that making them
 * costs less than what is measured. They keep nothing: what a broker has acknowledged they forget.
 */

export type FleetQuestion =
  | { readonly do: 'connect'; readonly url: string; readonly devices: number; readonly connections: number }
  /** As fast as the broker takes them, `readings` in all. */
  | { readonly do: 'flood'; readonly readings: number; readonly perSecond?: number }
  /** Readings per second over all devices, until told otherwise; 0 stops. Answers at once. */
  | { readonly do: 'pace'; readonly perSecond: number }
  | { readonly do: 'count' }

export interface FleetCount {
  readonly sent: number
  readonly acknowledged: number
  /** Readings not sent in time because the broker was behind: the pace asked for was not kept. */
  readonly late: number
}

const TICK_MS = 10
/** Unacknowledged at most, over all connections. */
const WINDOW = 2_000

/** Longer than any broker takes to answer. */
const REVIVE_MS = 20_000

let clients: MqttClient[] = []
let devices: Device[] = []
let topics: string[] = []
let turn = 0
let sent = 0
let acknowledged = 0
let late = 0
let perSecond = 0
let pacing: Promise<void> | undefined

answer<FleetQuestion>(async (question) => {
  switch (question.do) {
    case 'connect':
      return connect(question.url, question.devices, question.connections)
    case 'flood':
      return flood(question.readings, question.perSecond ?? Number.POSITIVE_INFINITY)
    case 'pace':
      perSecond = question.perSecond
      pacing ??= pace().finally(() => {
        pacing = undefined
      })
      if (perSecond === 0) await pacing
      return count()
    case 'count':
      return count()
  }
})

async function connect(url: string, many: number, connections: number): Promise<FleetCount> {
  const stream = randomId(8)
  devices = await Promise.all(Array.from({ length: many }, (_, i) => createDevice(i, stream)))
  topics = devices.map(({ hostname }) => `sensehat/${hostname}/readings`)
  clients = await Promise.all(
    Array.from({ length: connections }, (_, i) =>
      mqtt.connectAsync(url, { clientId: `fleet-${process.pid}-${i}`, clean: false, reconnectPeriod: 500 }),
    ),
  )
  for (const client of clients) client.on('error', () => undefined)
  for (const client of clients) setInterval(() => revive(client), REVIVE_MS).unref()
  return count()
}

/** MQTT.js has been seen to wait for ever for a connection that a restarted broker never answered [observed]. */
function revive(client: MqttClient): void {
  if (!client.connected) client.stream?.destroy()
}

function count(): FleetCount {
  return { sent, acknowledged, late }
}

function sendNext(): void {
  const at = turn++ % devices.length
  const client = clients[at % clients.length] as MqttClient
  sent++
  client.publish(topics[at] as string, (devices[at] as Device).next(Date.now()), { qos: 1 }, (error) => {
    if (error === undefined || error === null) acknowledged++
  })
}

/** Batches per turn of the loop, so that the library can put many packets into one write. */
async function flood(readings: number, rate: number): Promise<FleetCount> {
  const started = performance.now()
  for (let left = readings; left > 0; ) {
    const due = Math.min(readings, Math.floor(((performance.now() - started) * rate) / 1000)) - (readings - left)
    const room = Math.min(left, WINDOW - (sent - acknowledged), Number.isFinite(rate) ? due : left)
    for (let i = 0; i < room; i++) sendNext()
    left -= Math.max(0, room)
    await (room > 0 ? new Promise((resolve) => setImmediate(resolve)) : sleep(1))
  }
  while (acknowledged < sent) await sleep(1)
  return count()
}

async function pace(): Promise<void> {
  let due = 0
  let last = performance.now()
  while (perSecond > 0) {
    await sleep(TICK_MS)
    const now = performance.now()
    due += ((now - last) * perSecond) / 1000
    last = now
    for (; due >= 1; due--) {
      if (sent - acknowledged >= WINDOW) {
        // A broker that is away: the Pis would keep their readings, so do these.
        late++
        break
      }
      sendNext()
    }
  }
  while (acknowledged < sent) await sleep(5)
}
