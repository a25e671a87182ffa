import { describe, expect, it, onTestFinished } from 'vitest'
import { Delivery } from '../../../phone/delivery/delivery.ts'
import { createPhoneTopics } from '../../../phone/topics.ts'
import type { Interval } from '../../../src/intervals.ts'
import { silentLog } from '../../../src/log.ts'
import { createTopics } from '../../../src/topics.ts'
import { ledger } from '../../support/ledgers.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

const topics = createTopics('sensehat', 'homeassistant')
const phoneTopics = createPhoneTopics('phones', topics)
const MAX_BYTES = 40_000
const ROW_BYTES = 1_000

function setUp() {
  const clock = new ManualClock()
  const sent: { topic: string; rows: { seq: number; after?: string }[] }[] = []
  const link = {
    subscribe: async () => undefined,
    publish: async (topic: string, payload: string | Buffer) => {
      const value = JSON.parse(payload.toString())
      sent.push({ topic, rows: Array.isArray(value) ? value : [value] })
    },
  }
  const delivery = new Delivery({ maxBytes: MAX_BYTES, rowIntervalMs: 100 }, topics, phoneTopics, {
    clock,
    log: silentLog(),
    random: () => 0.5,
  })
  onTestFinished(() => delivery.close())
  const seqs = new Map<string, number>()
  const add = async (device: string, count: number) => {
    for (let i = 0; i < count; i++) {
      const seq = (seqs.get(device) ?? 0) + 1
      seqs.set(device, seq)
      const text = JSON.stringify({ stream: 'aaaaaaaa', seq, filling: 'x'.repeat(ROW_BYTES) })
      await delivery.add({ device, kind: 'records', row: { of: 1, stream: 'aaaaaaaa', seq, text } })
    }
  }
  const hear = async (device: string, committed: Interval[]) => {
    const said = ledger({
      id: 1,
      instance: 'br01',
      incarnation: 1,
      streams: { aaaaaaaa: { spooled: committed, committed } },
    })
    const topic = topics.ledger(phoneTopics.key('records', device))
    await delivery.message({ topic, payload: Buffer.from(JSON.stringify(said)), retain: true, duplicate: false })
  }
  const connect = async () => {
    void delivery.connected(link)
    await clock.advance(300)
  }
  /** Whether there is room for more rows at this moment. */
  const hasRoom = async () => {
    const stop = new AbortController()
    let has = false
    void delivery.room(stop.signal).then(() => {
      has = !stop.signal.aborted
    })
    await settled()
    stop.abort()
    return has
  }
  return { clock, delivery, sent, add, hear, connect, hasRoom }
}

describe('delivery', () => {
  it('waits for the bridge when too much is held, and gives up nothing', async () => {
    const { delivery, add, hear, connect, hasRoom, clock } = setUp()
    await add('a', 1)
    await connect()
    await hear('a', [])
    await add('a', 11)
    expect(await hasRoom()).toBe(false)
    await clock.advance(3_600_000)
    expect([await hasRoom(), delivery.size, delivery.givenUp]).toEqual([false, 12, 0])
    await hear('a', [[1, 10]])
    expect([await hasRoom(), delivery.size]).toEqual([true, 2])
  })

  it('keeps the newest rows only where no bridge was ever heard, so that nothing comes to a standstill', async () => {
    const { delivery, add, hasRoom } = setUp()
    for (let i = 0; i < 20; i++) {
      await add('a', 10)
      expect(await hasRoom()).toBe(true)
    }
    expect(delivery.bytes).toBeLessThan(MAX_BYTES)
    expect(delivery.size + delivery.givenUp).toBe(200)
  })

  it('gives up rows of a phone that stands still in the way of others, and the next one declares them', async () => {
    const { delivery, add, hear, connect, hasRoom, clock, sent } = setUp()
    await connect()
    await add('stuck', 12)
    await hear('stuck', [])
    await clock.advance(601_000)
    await add('moves', 1)
    await hear('moves', [[1, 1]])
    expect(await hasRoom()).toBe(true)
    expect(delivery.givenUp).toBeGreaterThan(0)
    sent.length = 0
    delivery.disconnected()
    await connect()
    const [first] = sent.filter(({ topic }) => topic.includes('stuck')).flatMap(({ rows }) => rows)
    expect(first).toMatchObject({ seq: delivery.givenUp + 1, after: 'aaaaaaaa.0' })
  })

  it('tells each sender once on a connection that the bridge is another one, whenever its phone came', async () => {
    const { delivery, add, connect, sent, clock } = setUp()
    const info = (instance: string) => ({
      topic: topics.bridgeInfo,
      payload: Buffer.from(JSON.stringify({ instance })),
      retain: true,
      duplicate: false,
    })
    const sentSince = async (act: () => Promise<unknown>) => {
      const before = sent.length
      await act()
      await clock.advance(1_000)
      return sent.slice(before).map(({ topic }) => topic)
    }
    await connect()
    await add('a', 1)
    await delivery.message(info('br01'))
    await add('b', 1)
    for (let i = 0; i < 3; i++) await delivery.message(info('br01'))
    await clock.advance(1_000)
    const topicsOf = ['a', 'b'].map((device) => phoneTopics.rows('records', device))
    expect((await sentSince(() => delivery.message(info('br02')))).sort()).toEqual(topicsOf)
    expect(await sentSince(() => delivery.message(info('br02')))).toEqual([])
    delivery.disconnected()
    await sentSince(connect)
    expect((await sentSince(() => delivery.message(info('br01')))).sort()).toEqual(topicsOf)
  })

  it('keeps no sender of a phone that is forgotten, once its rows are in the table', async () => {
    const { delivery, add, hear, connect, sent, clock } = setUp()
    await connect()
    await add('a', 3)
    await clock.advance(1_000)
    delivery.forget('a')
    expect(delivery.held(1).next().value?.row.seq).toBe(1)
    await hear('a', [[1, 3]])
    expect(delivery.devices).toBe(0)

    await delivery.add({ device: 'a', kind: 'records', row: { of: 2, stream: 'bbbbbbbb', seq: 1, text: '{"seq":1}' } })
    await clock.advance(1_000)
    expect(sent.at(-1)?.rows).toEqual([{ seq: 1, after: 'bbbbbbbb.0' }])
    expect(delivery.devices).toBe(1)
  })

  it('does not hold a row that was made again and is in the table already', async () => {
    const { delivery, add, hear, connect } = setUp()
    await add('a', 1)
    await connect()
    await hear('a', [[1, 5]])
    await add('a', 5)
    expect([...delivery.held(1)].map(({ row }) => row.seq)).toEqual([6])
  })
})
