import mqtt, { type MqttClient } from 'mqtt'
import { deviceKey } from '../../src/device-key.ts'
import { IntervalSet } from '../../src/intervals.ts'
import type { Ledger } from '../../src/ledger.ts'
import { PHONE_ROUTES } from '../../src/phone-records.ts'
import { answer } from './program.ts'

/*
 * The least that can stand for a bridge and its Snowflake: takes the rows of phones, and says of each phone every five seconds
 * what has come and what of it was there at the last word, which counts as committed. Keeps numbers alone.
 */

export type RowTakerQuestion = { readonly do: 'connect'; readonly url: string } | { readonly do: 'count' }

export interface RowCount {
  /** Each counted once. */
  readonly records: number
  readonly activity: number
  readonly again: number
  /** Numbers missing below the largest of their stream. */
  readonly missing: number
}

interface Taken {
  readonly kind: keyof typeof PHONE_ROUTES
  readonly key: string
  readonly streams: Map<string, { readonly spooled: IntervalSet; committed: IntervalSet }>
  fresh: boolean
  saidAt: number
}

const SAY_EVERY_MS = 5_000
const LOOK_EVERY_MS = 100
const INSTANCE = 'br01'

const taken = new Map<string, Taken>()
let again = 0
let ledgers = 0

answer<RowTakerQuestion>(async (question) => {
  if (question.do === 'connect') await connect(question.url)
  return count()
})

async function connect(url: string): Promise<void> {
  const properties = { receiveMaximum: 500 }
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, properties, clientId: `row-taker-${process.pid}` })
  client.on('message', (topic, payload) => take(topic, payload))
  await client.subscribeAsync(['phones/+/readings', 'phones/+/activity'], { qos: 1 })
  await client.publishAsync('sensehat/bridge/info', JSON.stringify({ instance: INSTANCE }), { qos: 1, retain: true })
  await client.publishAsync('sensehat/bridge/availability', 'online', { qos: 1, retain: true })
  setInterval(() => say(client), LOOK_EVERY_MS).unref()
}

function take(topic: string, payload: Buffer): void {
  const one = takenOf(topic)
  if (one === undefined) return
  const rows = JSON.parse(payload.toString('utf8')) as
    | { stream: string; seq: number }
    | { stream: string; seq: number }[]
  for (const { stream, seq } of Array.isArray(rows) ? rows : [rows]) {
    const sets = one.streams.get(stream) ?? { spooled: new IntervalSet(), committed: new IntervalSet() }
    one.streams.set(stream, sets)
    if (sets.spooled.has(seq)) again++
    sets.spooled.add(seq)
  }
  one.fresh = true
}

function takenOf(topic: string): Taken | undefined {
  const known = taken.get(topic)
  if (known !== undefined) return known
  const [, device = '', level] = topic.split('/')
  const kind = (['records', 'activity'] as const).find((one) => PHONE_ROUTES[one].level === level)
  if (kind === undefined) return undefined
  const key = deviceKey(PHONE_ROUTES[kind].route, device)
  const fresh: Taken = { kind, key, streams: new Map(), fresh: false, saidAt: performance.now() }
  taken.set(topic, fresh)
  return fresh
}

function say(client: MqttClient): void {
  const now = performance.now()
  for (const one of taken.values()) {
    if (!one.fresh || now - one.saidAt < SAY_EVERY_MS) continue
    one.saidAt = now
    one.fresh = false
    const streams: Ledger['streams'] = Object.fromEntries(
      [...one.streams].map(([stream, sets]) => {
        const said = { spooled: sets.spooled.toJSON(), committed: sets.committed.toJSON() }
        // What is there now will be in the table by the next word.
        if (sets.spooled.size > sets.committed.size) one.fresh = true
        sets.committed = sets.spooled.clone()
        return [stream, said]
      }),
    )
    const ledger = { id: ++ledgers, instance: INSTANCE, incarnation: 1, runs: [], streams }
    client.publish(`sensehat/bridge/devices/${one.key}`, JSON.stringify(ledger), { qos: 1, retain: true })
  }
}

function count(): RowCount {
  const rows = { records: 0, activity: 0 }
  let missing = 0
  for (const { kind, streams } of taken.values())
    for (const { spooled } of streams.values()) {
      rows[kind] += spooled.size
      missing += (spooled.max ?? 0) - spooled.size
    }
  return { ...rows, again, missing }
}
