import { describe, expect, it, onTestFinished } from 'vitest'
import type { BridgeEventMap } from '../../../bridge/events.ts'
import { LedgerPublisher } from '../../../bridge/ledger/ledger-publisher.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'
import { Events } from '../../../src/events.ts'
import { type Ledger, StreamSets } from '../../../src/ledger.ts'
import { silentLog } from '../../../src/log.ts'
import { createTopics } from '../../../src/topics.ts'
import { ledger } from '../../support/ledgers.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

function setUp() {
  const clock = new ManualClock()
  const spool = new MemorySpool(1_000_000, 'own1')
  const published: { at: number; topic: string; ledger: Ledger; ack: () => void; lose: () => void }[] = []
  const announced: string[] = []
  const broker = { answers: true, retained: new Promise<Ledger | null>(() => undefined) }
  const ledgers = new LedgerPublisher({
    clock,
    log: silentLog(),
    events: new Events<BridgeEventMap>(silentLog()),
    spool,
    topics: createTopics('sensehat', 'homeassistant'),
    publish: (topic, payload) =>
      new Promise((resolve, reject) => {
        published.push({
          at: clock.monotonic(),
          topic,
          ledger: JSON.parse(payload),
          ack: resolve,
          lose: () => reject(new Error('gone')),
        })
        if (broker.answers) resolve()
      }),
    retainedLedger: () => broker.retained,
    onAnnounced: (device) => announced.push(device.hostname),
  })
  onTestFinished(() => ledgers.close())
  const device = spool.device('pi')
  device.opened = true
  device.ledgerRead = true
  const take = (seq: number) => {
    void spool.append([
      { device, rows: [{ stream: 'aaaaaaaa', seq, json: Buffer.from('{}'), receivedAt: 0, arrived: 0 }] },
    ])
    ledgers.touch(device)
  }
  return { clock, spool, published, announced, broker, ledgers, device, take }
}

describe('the ledger of a device', () => {
  it.each([
    { resolved: false, whose: 'a new device' },
    { resolved: true, whose: 'a device of before this start' },
  ])(
    'of $whose never lies over one that was not read: the broker is asked first, and its words are carried on',
    async ({ resolved }) => {
      const { clock, published, ledgers, broker, device, take } = setUp()
      Object.assign(device, { resolved, ledgerRead: false })
      let answer: (found: Ledger | null) => void = () => undefined
      broker.retained = new Promise((resolve) => {
        answer = resolve
      })
      ledgers.connected()
      take(1)
      await clock.advance(60_000)
      expect(published).toEqual([])
      answer(ledger({ id: 7, instance: 'own0', streams: { bbbbbbbb: { spooled: [[1, 5]], committed: [[1, 5]] } } }))
      await settled()
      expect(published).toHaveLength(1)
      expect(published[0]?.ledger.id).toBe(8)
      expect(published[0]?.ledger.streams.bbbbbbbb?.committed).toEqual([[1, 5]])
    },
  )

  it('is published when it has changed, and at most every five seconds', async () => {
    const { clock, published, ledgers, take } = setUp()
    ledgers.connected()
    for (let seq = 1; seq <= 300; seq++) {
      take(seq)
      await clock.advance(100)
    }
    const at = published.map((one) => one.at)
    for (const [i, ms] of at.entries()) if (i > 1) expect(ms - (at[i - 1] ?? 0)).toBeGreaterThanOrEqual(5_000)
    expect(at.length).toBeGreaterThanOrEqual(6)
    expect(published[0]?.topic).toBe('sensehat/bridge/devices/pi')
    const before = published.length
    await clock.advance(60_000)
    expect(published.length - before).toBeLessThanOrEqual(1)
  })

  it('has an id that rises, above that of a predecessor too', async () => {
    const { clock, published, ledgers, device, take } = setUp()
    device.predecessor = ledger({ id: 41 })
    ledgers.connected()
    for (let seq = 1; seq <= 3; seq++) {
      take(seq)
      await clock.advance(6_000)
    }
    const ids = published.map((one) => one.ledger.id)
    expect(ids[0]).toBe(42)
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
  })

  it('is published at once when a new run waits for it', () => {
    const { published, ledgers, device, take } = setUp()
    ledgers.connected()
    take(1)
    ledgers.announce(device)
    take(5)
    ledgers.announce(device)
    expect(published.at(-1)?.ledger.runs).toHaveLength(2)
  })

  it('is published again on every connection, whether it has changed or not', async () => {
    const { clock, published, ledgers, take } = setUp()
    take(1)
    await clock.advance(20_000)
    expect(published).toEqual([])
    ledgers.connected()
    expect(published).toHaveLength(1)
    await settled()
    ledgers.disconnected()
    await clock.advance(20_000)
    expect(published).toHaveLength(1)
    ledgers.connected()
    expect(published).toHaveLength(2)
  })

  it('that was not acknowledged goes out again', async () => {
    const { clock, published, broker, ledgers, take } = setUp()
    broker.answers = false
    take(1)
    ledgers.connected()
    published[0]?.lose()
    await clock.advance(6_000)
    expect(published).toHaveLength(2)
  })

  it('is with the broker when flush resolves', async () => {
    const { published, broker, ledgers, take } = setUp()
    ledgers.connected()
    broker.answers = false
    take(1)
    let flushed = false
    const flushing = ledgers.flush().then(() => {
      flushed = true
    })
    await settled()
    expect(flushed).toBe(false)
    published.at(-1)?.ack()
    await flushing
    expect(published.at(-1)?.ledger.lag_rows).toBe(1)
  })
})

describe('a run is announced', () => {
  it('when a ledger naming it was acknowledged, and not before', async () => {
    const { published, announced, broker, ledgers, device, take } = setUp()
    broker.answers = false
    take(1)
    ledgers.connected()
    expect(ledgers.isAnnounced(device, 1)).toBe(false)
    published[0]?.ack()
    await settled()
    expect(ledgers.isAnnounced(device, 1)).toBe(true)
    expect(ledgers.isAnnounced(device, 2)).toBe(false)
    expect(announced).toEqual(['pi'])
  })

  it('not by an acknowledgement of a ledger that does not name it yet', async () => {
    const { published, broker, ledgers, device, take } = setUp()
    broker.answers = false
    take(1)
    ledgers.connected()
    take(5)
    published[0]?.ack()
    await settled()
    expect(ledgers.isAnnounced(device, 1)).toBe(true)
    expect(ledgers.isAnnounced(device, 2)).toBe(false)
  })

  it('not by an acknowledgement from before a take-over: its tokens are others now', async () => {
    const { published, broker, announced, ledgers, device, take } = setUp()
    broker.answers = false
    take(1)
    ledgers.connected()
    device.takeOver('own1', {
      known: new StreamSets(),
      at: null,
      highestOrdinal: 0,
      incarnation: null,
      agreed: { parsed: 0, errors: 0 },
    })
    published[0]?.ack()
    await settled()
    expect(ledgers.isAnnounced(device, 1)).toBe(false)
    expect(announced).toEqual([])
    ledgers.announce(device)
    published.at(-1)?.ack()
    await settled()
    expect(ledgers.isAnnounced(device, 1)).toBe(true)
  })

  it('and forgotten at a take-over', async () => {
    const { ledgers, device, take } = setUp()
    take(1)
    ledgers.connected()
    await settled()
    expect(ledgers.isAnnounced(device, 1)).toBe(true)
    device.takeOver('own1', {
      known: new StreamSets(),
      at: null,
      highestOrdinal: 0,
      incarnation: null,
      agreed: { parsed: 0, errors: 0 },
    })
    expect(ledgers.isAnnounced(device, 1)).toBe(false)
  })

  it('not by a ledger written before the channel was open', async () => {
    const { ledgers, device, take } = setUp()
    device.opened = false
    take(1)
    ledgers.connected()
    await settled()
    expect(ledgers.isAnnounced(device, 1)).toBe(false)
  })

  it('in whatever order acknowledgements come', async () => {
    const { published, broker, ledgers, device, take } = setUp()
    broker.answers = false
    take(1)
    ledgers.connected()
    take(5)
    ledgers.announce(device)
    published[1]?.ack()
    await settled()
    published[0]?.ack()
    await settled()
    expect(ledgers.isAnnounced(device, 2)).toBe(true)
  })
})

describe('the ledgers of a large fleet', () => {
  function fleet(many: number) {
    const made = setUp()
    const devices = Array.from({ length: many }, (_, i) => made.spool.device(`pi-${i}`))
    for (const device of devices) Object.assign(device, { opened: true, ledgerRead: true })
    return { ...made, devices }
  }

  it('are at most a thousand a second, and none is older than twenty seconds though all change all the time', async () => {
    const { clock, devices, ledgers, published } = fleet(6_000)
    ledgers.connected()
    const last = new Map<string, number>()
    let oldest = 0
    for (let second = 0; second < 30; second++) {
      for (const device of devices) ledgers.touch(device)
      const before = published.length
      await clock.advance(1_000)
      const now = published.splice(0).slice(second === 0 ? 0 : before)
      if (second > 0) expect(now.length).toBeLessThanOrEqual(1_000)
      for (const { at, topic } of now) {
        if (last.has(topic)) oldest = Math.max(oldest, at - (last.get(topic) ?? 0))
        last.set(topic, at)
      }
    }
    expect(last.size).toBe(6_001)
    expect(oldest).toBeLessThanOrEqual(20_000)
  })

  it('that were never read are read a few at a time: lanes wait for theirs', async () => {
    const { clock, devices, ledgers, broker, published } = fleet(300)
    let reading = 0
    for (const device of devices) device.ledgerRead = false
    let answer: () => void = () => undefined
    const asked: string[] = []
    Object.defineProperty(broker, 'retained', {
      get: () => {
        reading++
        asked.push('')
        return new Promise<null>((resolve) => {
          const before = answer
          answer = () => {
            before()
            resolve(null)
          }
        })
      },
    })
    ledgers.connected()
    await clock.advance(2_000)
    expect(reading).toBe(20)
    for (let i = 0; i < 40; i++) {
      answer()
      await clock.advance(500)
    }
    expect(new Set(published.map(({ topic }) => topic)).size).toBe(301)
  })
})
