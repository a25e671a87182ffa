import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exactTimes } from '../../../phone/wire/exact-times.ts'
import type { Message } from '../../../phone/wire/message.ts'
import { parseMessage } from '../../../phone/wire/parse-message.ts'
import { DEFAULT_SENSORS, sensorFilter } from '../../../phone/wire/sensors.ts'
import { ANDROID, DAMAGED, IOS, STUDY, TEST_BUTTON } from './payloads.ts'

const keeps = sensorFilter(DEFAULT_SENSORS)

function messageOf(text: string): Message {
  const parsed = parseMessage(text, keeps)
  if (!parsed.ok) throw new Error(parsed.sentence)
  return parsed.message
}

/** A message around one reading, given as JSON. */
const around = (...readings: string[]) =>
  `{"deviceId":"d","sessionId":"s","messageId":1,"payload":[${readings.join(',')}]}`
const sample = (time: string, more = '') =>
  `{"name":"accelerometer","time":${time},"values":{"x":1,"y":2,"z":2}${more}}`

describe('a message of the app', () => {
  it('from Android has accuracies, gravity and total acceleration', () => {
    const message = messageOf(ANDROID)
    expect(message).toMatchObject({ messageId: 17, isTest: false, size: 4, refused: [], dropped: 0, duplicates: 0 })
    expect(message.readings.map(({ sensor, axes, accuracy }) => [sensor, axes, accuracy])).toEqual([
      ['accelerometer', { x: 0.31, y: -0.05, z: 0.12 }, 3],
      ['gravity', { x: -0.22, y: 0.41, z: 9.79 }, 3],
      ['totalacceleration', { x: 0.09, y: 0.36, z: 9.91 }, 3],
      ['accelerometer', { x: 0.28, y: -0.02, z: 0.15 }, 3],
    ])
  })

  it('from iOS has no accuracy, and signs of its own', () => {
    const { readings } = messageOf(IOS)
    expect(readings.map((reading) => 'accuracy' in reading)).toEqual([false, false, false, false])
    expect(readings[1]?.axes).toEqual({ x: 0.22, y: -0.41, z: -9.79 })
    expect(readings[3]).toMatchObject({ sensor: 'orientation', values: { yaw: 1.21, qz: 0.57 } })
    expect(readings[3]?.axes).toBeUndefined()
  })

  it('from the test button, or with nothing in it, is a test', () => {
    expect(messageOf(TEST_BUTTON)).toMatchObject({ isTest: true, size: 1, readings: [], refused: [] })
    expect(messageOf(around())).toMatchObject({ isTest: true, size: 0 })
    expect(messageOf(around('{"name":"test","time":0,"values":[]}', sample('1000'))).isTest).toBe(false)
  })

  it('in a study names the participant, and mixes sensors out of order', () => {
    const message = messageOf(STUDY)
    expect(message).toMatchObject({ userId: 'participant-07', size: 7, refused: [] })
    expect(message.readings).toHaveLength(7)
    expect(message.readings[2]).toMatchObject({ sensor: 'annotation', values: { text: 'start jogging' } })
  })

  it('that is damaged loses what is damaged, with the reason, and nothing beside it', () => {
    const { readings, refused, dropped, size } = messageOf(DAMAGED)
    expect(readings.map(({ index, sensor }) => [index, sensor])).toEqual([
      [0, 'accelerometer'],
      [4, 'futuresensor'],
    ])
    expect(readings[1]?.values).toEqual({ a: 1, nested: { b: true } })
    expect(refused.map(({ index, reason }) => [index, reason])).toEqual([
      [1, 'null-axis'],
      [2, 'not-a-number'],
      [3, 'no-values'],
    ])
    expect(refused[1]?.reading).toMatchObject({ values: { x: '0.3' } })
    expect([dropped, size]).toEqual([1, 6])
  })

  it.each([
    ['not-an-object', '5'],
    ['not-an-object', 'null'],
    ['not-an-object', '[1]'],
    ['no-name', '{"time":1,"values":{}}'],
    ['no-name', '{"name":"","time":1,"values":{}}'],
    ['no-time', '{"name":"light","values":{}}'],
    ['no-time', '{"name":"light","time":null,"values":{}}'],
    ['bad-time', '{"name":"light","time":"1700000001000000000","values":{}}'],
    ['bad-time', '{"name":"light","time":1e300,"values":{}}'],
    ['bad-time', '{"name":"light","time":1e999,"values":{}}'],
    ['no-values', '{"name":"light","time":1,"values":null}'],
    ['bad-values', '{"name":"light","time":1,"values":7}'],
    ['missing-axis', '{"name":"gravity","time":1,"values":{"x":1,"y":2}}'],
    ['missing-axis', '{"name":"gravity","time":1,"values":[]}'],
    ['out-of-range', '{"name":"gravity","time":1,"values":{"x":1,"y":2,"z":1e999}}'],
    ['out-of-range', '{"name":"gravity","time":1,"values":{"x":1,"y":2,"z":-1e7}}'],
  ])('refuses with %s what is %s', (reason, reading) => {
    const { refused, readings } = messageOf(around(sample('1000'), reading, sample('2000')))
    expect(refused).toEqual([{ index: 1, reason, reading: JSON.parse(reading) }])
    expect(readings.map(({ index }) => index)).toEqual([0, 2])
  })

  it.each([
    ['not-json', 'x'],
    ['not-json', ''],
    ['not-json', '{"deviceId":'],
    ['not-an-object', '[]'],
    ['not-an-object', 'null'],
    ['no-device-id', '{"sessionId":"s","payload":[]}'],
    ['no-device-id', '{"deviceId":"","sessionId":"s","payload":[]}'],
    ['no-device-id', '{"deviceId":7,"sessionId":"s","payload":[]}'],
    ['no-device-id', `{"deviceId":"${'d'.repeat(257)}","sessionId":"s","payload":[]}`],
    ['no-session-id', '{"deviceId":"d","payload":[]}'],
    ['no-payload', '{"deviceId":"d","sessionId":"s"}'],
    ['no-payload', '{"deviceId":"d","sessionId":"s","payload":{}}'],
  ])('is none, for %s: %s', (fault, text) => {
    expect(parseMessage(text, keeps)).toMatchObject({ ok: false, fault })
  })

  it('keeps only sensors that are asked for, and none that are unwanted', () => {
    const only = parseMessage(STUDY, sensorFilter({ only: ['battery', 'accelerometer'], drop: ['battery'] }))
    expect(only).toMatchObject({ ok: true, message: { dropped: 6, readings: [{ sensor: 'accelerometer' }] } })
  })

  it('counts a reading that stands in it twice, and keeps one of another value at the same time', () => {
    const other = sample('1700000001000000000').replace('"x":1', '"x":5')
    const { readings, duplicates } = messageOf(
      around(sample('1700000001000000000'), sample('1700000001000000001'), other, other, sample('1700000001000001000')),
    )
    expect(readings.map(({ index }) => index)).toEqual([0, 2, 4])
    expect(duplicates).toBe(2)
  })
})

describe('the time of a reading', () => {
  it('keeps the digits that a double has not', () => {
    const digits = '1700000001005000193'
    expect(String(Number(digits))).not.toBe(digits)
    expect(messageOf(around(sample(digits))).readings[0]).toMatchObject({ timeNs: digits, tUs: 1_700_000_001_005_000 })
  })

  it('is rounded down to microseconds by its digits, before 1970 too', () => {
    const rounded = (time: string) => messageOf(around(sample(time))).readings[0]?.tUs
    expect(['1700000001000000999', '1700000001000001000', '999', '0'].map(rounded)).toEqual([
      1_700_000_001_000_000, 1_700_000_001_000_001, 0, 0,
    ])
    expect(['-1', '-1000', '-1001'].map(rounded)).toEqual([-1, -1, -2])
  })

  it('T10: is at most a microsecond from what the double says, also at the edge of a window', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1_600_000_000_000_000_000n, max: 1_900_000_000_000_000_000n }), (ns) => {
        const edge = ns - (ns % 2_000_000_000n)
        for (const time of [ns, edge, edge - 1n]) {
          const [reading] = messageOf(around(sample(String(time)))).readings
          expect(Math.abs((reading?.tUs ?? 0) - Math.floor((Number(time) / 1e9) * 1e6))).toBeLessThanOrEqual(1)
          expect(reading?.tUs).toBe(Number(time / 1000n))
        }
      }),
    )
  })

  it('is taken as the double has it where it is not written as a whole number', () => {
    expect(messageOf(around(sample('1.7e18'), sample('1700000001000.5'))).readings.map(({ timeNs }) => timeNs)).toEqual(
      ['1700000000000000000', '1700000001000'],
    )
  })

  it('is not mistaken for another time, in values, in texts, in the envelope or in a second payload', () => {
    const text = `{"time":1,"payload":[{"time":2}],"x":{"payload":[{"time":3}]},"deviceId":"d","sessionId":"\\"time\\":4,[{",
      "payload": [ {"values":{"time":5,"text":"\\\\\\"time\\":6"},"name":"light","time" : 1700000001000000007 , "more":[{"time":8}]},
      {"name":"light","time":1700000001000000009,"time":1700000001000000011,"values":[[{"time":12}]]} ]}`
    expect(messageOf(text).readings.map(({ timeNs }) => timeNs)).toEqual(['1700000001000000007', '1700000001000000011'])
  })

  it('is found for every reading of any JSON', () => {
    const reading = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({
        a: fc.jsonValue({ maxDepth: 2 }),
        time: fc.maxSafeInteger(),
        values: fc.dictionary(fc.constantFrom('time', '"time":', '\\'), fc.jsonValue({ maxDepth: 2 })),
      }),
    )
    fc.assert(
      fc.property(fc.array(reading), fc.nat(3), fc.jsonValue(), (payload, indent, beside) => {
        const text = JSON.stringify({ beside, payload, after: { payload } }, null, indent)
        const own = payload.map((one) => {
          const time = (one as { time?: unknown } | null)?.time
          const isObject = typeof one === 'object' && !Array.isArray(one)
          return isObject && Number.isSafeInteger(time) && !Object.is(time, -0) ? String(time) : undefined
        })
        const found = exactTimes(text)
        for (const [i, time] of own.entries()) if (time !== undefined) expect(found[i]).toBe(time)
      }),
    )
  })
})

describe('the parser', () => {
  it('throws at nothing, and says of every reading what became of it', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          deviceId: fc.constantFrom('d', 5),
          sessionId: fc.constant('s'),
          payload: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
        })
        .map((one) => JSON.stringify(one)),
    )
    fc.assert(
      fc.property(anything, (text) => {
        const parsed = parseMessage(text, keeps)
        if (!parsed.ok) return
        const { size, readings, refused, dropped, duplicates, isTest } = parsed.message
        expect(isTest ? size : readings.length + refused.length + dropped + duplicates).toBe(size)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps the neighbours of anything that stands in a payload', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        (before, after) => {
          const mine = { name: 'accelerometer', time: 1_700_000_001, values: { x: 0.123456, y: 1, z: 1 } }
          const { readings } = messageOf(
            JSON.stringify({ deviceId: 'd', sessionId: 's', payload: [...before, mine, ...after] }),
          )
          expect(readings).toContainEqual(expect.objectContaining({ index: before.length, values: mine.values }))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('takes deep nesting and floods of equal times in its stride', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    expect(messageOf(around(deep, sample('1000'))).readings).toHaveLength(1)
    const flood = Array.from({ length: 20_000 }, (_, i) => sample('1700000001000000000').replace('"x":1', `"x":${i}`))
    expect(messageOf(around(...flood)).readings).toHaveLength(20_000)
  })
})
