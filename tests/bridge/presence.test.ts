import { describe, expect, it } from 'vitest'
import { Presence } from '../../bridge/presence.ts'
import { MemorySpool } from '../../bridge/spool/memory-spool.ts'
import { silentLog } from '../../src/log.ts'
import type { MqttLink } from '../../src/mqtt-link.ts'
import { createTopics } from '../../src/topics.ts'
import { ledger } from '../support/ledgers.ts'

const topics = createTopics('sensehat', 'homeassistant')

function setUp({ standsDown = true } = {}) {
  const spool = new MemorySpool(1_000_000, 'own1')
  const rivals: string[] = []
  const published: [topic: string, payload: string, retain: boolean | undefined][] = []
  const presence = new Presence({
    log: silentLog(),
    topics,
    spool,
    info: () => ({ instance: 'own1', version: '0', host: 'nas', started_at: '' }),
    onRival: (reason) => rivals.push(reason),
    standsDown,
  })
  const link = {
    publish: async (topic: string, payload: string, options?: { retain?: boolean }) => {
      published.push([topic, payload, options?.retain])
    },
  } as unknown as MqttLink
  const hear = (topic: string, value: unknown, retain = true) =>
    presence.take({
      topic,
      payload: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
      retain,
      duplicate: false,
    })
  return { spool, rivals, published, presence, link, hear }
}

describe('the presence of a bridge', () => {
  it('says that it is online and who it is, retained', async () => {
    const { presence, link, published } = setUp()
    await presence.speak(link)
    expect(published.map(([topic, , retain]) => [topic, retain])).toEqual([
      ['sensehat/bridge/availability', true],
      ['sensehat/bridge/info', true],
    ])
    expect(published[0]?.[1]).toBe('online')
    expect(JSON.parse(published[1]?.[1] ?? '')).toMatchObject({ instance: 'own1' })
  })

  it('does not mind the bridge before it, whose words are still there', async () => {
    const { presence, link, hear, rivals } = setUp()
    hear(topics.bridgeInfo, { instance: 'old1' })
    await presence.speak(link)
    hear(topics.bridgeInfo, { instance: 'old1' })
    hear(topics.bridgeInfo, { instance: 'own1' })
    await presence.speak(link)
    expect(rivals).toEqual([])
  })

  it('does not mind what the bridge before it said while the session was away, and the broker has kept', async () => {
    const { presence, link, hear, rivals } = setUp()
    hear(topics.bridgeInfo, { instance: 'old1' }, false)
    hear(topics.bridgeInfo, { instance: 'old1' })
    await presence.speak(link)
    expect(rivals).toEqual([])
  })

  it('tells of another bridge that speaks after it', async () => {
    const { presence, link, hear, rivals } = setUp()
    hear(topics.bridgeInfo, { instance: 'old1' })
    await presence.speak(link)
    hear(topics.bridgeInfo, { instance: 'new1' })
    expect(rivals).toHaveLength(1)
    expect(rivals[0]).toContain('new1')
  })

  it('tells of another bridge that has spoken while it was away, and says nothing over its words', async () => {
    const { presence, link, hear, rivals, published } = setUp()
    await presence.speak(link)
    published.length = 0
    hear(topics.bridgeInfo, { instance: 'new1' })
    await expect(presence.speak(link)).rejects.toMatchObject({ code: 'E_RIVAL' })
    expect(rivals.length).toBeGreaterThan(0)
    expect(published).toEqual([])
  })

  it('tells of the bridge before it when that one speaks again, though not when the broker shows its old words', async () => {
    const { presence, link, hear, rivals } = setUp()
    hear(topics.bridgeInfo, { instance: 'old1' })
    await presence.speak(link)
    hear(topics.bridgeInfo, { instance: 'old1' })
    expect(rivals).toEqual([])
    hear(topics.bridgeInfo, { instance: 'old1' }, false)
    expect(rivals).toHaveLength(1)
  })

  it('does not mind the last words of the bridge it takes over from, until its own are heard', async () => {
    const { presence, link, hear, rivals } = setUp()
    presence.replaces('old1')
    await presence.speak(link)
    hear(topics.bridgeInfo, { instance: 'old1' }, false)
    expect(rivals).toEqual([])
    hear(topics.bridgeInfo, { instance: 'own1' }, false)
    hear(topics.bridgeInfo, { instance: 'old1' }, false)
    expect(rivals).toHaveLength(1)
  })

  it('goes on beside another bridge when it is told to, and says so', async () => {
    const { presence, link, hear, rivals, published } = setUp({ standsDown: false })
    await presence.speak(link)
    hear(topics.bridgeInfo, { instance: 'new1' }, false)
    await presence.speak(link)
    expect(rivals).toEqual([])
    expect(presence.beside).toBe(true)
    expect(published).toHaveLength(4)
  })

  it.each(['', 'online', '{}', '{"instance":5}', 'null', '[]'])('takes %j for nobody', async (text) => {
    const { presence, link, hear, rivals } = setUp()
    await presence.speak(link)
    expect(hear(topics.bridgeInfo, text)).toBe(true)
    expect(rivals).toEqual([])
  })

  it("remembers other bridges' ledgers, the newest of each device, and never its own", () => {
    const { spool, hear } = setUp()
    expect(hear(topics.ledger('pi'), ledger({ id: 5 }))).toBe(true)
    hear(topics.ledger('pi'), ledger({ id: 4 }))
    hear(topics.ledger('pi'), ledger({ id: 9, instance: 'own1' }))
    expect(spool.device('pi').predecessor?.id).toBe(5)
    hear(topics.ledger('pi'), ledger({ id: 6 }))
    expect(spool.device('pi').predecessor?.id).toBe(6)
  })

  it('makes nothing of a ledger that is none, and leaves other messages to others', () => {
    const { spool, hear } = setUp()
    expect(hear(topics.ledger('pi'), '')).toBe(true)
    expect(hear(topics.readings('pi'), '{}')).toBe(false)
    expect([...spool.devices()]).toEqual([])
  })
})
