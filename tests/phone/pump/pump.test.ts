import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Parameters, readParameters } from '../../../phone/classify/parameters.ts'
import type { RawMode } from '../../../phone/config.ts'
import type { MadeRow } from '../../../phone/delivery/delivery.ts'
import type { JournalRecord } from '../../../phone/journal/journal-record.ts'
import { Pump, type PumpState } from '../../../phone/pump/pump.ts'
import { Recognition } from '../../../phone/recognition/recognition.ts'
import { PHONE_RECORD_COLUMNS } from '../../../src/phone-records.ts'
import { walkMessage } from '../../support/phone-messages.ts'

const START = Date.UTC(2026, 10, 22, 12)
let parameters: Parameters

beforeAll(async () => {
  parameters = await readParameters()
})

const fresh: Omit<PumpState, 'making'> = { journal: 'journal-of-a-test', position: 0, phones: [] }

function pumpOf(raw: RawMode, state: Omit<PumpState, 'making'>, recogniser?: unknown, maxDevices = 1_000) {
  const options = { classifier: 'std' }
  const recognition =
    recogniser === undefined
      ? Recognition.begin(options, parameters)
      : Recognition.restore(options, parameters, recogniser)
  if (recognition === undefined) throw new Error('the recogniser knows its own snapshot')
  return { pump: new Pump(recognition, { making: { raw, maxDevices, ...options, parameters }, ...state }), recognition }
}

/** A message of a walk as the journal holds it. */
function heard(deviceId: string, sessionId: string, messageId: number, at = START + messageId * 1_000): JournalRecord {
  const text = walkMessage({ deviceId, sessionId, fromMs: START, rate: 5 }, messageId)
  return { kind: 'message', at, source: 'http', hash: `${messageId}`, deviceId, sessionId, messageId, text }
}

const record: fc.Arbitrary<JournalRecord> = fc
  .record({
    phone: fc.constantFrom('a', 'b'),
    session: fc.constantFrom('1', '2'),
    number: fc.nat(40),
    idle: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ phone, session, number, idle }) =>
    idle === 0 ? { kind: 'idle', at: START, deviceId: phone, sessionId: session } : heard(phone, session, number),
  )

describe('the pump', () => {
  it.each<RawMode>(['messages', 'samples', 'seconds', 'none'])(
    'makes the same rows with the same numbers, wherever it stops and goes on from a snapshot (raw rows: %s)',
    (raw) => {
      const journal = fc.array(record, { minLength: 1, maxLength: 60 })
      const stops = fc.array(fc.record({ at: fc.nat(60), back: fc.nat(10) }), { maxLength: 5 })
      fc.assert(
        fc.property(journal, stops, (records, kills) => {
          const whole = pumpOf(raw, fresh).pump
          const wanted = records.flatMap((one, i) => whole.process(i + 1, one).rows)

          const made = new Map<string, MadeRow>()
          let { pump, recognition } = pumpOf(raw, fresh)
          let saved = JSON.stringify({ state: pump.state(), recogniser: recognition.snapshot() })
          const run = (until: number) => {
            for (let next = pump.position + 1; next <= until; next++)
              for (const row of pump.process(next, records[next - 1] as JournalRecord).rows) {
                const name = `${row.device} ${row.kind} ${row.row.stream}.${row.row.seq}`
                expect(made.get(name)?.row.text ?? row.row.text).toBe(row.row.text)
                made.set(name, row)
              }
          }
          for (const { at, back } of [...kills].sort((a, b) => a.at - b.at)) {
            const killed = Math.min(at, records.length)
            run(Math.max(pump.position, killed - back))
            saved = JSON.stringify({ state: pump.state(), recogniser: recognition.snapshot() })
            run(killed)
            const { state, recogniser } = JSON.parse(saved)
            ;({ pump, recognition } = pumpOf(raw, state, recogniser))
          }
          run(records.length)
          const texts = (rows: Iterable<MadeRow>) =>
            [...rows]
              .map(({ row }) => row.text)
              .sort()
              .join('\n')
          expect(texts(made.values())).toBe(texts(wanted))
        }),
        { numRuns: 25 },
      )
    },
  )

  it('numbers the rows of each phone and kind from 1, without a hole', () => {
    const { pump } = pumpOf('messages', fresh)
    const rows = Array.from({ length: 60 }, (_, i) => i)
      .flatMap((n) => [heard('a', '1', n), heard('b', '1', n)])
      .flatMap((one, i) => pump.process(i + 1, one).rows)
    for (const device of ['a', 'b'])
      for (const kind of ['records', 'activity']) {
        const numbers = rows.filter((one) => one.device === device && one.kind === kind).map(({ row }) => row.seq)
        expect(numbers.length).toBeGreaterThan(10)
        expect(numbers).toEqual(numbers.map((_, i) => i + 1))
      }
  })

  it('keeps the digits of a time that no double can hold, and all keys of values', () => {
    const { pump } = pumpOf('messages', fresh)
    const text =
      '{"messageId":1,"sessionId":"s","deviceId":"a","payload":[{"name":"futuresensor","time":1700000010040000193,"values":{"a":1,"nested":{"b":true}}}]}'
    const [made] = pump.process(1, { ...(heard('a', 's', 1) as object), text } as JournalRecord).rows
    expect(made?.row.text).toContain('"time":"1700000010040000193","values":{"a":1,"nested":{"b":true}}')
  })

  it('splits a message that is too long for one message to the bridge, and loses no reading of it', () => {
    const { pump } = pumpOf('messages', fresh)
    const text = walkMessage({ deviceId: 'a', sessionId: 's', fromMs: START, rate: 1_000 }, 0)
    const rows = pump.process(1, { ...(heard('a', 's', 0) as object), text } as JournalRecord).rows
    const parsed = rows.filter(({ kind }) => kind === 'records').map(({ row }) => JSON.parse(row.text))
    expect(parsed.length).toBeGreaterThan(2)
    expect(parsed.map(({ part, parts }) => [part, parts])).toEqual(parsed.map((_, i) => [i + 1, parsed.length]))
    expect(parsed.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(2_000)
    for (const { row } of rows) expect(Buffer.byteLength(row.text)).toBeLessThan(128 * 1024)
  })

  it('gives a phone that was forgotten and comes back a new stream, for its numbers begin anew', () => {
    const { pump } = pumpOf('messages', fresh, undefined, 1)
    const month = 31 * 86_400_000
    const streams = [heard('a', 's', 0), heard('b', 's', 0, START + month), heard('a', 's', 1, START + 2 * month)].map(
      (one, i) => pump.process(i + 1, one).rows[0]?.row,
    )
    expect(streams.map((row) => row?.seq)).toEqual([1, 1, 1])
    expect(pump.size).toBe(1)
    expect(new Set(streams.map((row) => row?.stream)).size).toBe(3)
    expect(pump.phones.map(({ deviceId }) => deviceId)).toEqual(['a'])
  })

  it('gives the seconds of each recording under its ids, and of one that ends no other', () => {
    const { pump } = pumpOf('seconds', fresh)
    for (const [i, session] of ['1', '2'].entries()) pump.process(i + 1, heard('a', session, 0))
    const end: JournalRecord = { kind: 'idle', at: START, deviceId: 'a', sessionId: '1' }
    const rows = pump.process(3, end).rows.map(({ row }) => JSON.parse(row.text))
    const about = { deviceId: 'a', sessionId: '1', second: '2026-11-22T12:00:00.000000Z', n_samples: 5 }
    expect(rows).toMatchObject([
      { ...about, sensorType: 'accelerometer' },
      { ...about, sensorType: 'gravity' },
    ])
    const columns = new Set([...PHONE_RECORD_COLUMNS.map(({ key }) => key as string), 'stream', 'seq'])
    for (const row of rows) expect(Object.keys(row).filter((key) => !columns.has(key))).toEqual([])
    expect(pump.process(4, { ...end, sessionId: '2' }).rows).toHaveLength(2)
  })

  it('judges windows by the parameters in force when they are finished, and gives seconds that had begun when rows change', () => {
    const { pump } = pumpOf('seconds', fresh)
    const models = (count: number, from: number) =>
      Array.from({ length: count }, (_, i) => pump.process(from + i + 1, heard('a', 's', from + i)).rows)
        .flat()
        .filter(({ kind }) => kind === 'activity')
        .map(({ row }) => JSON.parse(row.text).model_version)
    expect(new Set(models(30, 0))).toEqual(new Set(['std-logit-v1']))
    const { making } = pump.state()
    const changed = { ...making, raw: 'none' as const, classifier: 'thresholds' }
    const left = pump.process(31, { kind: 'settings', at: START, making: changed }).rows
    expect(left.length).toBeGreaterThan(0)
    expect(new Set(models(30, 31))).toEqual(new Set(['seed-v1']))
    expect(pump.state().making).toEqual(changed)
  })

  it('remembers a bounded number of gaps, and how many messages are missing in all', () => {
    const { pump } = pumpOf('none', fresh)
    const numbers = Array.from({ length: 1_000 }, (_, i) => i * 3)
    const phones = numbers.map((n, i) => pump.process(i + 1, heard('a', 's', n)).phone)
    expect(phones.at(-1)?.gaps).toBe(999 * 2)
    expect(pump.state().phones[0]?.recordings[0]?.ids.length).toBeLessThanOrEqual(256)
    expect(pump.process(1_001, heard('a', 's', 2_996)).phone?.gaps).toBe(999 * 2 - 1)
  })

  it('counts messages of the recording that are missing, and forgets that when they come late', () => {
    const { pump } = pumpOf('none', fresh)
    const gaps = [0, 1, 4, 2, 3].map((n, i) => pump.process(i + 1, heard('a', 's', n)).phone?.gaps)
    expect(gaps).toEqual([0, 0, 2, 1, 0])
  })
})
