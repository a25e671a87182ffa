import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { HomeAssistant } from '../../../bridge/home-assistant/home-assistant.ts'
import type { DocumentsLink } from '../../../bridge/home-assistant/pipeline-documents.ts'
import { SnowhatError } from '../../../src/errors.ts'
import type { HaDocument } from '../../../src/home-assistant/document.ts'
import { createTopics } from '../../../src/topics.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { RetainingBroker } from './retaining-broker.ts'

const topics = createTopics('sensehat', 'homeassistant')

function world() {
  const clock = new ManualClock()
  const warnings: Record<string, unknown>[] = []
  let births = 0
  const homeAssistant = new HomeAssistant({
    clock,
    log: pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line)) }),
    random: () => 0,
    topics,
    bridge: { version: '1', credentialExpires: false },
    devices: () => [],
    onBirth: () => births++,
  })
  const broker = new RetainingBroker((message) => homeAssistant.take(message))
  broker.say(topics.deviceDiscovery('pi-a'), '{}')
  /** Filters the broker refuses. */
  const refused = new Set<string>()
  const link: DocumentsLink = {
    ...broker.link,
    subscribe: async (filters) => {
      if (filters.some((filter) => refused.has(filter))) throw new SnowhatError('E_MQTT_REFUSED', 'refused')
      await broker.link.subscribe(filters)
    },
  }
  const connect = async () => {
    await homeAssistant.connected(link, broker.ended)
    broker.deliver()
    await clock.advance(1_000)
    broker.deliver()
  }
  const lose = () => {
    homeAssistant.disconnected()
    broker.cut()
  }
  return {
    broker,
    clock,
    connect,
    homeAssistant,
    lose,
    refused,
    warnings,
    births: () => births,
    said: () => broker.published.map(({ topic }) => topic),
  }
}

describe('the bridge in Home Assistant', () => {
  it('announces itself first, then its part of each Pi', async () => {
    const { connect, said, warnings } = world()
    await connect()
    expect(said()).toEqual([topics.bridgeDiscovery, topics.pipelineDiscovery('pi-a')])
    expect(warnings).toEqual([])
  })

  it.each([
    ["the Pis' documents", topics.allDeviceDiscovery, [topics.bridgeDiscovery]],
    ['its birth', topics.homeAssistantStatus, [topics.bridgeDiscovery, topics.pipelineDiscovery('pi-a')]],
  ])('goes on where it may not hear %s, and says so once', async (_what, filter, all) => {
    const { connect, lose, refused, said, warnings } = world()
    refused.add(filter)
    await connect()
    lose()
    await connect()
    expect(said()).toEqual(all)
    expect(warnings).toMatchObject([{ hint: expect.stringContaining('access rules') }])
  })

  it('says everything once more a while after a birth, and not again when it comes twice', async () => {
    const { broker, clock, connect, said, births } = world()
    await connect()
    broker.say(topics.homeAssistantStatus, 'online')
    broker.say(topics.homeAssistantStatus, 'online')
    broker.deliver()
    expect(said().length).toBe(2)
    await clock.advance(10_000)
    expect(said().slice(2)).toEqual([topics.bridgeDiscovery, topics.pipelineDiscovery('pi-a')])
    expect(births()).toBe(1)
  })

  it('that was deleted there is not announced again', async () => {
    const { broker, connect, lose, said } = world()
    await connect()
    broker.say(topics.bridgeDiscovery, '')
    broker.deliver()
    lose()
    await connect()
    expect(said().filter((topic) => topic === topics.bridgeDiscovery).length).toBe(1)
  })

  it.each<[string, (w: ReturnType<typeof world>) => void]>([
    ['was deleted there', ({ broker }) => broker.say(topics.bridgeDiscovery, '')],
    ['is refused by the broker', ({ broker }) => (broker.refuses = (topic) => topic === topics.bridgeDiscovery)],
  ])('that %s is not made again as an empty parent of the Pis', async (_what, lose) => {
    const w = world()
    const parent = () => {
      const { device } = JSON.parse(w.broker.retained.get(topics.pipelineDiscovery('pi-a')) ?? '') as HaDocument
      return device.via_device
    }
    await w.connect()
    expect(parent()).toBe('sensehat_bridge')
    lose(w)
    w.broker.deliver()
    w.lose()
    w.broker.say(topics.bridgeDiscovery, '')
    await w.connect()
    expect(parent()).toBeUndefined()
  })

  it('is silent once it is closed, whatever was about to be said', async () => {
    const { broker, clock, connect, homeAssistant, said } = world()
    await connect()
    broker.say(topics.homeAssistantStatus, 'online')
    broker.say(topics.deviceDiscovery('pi-a'), '')
    broker.deliver()
    homeAssistant.close()
    await clock.advance(60_000)
    expect(said().length).toBe(2)
    expect(clock.sleeping).toBe(0)
  })
})
