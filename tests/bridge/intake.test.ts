import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryDeadLetters } from '../../bridge/dead-letters/memory-dead-letters.ts'
import type { BridgeEventMap } from '../../bridge/events.ts'
import { Intake } from '../../bridge/intake.ts'
import type { DeviceLog } from '../../bridge/spool/device-log.ts'
import { MemorySpool } from '../../bridge/spool/memory-spool.ts'
import { spoolFull } from '../../bridge/spool/spool.ts'
import { Events } from '../../src/events.ts'
import { silentLog } from '../../src/log.ts'
import { createTopics } from '../../src/topics.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { senseHatOnly } from '../support/pipes.ts'
import { reading } from '../support/readings.ts'

const topics = createTopics('sensehat', 'homeassistant')

function setUp() {
  const clock = new ManualClock()
  const spool = new MemorySpool(10_000_000, 'own1')
  const deadLetters = new MemoryDeadLetters()
  const events = new Events<BridgeEventMap>(silentLog())
  const changed: DeviceLog[] = []
  const intake = new Intake(senseHatOnly(topics), {
    clock,
    log: silentLog(),
    events,
    spool,
    deadLetters,
    onChange: (device) => changed.push(device),
  })
  const send = (value: unknown, topic = topics.readings('pi')) =>
    intake.accept({
      topic,
      payload: Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
      retain: false,
      duplicate: false,
    })
  const device = spool.device('pi')
  return {
    clock,
    spool,
    deadLetters,
    events,
    changed,
    send,
    device,
    rows: () => device.rows.map((row) => JSON.parse(String(row.json)) as Record<string, unknown>),
    seqs: () => device.rows.map((row) => row.token.seq),
    codes: () =>
      deadLetters
        .recent(100)
        .map((letter) => letter.code)
        .reverse(),
  }
}

describe('a good message', () => {
  it('is spooled with the time it came, and the device is told of', async () => {
    const { send, rows, changed, device, deadLetters } = setUp()
    await send(reading(1))
    expect(rows()).toEqual([{ ...reading(1), bridge_received_at: '2026-11-22T12:00:00.000Z' }])
    expect(changed).toEqual([device])
    expect(device.counters).toMatchObject({ received: 1, redelivered: 0, late: 0, deadLetters: 0 })
    expect(deadLetters.total).toBe(0)
  })

  it.each([
    ['a new reading', 2],
    ['a reading that is in the table', 1],
  ])('takes a device into use again that was forgotten: %s', async (_what, seq) => {
    const { send, device, spool, changed } = setUp()
    await send(reading(1))
    if (device.newest !== undefined) device.trimTo(device.newest)
    await spool.retire(device, false)
    changed.length = 0
    await send(reading(seq))
    expect([...spool.devices()]).toEqual([device])
    expect(changed.at(-1)).toBe(device)
  })

  it('may hold several readings, oldest first, of several streams', async () => {
    const { send, device } = setUp()
    await send([reading(1), reading(2), reading(1, { stream: 'bbbbbbbb' }), reading(3)])
    expect(device.rows.map(({ token }) => `${token.ordinal}.${token.stream}.${token.seq}`)).toEqual([
      '1.aaaaaaaa.1',
      '1.aaaaaaaa.2',
      '2.bbbbbbbb.1',
      '3.aaaaaaaa.3',
    ])
  })

  it('has 200 readings at most', async () => {
    const { send, codes, device } = setUp()
    await send(Array.from({ length: 200 }, (_, i) => reading(i + 1)))
    expect(device.rows).toHaveLength(200)
    await send(Array.from({ length: 201 }, (_, i) => reading(i + 300)))
    expect(device.rows).toHaveLength(200)
    expect(codes()).toEqual(['too_many'])
  })

  it('may be an empty array, which says nothing', async () => {
    const { send, device, deadLetters } = setUp()
    await send([])
    expect([device.rows.length, deadLetters.total]).toEqual([0, 0])
  })

  it('may have null for everything that was not measured', async () => {
    const { send, rows } = setUp()
    await send(reading(1, { temperature: null, ipaddress: null, after: null, simulated: null }))
    expect(rows()[0]).toMatchObject({ temperature: null, ipaddress: null })
  })

  it('is the identity of its topic: the row bears that name even when the body names none', async () => {
    const { send, rows } = setUp()
    const { hostname: _, ...anonymous } = reading(1)
    await send(anonymous)
    expect(rows()[0]?.hostname).toBe('pi')
  })

  it('never writes what only the bridge may write', async () => {
    const { send, rows } = setUp()
    await send(reading(1, { ingestion_timestamp: '1999-01-01T00:00:00Z', bridge_received_at: '1999-01-01T00:00:00Z' }))
    expect(rows()[0]).toMatchObject({ bridge_received_at: '2026-11-22T12:00:00.000Z' })
    expect(rows()[0]).not.toHaveProperty('ingestion_timestamp')
  })
})

describe('a message that cannot be read', () => {
  it.each<[why: string, payload: unknown, code: string]>([
    ['is not JSON', 'temperature=21', 'not_json'],
    ['is empty', '', 'not_json'],
    ['is cut off', '{"seq":1', 'not_json'],
    ['has NaN', '{"stream":"aaaaaaaa","seq":1,"temperature":NaN}', 'not_json'],
    ['is not UTF-8', Buffer.from([0xff, 0xfe, 0x00]), 'not_json'],
    ['is a number', '42', 'not_an_object'],
    ['is text', '"online"', 'not_an_object'],
    ['is null', 'null', 'not_an_object'],
    ['is true', 'true', 'not_an_object'],
    ['has text for a number', reading(1, { temperature: '21.5' }), 'wrong_type'],
    ['has a number for text', reading(1, { uuid: 5 }), 'wrong_type'],
    ['has a number for a boolean', reading(1, { simulated: 1 }), 'wrong_type'],
    ['has an object for a number', reading(1, { humidity: { value: 5 } }), 'wrong_type'],
    ['has 1e999 for a number', '{"stream":"aaaaaaaa","seq":1,"temperature":1e999}', 'wrong_type'],
    ['has a fraction for an integer', reading(1, { ts: 1.5 }), 'wrong_type'],
    ['has no time for a time', reading(1, { datetimestamp: 'yesterday' }), 'wrong_type'],
    ['has seq 0', reading(0), 'wrong_type'],
    ['has a negative seq', reading(-1), 'wrong_type'],
    ['has a fraction for seq', reading(1.5), 'wrong_type'],
    ['has text for seq', reading(1, { seq: '1' }), 'wrong_type'],
    ['has a seq beyond what numbers hold', '{"stream":"aaaaaaaa","seq":9007199254740993}', 'wrong_type'],
    ['has a stream in capitals', reading(1, { stream: 'AAAAAAAA' }), 'wrong_type'],
    ['has a stream with a dot', reading(1, { stream: 'aaaa.aaa' }), 'wrong_type'],
    ['has a stream and no seq', { hostname: 'pi', stream: 'aaaaaaaa' }, 'wrong_type'],
    ['has a seq and no stream', { hostname: 'pi', seq: 3 }, 'wrong_type'],
    ['has an after that is none', reading(1, { after: 'long ago' }), 'wrong_type'],
    ['names another host', reading(1, { hostname: 'pj' }), 'other_host'],
    ['names its host in capitals', reading(1, { hostname: 'PI' }), 'other_host'],
  ])('because it %s is kept as a dead letter, and the bridge goes on', async (_why, payload, code) => {
    const { send, codes, seqs, deadLetters, device } = setUp()
    await send(payload)
    expect(codes()).toEqual([code])
    expect(seqs()).toEqual([])
    const bytes = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
    expect(deadLetters.recent(1)[0]).toMatchObject({ device: 'pi', topic: 'sensehat/pi/readings', payload: bytes })
    expect(deadLetters.recent(1)[0]?.reason).toMatch(/\S/)
    expect(device.counters.deadLetters).toBe(1)
    await send(reading(7))
    expect(seqs()).toEqual([7])
  })

  it('because it is larger than 128 KiB is one as well', async () => {
    const { send, codes, seqs } = setUp()
    const fits = JSON.stringify(reading(1, { note: '' }))
    await send(fits.replace('""', `"${'x'.repeat(128 * 1024 - fits.length)}"`))
    expect([seqs(), codes()]).toEqual([[1], []])
    await send(JSON.stringify(reading(2, { note: 'x'.repeat(128 * 1024) })))
    expect(codes()).toEqual(['too_large'])
  })

  it('because it is nested without end hurts nobody', async () => {
    const { send, seqs, deadLetters } = setUp()
    await send(`{"a":${'['.repeat(60_000)}${']'.repeat(60_000)}}`)
    await send(reading(1))
    expect(deadLetters.total).toBe(1)
    expect(seqs()).toEqual([1])
  })

  it.each([
    'sensehat/bridge/readings',
    'sensehat/elastic/readings',
    'sensehat/Pi.Kitchen/readings',
    'sensehat//readings',
    `sensehat/${'x'.repeat(64)}/readings`,
  ])('because its topic %s names no device is one of nobody', async (topic) => {
    const { send, deadLetters, spool } = setUp()
    await send(reading(1), topic)
    expect(deadLetters.recent(1)[0]).toMatchObject({ device: '', code: 'bad_topic', topic })
    expect([...spool.devices()].map((device) => device.hostname)).toEqual(['pi'])
  })

  it('never makes accept reject, whatever its bytes are', async () => {
    const { send, device, deadLetters } = setUp()
    let sent = 0
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array(),
          fc.json(),
          fc.jsonValue().map((v) => JSON.stringify([v])),
        ),
        async (bytes) => {
          const before = device.rows.length + deadLetters.total
          await send(Buffer.from(bytes as string))
          sent++
          expect(device.rows.length + deadLetters.total).toBeGreaterThanOrEqual(before)
        },
      ),
    )
    expect(sent).toBeGreaterThan(0)
  })
})

describe('a dead letter whose place in its stream is known', () => {
  it('is accounted for: no gap, and its publisher may let go of it', async () => {
    const { send, device } = setUp()
    await send([reading(1), reading(2, { temperature: 'hot' }), reading(3)])
    expect(device.received.of('aaaaaaaa').toJSON()).toEqual([[1, 3]])
    expect(device.committed.of('aaaaaaaa').toJSON()).toEqual([[2, 2]])
    expect(device.rows.map(({ token }) => token.seq)).toEqual([1, 3])
  })

  it('that comes again is one that was redelivered, not a second dead letter', async () => {
    const { send, device, deadLetters } = setUp()
    await send(reading(2, { temperature: 'hot' }))
    await send(reading(2, { temperature: 'hot' }))
    expect(deadLetters.total).toBe(1)
    expect(device.counters).toMatchObject({ deadLetters: 1, redelivered: 1 })
  })
})

describe('a reading that names another host than its topic', () => {
  it("has its place in its stream under the topic's device: its publisher lets go of it and sends it no more", async () => {
    const { send, device, spool, deadLetters } = setUp()
    await send([reading(1), reading(2, { hostname: 'pj' }), reading(3)])
    await send(reading(2, { hostname: 'pj' }))
    expect(device.received.of('aaaaaaaa').toJSON()).toEqual([[1, 3]])
    expect(device.committed.of('aaaaaaaa').toJSON()).toEqual([[2, 2]])
    expect(deadLetters.recent(9).map(({ position }) => position)).toEqual([{ stream: 'aaaaaaaa', seq: 2 }])
    expect(device.counters).toMatchObject({ deadLetters: 1, redelivered: 1 })
    expect([...spool.devices()].map(({ hostname }) => hostname)).toEqual(['pi'])
  })

  it('is one without a place when it numbers nothing', async () => {
    const { send, device, deadLetters } = setUp()
    await send({ hostname: 'pj', temperature: 20 })
    expect(deadLetters.recent(1)[0]?.position).toBeUndefined()
    expect(device.committed.streams()).toEqual([])
  })

  it('is told of in one sentence however long that name is', async () => {
    const { send, deadLetters } = setUp()
    await send({ hostname: 'x'.repeat(100_000), temperature: 20 })
    expect(deadLetters.recent(1)[0]?.reason.length).toBeLessThan(200)
  })
})

describe('refused elements of an array', () => {
  it('are kept one by one, and the others are taken', async () => {
    const { send, seqs, codes, deadLetters } = setUp()
    await send([reading(1), 5, reading(2, { hostname: 'pj' }), null, reading(3, { humidity: 'wet' }), reading(4)])
    expect(seqs()).toEqual([1, 4])
    expect(codes()).toEqual(['not_an_object', 'other_host', 'not_an_object', 'wrong_type'])
    expect(
      deadLetters
        .recent(4)
        .map(({ payload }) => JSON.parse(payload.toString()))
        .reverse(),
    ).toEqual([5, reading(2, { hostname: 'pj' }), null, reading(3, { humidity: 'wet' })])
  })
})

describe('duplicates', () => {
  it('are counted and taken once: in one array, across messages, in any order', async () => {
    const { send, seqs, device } = setUp()
    const again: string[] = []
    await send([reading(1), reading(2), reading(2), reading(1)])
    await send([reading(2), reading(3)])
    await send(reading(3))
    expect(seqs()).toEqual([1, 2, 3])
    expect(device.counters).toMatchObject({ received: 3, redelivered: 4 })
    expect(again).toEqual([])
  })

  it('are those of the same stream only', async () => {
    const { send, seqs } = setUp()
    await send([reading(1), reading(1, { stream: 'bbbbbbbb' })])
    expect(seqs()).toEqual([1, 1])
  })

  it('of whatever came in whatever order leave each reading once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 })),
        async (messages) => {
          const { send, seqs, device } = setUp()
          for (const message of messages) await send(message.map((seq) => reading(seq)))
          expect([...seqs()].sort((a, b) => a - b)).toEqual([...new Set(messages.flat())].sort((a, b) => a - b))
          expect(device.counters.received + device.counters.redelivered).toBe(messages.flat().length)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('numbers that do not follow', () => {
  it('are gaps until they are filled, late ones are counted', async () => {
    const { send, device } = setUp()
    await send([reading(1), reading(5)])
    expect(device.received.of('aaaaaaaa').holes(1, 5)).toEqual([[2, 4]])
    await send(reading(3))
    expect(device.counters.late).toBe(1)
  })

  it('are declared when `after` says so, of the same stream and of a stream before it', async () => {
    const { send, device } = setUp()
    await send(reading(4, { after: 'aaaaaaaa.0' }))
    await send(reading(9, { after: 'aaaaaaaa.4' }))
    await send(reading(3, { stream: 'bbbbbbbb', after: 'aaaaaaaa.9' }))
    expect(device.declared.of('aaaaaaaa').toJSON()).toEqual([
      [1, 3],
      [5, 8],
    ])
    expect(device.declared.of('bbbbbbbb').toJSON()).toEqual([[1, 2]])
  })

  it('by more than a million are a broken counter: a dead letter, and the stream goes on', async () => {
    const { send, seqs, codes } = setUp()
    await send(reading(10))
    await send(reading(1_000_010))
    await send(reading(2_000_011))
    await send(reading(1_000_011))
    expect(codes()).toEqual(['seq_jump'])
    expect(seqs()).toEqual([10, 1_000_010, 1_000_011])
  })

  it('are no jump at the first reading of a stream: a bridge that lost its spool meets Pis that have run for weeks', async () => {
    const { send, seqs, codes } = setUp()
    await send([reading(1_500_000), reading(1_500_001)])
    expect(codes()).toEqual([])
    expect(seqs()).toEqual([1_500_000, 1_500_001])
  })
})

describe('keys nobody knows', () => {
  it('go into extra, with what was there', async () => {
    const { send, rows } = setUp()
    await send(reading(1, { co2: 412, extra: { room: 'attic' }, TEMPERATURE: 5 }))
    expect(rows()[0]?.extra).toEqual({ room: 'attic', co2: 412, TEMPERATURE: 5 })
    expect(rows()[0]?.temperature).toBe(21.5)
  })

  it('called extra that is no object is kept in it', async () => {
    const { send, rows } = setUp()
    await send(reading(1, { extra: 'text' }))
    expect(rows()[0]?.extra).toEqual({ extra: 'text' })
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'even %s, which changes nothing else',
    async (key) => {
      const { send, device } = setUp()
      await send(`{"stream":"aaaaaaaa","seq":1,"${key}":{"polluted":true}}`)
      const text = String(device.rows[0]?.json)
      expect(text).toContain(`"${key}":{"polluted":true}`)
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
      expect(text).toMatch(/"extra":\{/)
    },
  )

  it('are no row with an extra when there are none', async () => {
    const { send, rows } = setUp()
    await send(reading(1))
    expect(rows()[0]).not.toHaveProperty('extra')
  })
})

describe('a publisher that numbers nothing', () => {
  it('gets a stream of ours, one number after the other, and every message counts', async () => {
    const { send, device, rows } = setUp()
    await send({ temperature: 20 })
    await send([{ temperature: 20 }, { temperature: 21, uuid: 'my-own' }])
    const streams = new Set(device.rows.map(({ token }) => token.stream))
    expect(streams.size).toBe(1)
    expect([...streams][0]).toMatch(/^[0-9a-z]{8}$/)
    expect(device.rows.map(({ token }) => token.seq)).toEqual([1, 2, 3])
    expect(rows().map((row) => row.uuid)).toEqual([`pi-${[...streams][0]}-1`, `pi-${[...streams][0]}-2`, 'my-own'])
    expect(rows()[0]).toMatchObject({ stream: [...streams][0], seq: 1, hostname: 'pi' })
  })
})

describe('a spool that is full', () => {
  it('makes accept reject, so that nothing is acknowledged, and has taken none of the message', async () => {
    const { spool, send, device } = setUp()
    const small = new MemorySpool(300, 'own1')
    void spool
    const intake = new Intake(senseHatOnly(topics), {
      clock: new ManualClock(),
      log: silentLog(),
      events: new Events<BridgeEventMap>(silentLog()),
      spool: small,
      deadLetters: new MemoryDeadLetters(),
      onChange: () => undefined,
    })
    const accept = (value: unknown) =>
      intake.accept({
        topic: topics.readings('pi'),
        payload: Buffer.from(JSON.stringify(value)),
        retain: false,
        duplicate: false,
      })
    await accept(reading(1))
    await expect(accept([reading(2), reading(3)])).rejects.toMatchObject({ code: 'E_SPOOL_FULL' })
    expect(small.device('pi').rows).toHaveLength(1)
    expect(small.device('pi').has('aaaaaaaa', 2)).toBe(false)
    await send(reading(1))
    expect(device.rows).toHaveLength(1)
  })
})

describe('many messages at once', () => {
  /** A spool whose disk takes its time. */
  function slowly() {
    const world = setUp()
    const commits: { rows: number; done: () => void; full: () => void }[] = []
    const append = world.spool.append.bind(world.spool)
    world.spool.append = (arrivals) =>
      new Promise((resolve, reject) => {
        const rows = arrivals.reduce((sum, one) => sum + one.rows.length, 0)
        const full = () => reject(spoolFull())
        commits.push({ rows, done: () => append(arrivals).then(resolve), full })
      })
    return { ...world, commits }
  }

  it('share one commit of the spool, and none is acknowledged before it', async () => {
    const { send, commits, seqs } = slowly()
    const acknowledged: number[] = []
    const sent = [1, 2, 3, 4].map((seq) => send(reading(seq)).then(() => acknowledged.push(seq)))
    await settled()
    expect(commits.map(({ rows }) => rows)).toEqual([1])
    commits[0]?.done()
    await settled()
    expect(acknowledged).toEqual([1])
    expect(commits.map(({ rows }) => rows)).toEqual([1, 3])
    commits[1]?.done()
    await Promise.all(sent)
    expect(acknowledged).toEqual([1, 2, 3, 4])
    expect(seqs()).toEqual([1, 2, 3, 4])
  })

  it('know one another: what comes twice in a group is one row', async () => {
    const { send, commits, seqs, device } = slowly()
    const sent = [1, 2, 2, 3, 2].map((seq) => send(reading(seq)))
    await settled()
    commits[0]?.done()
    await settled()
    commits[1]?.done()
    await Promise.all(sent)
    expect(seqs()).toEqual([1, 2, 3])
    expect(device.counters).toMatchObject({ received: 3, redelivered: 2 })
  })

  it('are refused together by a full spool, and have then never been', async () => {
    const { send, commits, device, codes } = slowly()
    const sent = [send(reading(1)), send('not JSON'), send(reading(3, { after: 'aaaaaaaa.1' })), send({ humidity: 40 })]
    const ended = Promise.allSettled(sent)
    await settled()
    commits[0]?.done()
    await settled()
    commits[1]?.full()
    expect((await ended).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
    expect(device).toMatchObject({ made: null, counters: { received: 1, deadLetters: 0 } })
    expect(codes()).toEqual([])
    expect(device.declared.has('aaaaaaaa', 2)).toBe(false)
  })

  it('of a device that is aside and has had its share are acknowledged and not taken: its Pi keeps them', async () => {
    const { send, spool, device, codes } = setUp()
    await send(reading(1))
    const other = spool.device('well')
    spool.append = async (arrivals) => new Set(arrivals.map(({ device }) => device).filter((one) => one === device))
    await Promise.all([send(reading(2)), send(reading(3)), send('not JSON')])
    await send(reading(1, { hostname: 'well' }), topics.readings('well'))
    expect(device.has('aaaaaaaa', 2)).toBe(false)
    expect(device.counters).toMatchObject({ received: 1, redelivered: 0 })
    // What can never be a row is kept all the same.
    expect(codes()).toEqual(['not_json'])
    expect(other.counters.redelivered).toBe(0)
  })
})
