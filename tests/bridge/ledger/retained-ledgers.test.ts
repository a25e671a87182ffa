import { expect, it, onTestFinished } from 'vitest'
import { RetainedLedgers } from '../../../bridge/ledger/retained-ledgers.ts'
import { systemClock } from '../../../src/clock.ts'
import { SnowhatError } from '../../../src/errors.ts'
import { silentLog } from '../../../src/log.ts'
import { openMqttLink } from '../../../src/mqtt-link.ts'
import { createTopics } from '../../../src/topics.ts'
import { aedesBroker } from '../../support/aedes-broker.ts'
import { ledger } from '../../support/ledgers.ts'
import { connected, mqttSettings } from '../../support/links.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const topics = createTopics('sensehat', 'homeassistant')
const forever = new AbortController().signal

async function reader() {
  const broker = await aedesBroker()
  const writer = await connected(broker.url, '3.1.1')
  const deps = { clock: systemClock(), log: silentLog(), random: Math.random }
  // Asked at once, before it is connected: the main connection may be a moment earlier.
  const link = await openMqttLink(
    mqttSettings(broker.url, '3.1.1'),
    {
      clientId: 'side',
      onMessage: (message) => {
        retained.take(message)
      },
    },
    deps,
  )
  const asked: string[][] = []
  const counted = {
    subscribe: (filters: readonly string[]) => {
      asked.push([...filters])
      return link.subscribe(filters)
    },
    unsubscribe: (filters: readonly string[]) => link.unsubscribe(filters),
    roundTrip: (topic: string) => link.roundTrip(topic),
  }
  const retained = new RetainedLedgers(topics, () => counted, deps)
  onTestFinished(() => link.close())
  return { writer, retained, asked }
}

it('brings what the broker holds, each time anew, and nothing of before', async () => {
  const { writer, retained } = await reader()
  expect(await retained.messages([topics.bridgeInfo, topics.allLedgers], forever)).toEqual([])
  await writer.publish(topics.bridgeInfo, 'first', { retain: true })
  await writer.publish(topics.ledger('pi-a'), JSON.stringify(ledger({ id: 7 })), { retain: true })
  for (let again = 0; again < 2; again++) {
    const found = await retained.messages([topics.bridgeInfo, topics.allLedgers], forever)
    expect(new Set(found.map(({ topic }) => topic))).toEqual(new Set([topics.bridgeInfo, topics.ledger('pi-a')]))
  }
})

it('asks for many ledgers together, each device once, and gives everyone its own', async () => {
  const { writer, retained, asked } = await reader()
  const names = Array.from({ length: 50 }, (_, index) => `pi-${index}`)
  const odd = names.filter((_, index) => index % 2 === 1)
  await Promise.all(
    odd.map((name, index) =>
      writer.publish(topics.ledger(name), JSON.stringify(ledger({ id: index })), { retain: true }),
    ),
  )
  await retained.messages([topics.bridgeInfo], forever)
  asked.splice(0)
  const found = await Promise.all(names.map((name) => retained.read(name, forever)))
  expect(found.map((one) => one?.id ?? null)).toEqual(
    names.map((name) => (odd.includes(name) ? odd.indexOf(name) : null)),
  )
  const firstAsked = [0, 2, 4].map((round) => asked[round] ?? [])
  expect(asked.map(({ length }) => length)).toEqual([20, 10, 20, 10, 10, 5])
  expect(firstAsked.flat()).toEqual(names.map((name) => topics.ledger(name)))
})

it('does not give who comes while it is asking what was found for others', async () => {
  const { writer, retained, asked } = await reader()
  await retained.messages([topics.bridgeInfo], forever)
  const first = retained.read('pi-a', forever)
  while (!asked.flat().includes(topics.ledger('pi-a'))) await new Promise((resolve) => setImmediate(resolve))
  await writer.publish(topics.ledger('pi-a'), JSON.stringify(ledger({ id: 7 })), { retain: true })
  expect(await retained.read('pi-a', forever)).toMatchObject({ id: 7 })
  await first
})

it('stops asking when the connection it asks for has ended', async () => {
  const clock = new ManualClock()
  const away = () => {
    throw new SnowhatError('E_MQTT_DISCONNECTED', 'not connected')
  }
  const retained = new RetainedLedgers(topics, away, { clock, log: silentLog() })
  const ended = new AbortController()
  const asked = retained.messages([topics.bridgeInfo], ended.signal)
  await clock.advance(1_000)
  ended.abort(new Error('ended'))
  await expect(asked).rejects.toThrow('ended')
  expect(clock.sleeping).toBe(0)
})

it('tells a ledger from none, from one that was cleared, and from what is no ledger', async () => {
  const { writer, retained } = await reader()
  const read = (hostname: string) => retained.read(hostname, forever)
  expect(await read('pi-a')).toBeNull()
  await writer.publish(topics.ledger('pi-a'), JSON.stringify(ledger({ id: 7 })), { retain: true })
  expect(await read('pi-a')).toMatchObject({ id: 7 })
  expect(await read('pi-b')).toBeNull()
  await writer.publish(topics.ledger('pi-a'), 'nonsense', { retain: true })
  await expect(read('pi-a')).rejects.toMatchObject({ code: 'E_LEDGER_UNREADABLE' })
  await writer.publish(topics.ledger('pi-a'), '', { retain: true })
  expect(await read('pi-a')).toBeNull()
})
