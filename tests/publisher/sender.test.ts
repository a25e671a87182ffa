import { describe, expect, it } from 'vitest'
import { settled } from '../support/manual-clock.ts'
import { senderSetUp } from './fake-link.ts'
import { message, reading, topics } from './support.ts'

describe('sending', () => {
  it('a live reading goes alone, as an object, as soon as it is taken', async () => {
    const { link, take, connect } = senderSetUp()
    await connect()
    await take()
    await take()
    expect(link.sent.map((m) => [m.seqs, m.single])).toEqual([
      [[1], true],
      [[2], true],
    ])
  })

  it('what was taken while the broker was away goes as arrays, in order and within the bounds of a message', async () => {
    const { clock, link, take, connect } = senderSetUp()
    await take(500)
    await connect()
    await clock.advance(10_000)
    expect(link.sent.every((m) => m.seqs.length <= 200 && m.bytes <= 128 * 1024)).toBe(true)
    expect(link.sent.length).toBeLessThan(10)
    expect(link.taken()).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
  })

  it('backlog is paced, at no less than 50 a second and ten times the live rate', async () => {
    const { clock, link, take, connect } = senderSetUp({ intervalMs: 100 })
    await take(3_000)
    await connect()
    await clock.advance(1_000)
    const first = link.taken().length
    await clock.advance(4_000)
    const perSecond = link.taken().length / 4
    expect(first).toBeLessThan(1_000)
    expect(perSecond).toBeGreaterThanOrEqual(100)
    expect(perSecond).toBeLessThan(400)
  })

  it('no more than a window of messages is under way, and a PUBACK frees only the window', async () => {
    const { link, take, connect, outbox, sender } = senderSetUp()
    link.answers = 'when told'
    await connect()
    await take(30)
    expect(link.sent).toHaveLength(10)
    link.sent[0]?.ack()
    await settled()
    expect(link.sent).toHaveLength(11)
    expect(outbox.size).toBe(30)
    expect(sender.delivered).toBe(1)
  })

  it('it listens to the bridge and to its own ledger', async () => {
    const { link, connect } = senderSetUp()
    await connect()
    expect(link.subscribed).toEqual([
      ['sensehat/bridge/availability', 'sensehat/bridge/info', 'sensehat/bridge/devices/pi-a'],
    ])
  })
})

describe('a reading leaves', () => {
  it('when the ledger lists it as committed', async () => {
    const { take, connect, hear, outbox, sender } = senderSetUp()
    await connect()
    await take(3)
    await hear([[1, 3]], [[1, 2]])
    expect(outbox.size).toBe(1)
    expect(sender.committed).toBe(2)
  })

  it('and drained resolves when the last one has, or when nobody wants to wait any more', async () => {
    const { take, connect, hear, sender } = senderSetUp()
    await connect()
    await take(2)
    let drained = false
    void sender.drained().then(() => {
      drained = true
    })
    await hear([[1, 2]], [[1, 1]])
    expect(drained).toBe(false)
    await hear([[1, 2]], [[1, 2]])
    expect(drained).toBe(true)

    await take(1)
    const patience = new AbortController()
    const waiting = sender.drained(patience.signal)
    patience.abort()
    await waiting
  })
})

describe('a reading is sent again', () => {
  it('from the first not spooled after a reconnect', async () => {
    const { link, take, connect, hear, sender } = senderSetUp()
    await connect()
    await take(4)
    await hear([[1, 2]], [])
    sender.disconnected()
    link.taken()
    await connect()
    expect(link.taken()).toEqual([3, 4])
  })

  it('only when the ledger had time to come after the reconnect', async () => {
    const { clock, link, take, connect, hear, sender } = senderSetUp()
    await connect()
    await take(2)
    sender.disconnected()
    link.taken()
    void sender.connected(link)
    await clock.advance(100)
    await hear([[1, 2]], [])
    await clock.advance(1_000)
    expect(link.taken()).toEqual([])
  })

  it('from the first not spooled after a refused message, and not at once', async () => {
    const { clock, link, take, connect, sender } = senderSetUp()
    await connect()
    link.answers = 'when told'
    await take(3)
    const [first, second, third] = link.sent
    link.answers = 'at once'
    first?.ack()
    second?.refuse()
    third?.refuse()
    await settled()
    expect(link.sent).toHaveLength(3)
    link.taken()
    await clock.advance(2_000)
    expect(link.taken()).toEqual([1, 2, 3])
    expect(sender.delivered).toBe(3)
  })

  it('after 30 s without progress while the bridge is online, and not while it is away', async () => {
    const { clock, link, take, connect, hear, bridge } = senderSetUp()
    await connect()
    await take(3)
    await hear([[1, 1]], [])
    link.taken()
    await clock.advance(60_000)
    expect(link.taken()).toEqual([])
    await bridge('online')
    await clock.advance(2_000)
    expect(link.taken()).toEqual([2, 3])
  })

  it('and not when it is new, though nothing had happened for long', async () => {
    const { clock, link, take, connect, bridge } = senderSetUp()
    await connect()
    await bridge('online')
    await clock.advance(120_000)
    await take(1)
    await clock.advance(20_000)
    expect(link.taken()).toEqual([1])
  })

  it('and not when it was held back for long and is let go now', async () => {
    const { clock, link, connect, bridge, outbox, sender } = senderSetUp()
    await connect()
    await bridge('online')
    await sender.submit(reading(1), { boot: 'boot-1', ms: 0 })
    await clock.advance(45_000)
    expect(link.taken()).toEqual([])
    await outbox.settle((held) => held)
    sender.letGo()
    await clock.advance(20_000)
    expect(link.taken()).toEqual([1])
  })

  it('from the first not committed when another bridge answers in info', async () => {
    const { link, take, connect, hear, info } = senderSetUp()
    await connect()
    await info('br01')
    await take(3)
    await hear([[1, 3]], [[1, 1]])
    link.taken()
    await info('br01')
    expect(link.taken()).toEqual([])
    await info('br02')
    expect(link.taken()).toEqual([2, 3])
  })

  it('from the first not committed when the ledger is that of another bridge', async () => {
    const { link, take, connect, hear } = senderSetUp()
    await connect()
    await take(3)
    await hear([[1, 3]], [[1, 1]])
    link.taken()
    await hear([], [], 'br02')
    expect(link.taken()).toEqual([2, 3])
  })

  it('as soon as the ledger shows later ones and not it', async () => {
    const { link, take, connect, hear } = senderSetUp()
    await connect()
    for (let i = 0; i < 5; i++) await take()
    link.taken()
    await hear(
      [
        [1, 2],
        [4, 4],
      ],
      [],
    )
    expect(link.taken()).toEqual([3])
  })
})

describe('the ledger', () => {
  it('is asked for again when it has been silent for 30 s while readings are held', async () => {
    const { clock, link, take, connect, hear } = senderSetUp()
    await connect()
    await clock.advance(100_000)
    expect(link.subscribed).toHaveLength(1)
    await take(1)
    await hear([[1, 1]], [])
    await clock.advance(29_000)
    expect(link.subscribed).toHaveLength(1)
    await clock.advance(3_000)
    expect(link.subscribed.slice(1)).toEqual([['sensehat/bridge/devices/pi-a']])
    await clock.advance(31_000)
    expect(link.subscribed).toHaveLength(3)
    await hear([[1, 1]], [[1, 1]])
    await clock.advance(100_000)
    expect(link.subscribed).toHaveLength(3)
  })

  it('is the sign that a bridge was seen, as are its info and its presence', async () => {
    const { connect, hear, outbox } = senderSetUp()
    await connect()
    expect(outbox.notes.bridge_seen).toBe(false)
    await hear([], [])
    expect(outbox.notes.bridge_seen).toBe(true)
    const other = senderSetUp()
    await other.connect()
    await other.bridge('online')
    expect(other.outbox.notes.bridge_seen).toBe(true)
  })

  it('that is no ledger, and info that is no JSON, change nothing', async () => {
    const { take, connect, sender, outbox } = senderSetUp()
    await connect()
    await take(1)
    await sender.message(message(topics.ledger('pi-a'), '{"id":1}'))
    await sender.message(message(topics.ledger('pi-a'), ''))
    await sender.message(message(topics.bridgeInfo, 'nonsense'))
    expect(outbox.size).toBe(1)
  })
})
