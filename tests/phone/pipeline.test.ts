import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type PhoneSettings, phoneSection } from '../../phone/config.ts'
import { Journal } from '../../phone/journal/journal.ts'
import { openPipeline, type Pipeline } from '../../phone/pipeline.ts'
import { createPhoneTopics } from '../../phone/topics.ts'
import { silentLog } from '../../src/log.ts'
import { MAX_MESSAGE_BYTES } from '../../src/reading.ts'
import { createTopics } from '../../src/topics.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { walkMessage } from '../support/phone-messages.ts'

const topics = createTopics('sensehat', 'homeassistant')
const phoneTopics = createPhoneTopics('phones', topics)
const defaults = Object.fromEntries(
  Object.entries(phoneSection).map(([key, setting]) => [key, setting.default]),
) as never as PhoneSettings
/** Rows nest what they hold five levels deeper, and the bridge takes 64. */
const MOST_LEVELS = 64

/** A receiver on a directory, which may be opened there again. */
async function opened(settings: Partial<PhoneSettings> = {}, dir = temporaryDirectory()) {
  const clock = new ManualClock()
  const pipeline = await openPipeline({ ...defaults, dir, ...settings }, topics, phoneTopics, {
    clock,
    log: silentLog(),
    random: () => 0.5,
  })
  let failure: unknown
  pipeline.failed.catch((error: unknown) => {
    failure = error
  })
  onTestFinished(() => pipeline.close())
  const take = (payload: string, messageId = 1) =>
    pipeline.intake.take(
      Buffer.from(`{"messageId":${messageId},"sessionId":"s","deviceId":"a","payload":[${payload}]}`),
      'http',
    )
  const rows = (count: number) =>
    eventually(`${count} rows`, () => {
      if (failure !== undefined) throw failure
      const held = rowsOf(pipeline)
      return held.length >= count && held
    })
  return { pipeline, clock, dir, take, rows }
}

function rowsOf({ delivery }: Pipeline) {
  return [...delivery.held(Number.MAX_SAFE_INTEGER)]
    .filter(({ kind }) => kind === 'records')
    .map(({ row }) => ({ ...row, value: JSON.parse(row.text) as Record<string, unknown> }))
}

function levels(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(levels)) : 0
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const plain = '{"name":"light","time":1700000000000000000,"values":{"lux":1}}'

describe('a reading that no row can hold', () => {
  it.each([
    ['nested so deeply that it cannot be written again', `"values":{"a":${nested(100_000)}}`],
    ['nested deeper than the bridge takes', `"values":{"a":${nested(60)}}`],
    ['longer than a row', `"values":{"a":"${'y'.repeat(200_000)}"}`],
    ['with a name longer than a row', `"values":{},"name":"${'n'.repeat(200_000)}"`],
    [
      'one of three axes that is so beside them',
      `"name":"accelerometer","values":{"x":1,"y":1,"z":1,"a":${nested(9_999)}}`,
    ],
  ])('%s is left out, and its neighbours and what comes after become rows', async (_, rest) => {
    for (const raw of ['messages', 'samples'] as const) {
      const { take, rows } = await opened({ raw })
      const outcome = await take(`${plain},{"name":"futuresensor","time":1700000000000000000,${rest}}`)
      expect(outcome).toMatchObject({ kind: 'stored', size: 2, accepted: 1, rejected: 1 })
      await take(plain, 2)
      const made = await rows(2)
      expect(made.map(({ value }) => value.messageId)).toEqual([1, 2])
    }
  })

  it('is left out too where an earlier version has written it down', async () => {
    const dir = temporaryDirectory()
    const [clock, log] = [new ManualClock(), silentLog()]
    const journal = await Journal.open({ dir, maxBytes: 2 ** 30, messageBytes: 2 ** 23 }, { clock, log })
    const reading = `{"name":"x","time":1,"values":{"a":${nested(100_000)}}}`
    const text = `{"messageId":0,"sessionId":"s","deviceId":"a","payload":[${reading},${plain}]}`
    const ids = { deviceId: 'a', sessionId: 's', messageId: 0 }
    await journal.append({ kind: 'message', at: clock.now(), source: 'http', hash: 'h', ...ids, text })
    await journal.close()
    const { take, rows } = await opened({}, dir)
    await take(plain)
    expect((await rows(2)).map(({ value }) => value.n_readings)).toEqual([1, 1])
  })
})

it.each(['messages', 'samples'] as const)(
  'every row of anything that is taken fits into a message to the bridge (rows: %s)',
  async (raw) => {
    const { take, rows } = await opened({ raw })
    const sensors = Array.from(
      { length: 3_000 },
      (_, i) => `{"name":"${String(i).padStart(110, '\u0000').replaceAll('\u0000', '\\u0001')}","time":1,"values":[]}`,
    )
    const long = `{"name":"x","time":1,"accuracy":1e999,"values":{"a":"${'y'.repeat(60_000)}","b":${nested(29)}}}`
    expect(await take([...sensors, long, long].join(','))).toMatchObject({ kind: 'stored', rejected: 0 })
    await take(plain, 2)
    const made = await eventually('the last row', async () => {
      const all = await rows(2)
      return all.at(-1)?.value.messageId === 2 && all
    })
    for (const { text, value } of made) {
      expect(Buffer.byteLength(text)).toBeLessThan(MAX_MESSAGE_BYTES - 100)
      expect(levels([value])).toBeLessThanOrEqual(MOST_LEVELS)
    }
  },
)

describe('room for messages', () => {
  it('the longest that may come is taken with the smallest log too, and one that is longer by no way', async () => {
    const { pipeline } = await opened({ log_max_bytes: 64 * 1024 * 1024 })
    const body = (bytes: number) => {
      const empty = `{"messageId":1,"sessionId":"s","deviceId":"a","filling":"","payload":[${plain}]}`
      return Buffer.from(empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`))
    }
    expect(await pipeline.intake.take(body(defaults.body_max_bytes), 'http')).toMatchObject({ kind: 'stored' })
    expect(await pipeline.intake.take(body(defaults.body_max_bytes + 1), 'mqtt')).toMatchObject({ kind: 'too-long' })
    expect(pipeline.intake.counters.unreadable).toBe(1)
  })

  it('a log in which no such message has room is refused before anything comes', async () => {
    const settings = { log_max_bytes: 64 * 1024 * 1024, body_max_bytes: 32 * 1024 * 1024 }
    await expect(opened(settings)).rejects.toMatchObject({ code: 'E_CONFIG_INVALID' })
  })
})

describe('numbers of rows', () => {
  it('are new after the journal was deleted: none is taken for a row that is in the table', async () => {
    const dir = temporaryDirectory()
    const before = await opened({}, dir)
    for (let n = 0; n < 5; n++) await before.take(plain, n)
    await before.rows(5)
    await before.pipeline.close()
    await rm(`${dir}/journal`, { recursive: true })
    const { take, rows } = await opened({}, dir)
    await take(plain, 9)
    const made = await rows(6)
    const [last] = made.slice(-1)
    // Rows of the snapshot wait as they were; the new one comes after them, in a stream of its own.
    expect(made.slice(0, 5).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
    expect(new Set(made.slice(0, 5).map(({ stream }) => stream)).size).toBe(1)
    expect(last).toMatchObject({ seq: 1, after: `${made[0]?.stream}.5`, value: { messageId: 9 } })
    expect(last?.stream).not.toBe(made[0]?.stream)
  })
})

it('rows that wait survive stop after stop, also where the journal they were made of is gone', async () => {
  const dir = temporaryDirectory()
  const first = await opened({}, dir)
  for (let n = 1; n <= 3; n++) await first.take(plain, n)
  await first.rows(3)
  for (let run = 0; run < 3; run++) {
    const { pipeline, rows } = run === 0 ? first : await opened({}, dir)
    expect((await rows(3)).map(({ value }) => value.messageId)).toEqual([1, 2, 3])
    await pipeline.close()
    await rm(`${dir}/journal`, { recursive: true })
  }
})

describe('a recording that falls silent', () => {
  const walk = async ({ pipeline, clock }: Awaited<ReturnType<typeof opened>>) => {
    const about = { deviceId: 'a', sessionId: 's', fromMs: clock.now(), rate: 10 }
    for (let n = 0; n < 15; n++) await pipeline.intake.take(Buffer.from(walkMessage(about, n)), 'http')
  }
  const partial = ({ delivery }: Pipeline) =>
    [...delivery.held(Number.MAX_SAFE_INTEGER)].filter(({ row }) => row.text.includes('"partial":true')).length

  it('is over after `idle_flush`, and not before: its last windows come out', async () => {
    const receiver = await opened()
    await walk(receiver)
    await receiver.rows(15)
    await receiver.clock.advance(defaults.idle_flush - 1_000)
    await receiver.rows(15)
    expect(partial(receiver.pipeline)).toBe(0)
    await receiver.clock.advance(2_000)
    await eventually('windows the recording only began', () => partial(receiver.pipeline) > 0)
  })

  it('while the receiver is not there is over after the start', async () => {
    const before = await opened()
    await walk(before)
    await before.rows(15)
    await before.pipeline.close()
    const after = await opened({}, before.dir)
    expect(partial(after.pipeline)).toBe(0)
    await after.clock.advance(defaults.idle_flush + 2_000)
    await eventually('windows the recording only began', () => partial(after.pipeline) > 0)
  })
})

it('a phone too many is refused, in words, until one has been silent for 30 days', async () => {
  const { pipeline, clock, rows } = await opened({ max_devices: 2 })
  const take = (deviceId: string) =>
    pipeline.intake.take(
      Buffer.from(`{"messageId":1,"sessionId":"s","deviceId":"${deviceId}","payload":[${plain}]}`),
      'http',
    )
  await take('a')
  await take('b')
  await rows(2)
  expect(await take('c')).toMatchObject({
    kind: 'refused',
    why: 'too-many-devices',
    sentence: expect.stringContaining('phones'),
  })
  clock.setWall(clock.now() + 30 * 86_400_000)
  expect(await take('c')).toMatchObject({ kind: 'stored' })
})

it('a row says how far the clock of the phone is behind', async () => {
  const { take, clock, rows } = await opened()
  const timeNs = `${BigInt(clock.now() - 1_500) * 1_000_000n}`
  await take(plain.replace('1700000000000000000', timeNs))
  expect((await rows(1))[0]?.value.clock_skew_ms).toBe(1_500)
})

it('a message that is in the journal and not in the snapshot is known after a start', async () => {
  const dir = temporaryDirectory()
  const [clock, log] = [new ManualClock(), silentLog()]
  const journal = await Journal.open({ dir, maxBytes: 2 ** 30, messageBytes: 2 ** 23 }, { clock, log })
  const text = `{"messageId":1,"sessionId":"s","deviceId":"a","payload":[${plain}]}`
  const hash = createHash('sha256').update(text).digest('base64').slice(0, 12)
  const ids = { deviceId: 'a', sessionId: 's', messageId: 1 }
  await journal.append({ kind: 'message', at: clock.now(), source: 'http', hash, ...ids, text })
  await journal.close()
  const { take } = await opened({}, dir)
  expect(await take(plain)).toEqual({ kind: 'duplicate', size: 1 })
})
