import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Bench, reading, STREAM, startBench } from './bench.ts'

/** One bridge for all of it: each test is a device of its own, and what one sends must not hurt the next. */
let bench: Bench
let pi = ''
let pis = 0

beforeAll(async () => {
  bench = await startBench()
  return () => bench.close()
})

beforeEach(() => {
  pi = `pi-${++pis}`
})

async function inTable(seqs: readonly number[]): Promise<void> {
  await eventually(`readings ${seqs} in the table`, async () => (await bench.seqs(pi)).length >= seqs.length)
  expect(await bench.seqs(pi)).toEqual(seqs)
}

const NESTED = 20_000

describe('a payload that can never be a row is counted, and the readings around it arrive', () => {
  it.each<[string, string | Buffer | (() => string)]>([
    ['text that is not JSON', 'hello'],
    ['half an object', '{"stream": "abcd1234", "seq":'],
    ['an empty payload', ''],
    ['binary junk', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    ['NaN, which is not JSON', '{"temperature": NaN}'],
    ['a number beyond all numbers', '{"temperature": 1e999}'],
    ['a number', '42'],
    ['null', 'null'],
    ['an array in an array', '[[]]'],
    ['text where a number belongs', () => reading(pi, 9, { temperature: 'warm' })],
    ['an object where a number belongs', () => reading(pi, 9, { humidity: {} })],
    ['a sequence number below 1', () => reading(pi, 0)],
    ['a sequence number that is no integer', () => reading(pi, 1.5)],
    ['a stream of another form', () => reading(pi, 9, { stream: 'UPPER' })],
    ['a stream without a sequence number', JSON.stringify({ stream: STREAM, temperature: 1 })],
    ['a time that is none', () => reading(pi, 9, { datetimestamp: 'yesterday' })],
    ["another device's name in the body", () => reading('pi-other', 9)],
    ['201 readings', JSON.stringify(Array.from({ length: 201 }, (_, i) => ({ temperature: i })))],
    ['more than 128 KiB', () => reading(pi, 9, { note: 'x'.repeat(128 * 1024) })],
    ['a jump of the counter beyond belief', () => reading(pi, 5_000_000)],
    ['nesting beyond reason', `{"stream":"${STREAM}","seq":9,"x":${'['.repeat(NESTED)}${']'.repeat(NESTED)}}`],
    ['nesting beyond reason in an array', `[${'['.repeat(NESTED)}${']'.repeat(NESTED)}]`],
  ])('%s', async (_what, payload) => {
    const before = await bench.deadLetters()
    await bench.publish(pi, reading(pi, 1))
    await bench.publish(pi, typeof payload === 'function' ? payload() : payload)
    await bench.publish(pi, reading(pi, 2))
    await inTable([1, 2])
    expect(await bench.counters(pi)).toMatchObject({ dead_letters: 1, rejected: 0 })
    expect(await bench.deadLetters()).toBe(before + 1)
    await bench.bridge.line(new RegExp(`"device":"${pi}".*kept a payload as a dead letter`))
  })

  it('an array with good and bad readings: each by itself', async () => {
    const mixed = [reading(pi, 1), '17', reading(pi, 2), reading('pi-other', 7), reading(pi, 3)]
    await bench.publish(pi, `[${mixed.join(',')}]`)
    await inTable([1, 2, 3])
    expect(await bench.counters(pi)).toMatchObject({ received: 3, dead_letters: 2 })
  })

  it.each(['bridge', 'elastic', 'UPPER', '-pi', 'x'.repeat(64)])('a topic that names no device: %s', async (name) => {
    const before = await bench.deadLetters()
    await bench.publish(name, reading(name, 1))
    await bench.publish(pi, reading(pi, 1))
    await inTable([1])
    expect(await bench.deadLetters()).toBe(before + 1)
    expect((await bench.devices()).map(({ hostname }) => hostname)).not.toContain(name)
  })
})

describe('a payload that is unusual but readable is a row', () => {
  it('keys without a column land in extra', async () => {
    await bench.publish(pi, reading(pi, 1, { battery: 3.7, 'odd key': [1, { a: null }] }))
    await bench.publish(pi, `{"stream":"${STREAM}","seq":2,"__proto__":{"polluted":true},"Temperature":5}`)
    await inTable([1, 2])
    const rows = await bench.ask(
      `select extra, temperature from DEMO.DEMO.SENSEHAT_SENSOR_DATA where hostname = '${pi}' order by seq`,
    )
    expect(rows.map(([extra, temperature]) => [JSON.parse(extra ?? 'null'), temperature])).toEqual([
      [{ battery: 3.7, 'odd key': [1, { a: null }] }, '21.5'],
      [JSON.parse('{"__proto__":{"polluted":true},"Temperature":5}'), null],
    ])
  })

  it('a publisher that numbers nothing gets a stream from the bridge', async () => {
    for (const temperature of [1, 2, 3]) await bench.publish(pi, JSON.stringify({ temperature }))
    await inTable([1, 2, 3])
  })

  it('a reading that comes twice is a row once', async () => {
    for (const seq of [1, 2, 2, 1, 3]) await bench.publish(pi, reading(pi, seq))
    await inTable([1, 2, 3])
    expect(await bench.counters(pi)).toMatchObject({ received: 3, redelivered: 2, dead_letters: 0 })
  })

  it.each<[string, Record<string, unknown>]>([
    ['nulls everywhere', { temperature: null, humidity: null, ts: null, extra: null }],
    ['the largest number', { temperature: Number.MAX_VALUE }],
    ['a NUL and half a surrogate pair', { privacy: 'a\u0000b\ud800c' }],
    ['other alphabets and emoji', { privacy: 'žluťoučký kůň 馬 🐎', 'ключ 🔑': '値' }],
    ['a very long text', { privacy: 'x'.repeat(100_000) }],
  ])('%s', async (_what, values) => {
    await bench.publish(pi, reading(pi, 1))
    await bench.publish(pi, reading(pi, 2, values))
    await bench.publish(pi, reading(pi, 3))
    await inTable([1, 2, 3])
    expect(await bench.counters(pi)).toMatchObject({ dead_letters: 0, rejected: 0 })
  })

  it('a row that Snowflake cannot convert is counted as rejected, and the rows after it arrive', async () => {
    await bench.publish(pi, reading(pi, 1))
    // Of the right form, and no day of any calendar.
    await bench.publish(pi, reading(pi, 2, { datetimestamp: '2026-02-31T25:61:61Z' }))
    await bench.publish(pi, reading(pi, 3))
    await eventually('the good rows', async () => (await bench.seqs(pi)).includes(3))
    expect(await bench.seqs(pi)).toEqual([1, 3])
    await eventually('the count', async () => (await bench.counters(pi)).rejected === 1)
  })
})
