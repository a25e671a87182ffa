import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { READINGS_LIMITS } from '../../../bridge/routes/message.ts'
import { recordRoute } from '../../../bridge/routes/record-route.ts'
import { isDeviceKey } from '../../../src/device-key.ts'
import type { ColumnKind } from '../../../src/table-columns.ts'
import { DESTINATION } from '../../support/pipes.ts'

const columns = new Map<string, ColumnKind>([
  ['temperature', 'number'],
  ['station', 'text'],
  ['count', 'integer'],
  ['ok', 'boolean'],
  ['observed_at', 'timestamp'],
  ['raw', 'json'],
])
const route = recordRoute({
  name: 'weather',
  topic: 'weather/+/observation',
  destination: DESTINATION,
  columns,
  scalar: 'temperature',
  limits: READINGS_LIMITS,
})
const TOPIC = 'weather/roof/observation'

function decoded(payload: string, topic = TOPIC) {
  return route.decode('weather.roof', Buffer.from(payload), topic)
}

function rowOf(payload: string, topic = TOPIC): unknown {
  const { readings, refused } = decoded(payload, topic)
  expect(refused).toEqual([])
  return JSON.parse(String(readings[0]?.json))
}

describe('a route that is nothing but settings', () => {
  it('takes the device from the level of its topic that is a +', () => {
    expect(route.deviceOf(TOPIC)).toBe('weather.roof')
    expect(route.matches('weather/roof/other')).toBe(false)
    expect(route.matches('weather/a/b/observation')).toBe(false)
    expect(route.deviceOf('weather//observation')).toBeUndefined()
  })

  it('gives every device a key of its own that can stand in a topic, whatever it is called', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[^/+#\0]{1,80}$/), { minLength: 2, maxLength: 8 }), (names) => {
        const keys = names.map((name) => route.deviceOf(`weather/${name}/observation`) ?? '')
        expect(keys.filter((key) => !isDeviceKey(key))).toEqual([])
        expect(new Set(keys).size).toBe(names.length)
      }),
      { numRuns: 300 },
    )
  })

  it('puts what has a column there, and all else into extra', () => {
    expect(rowOf('{"temperature":21.5,"wind":{"kmh":3},"station":"A","extra":{"more":1}}')).toEqual({
      device: 'roof',
      temperature: 21.5,
      station: 'A',
      extra: { wind: { kmh: 3 }, more: 1 },
    })
  })

  it('calls the device in the row what its topic calls it', () => {
    expect(rowOf('{"temperature":1}', 'weather/Roof Garden/observation')).toMatchObject({ device: 'Roof Garden' })
  })

  it('keeps numbers digit by digit', () => {
    const { readings } = decoded('{"count":"12345678901234567890","raw":{"time":1700000001005000192}}')
    expect(String(readings[0]?.json)).toContain('"raw":{"time":1700000001005000192}')
    expect(String(readings[0]?.json)).toContain('"count":"12345678901234567890"')
  })

  it('takes a bare value under the key that is set for it', () => {
    expect(rowOf('21.5')).toEqual({ device: 'roof', temperature: 21.5 })
    expect(decoded('"warm"').refused[0]?.reason).toBe('temperature: must be a number')
  })

  it('leaves the place in a stream to publishers that number what they send', () => {
    const { readings } = decoded('{"stream":"abcdefgh","seq":7,"after":"abcdefgh.3","uuid":"u","temperature":1}')
    expect(readings[0]).toMatchObject({ position: { stream: 'abcdefgh', seq: 7, after: 'abcdefgh.3' }, named: true })
    expect(decoded('{"temperature":1}').readings[0]).toMatchObject({ position: undefined, named: false })
  })

  it.each([
    ['{"temperature":"warm"}', 'temperature: must be a number'],
    ['{"count":1.5}', 'count: must be a whole number, beyond 2^53 as a text of digits'],
    ['{"observed_at":"yesterday"}', 'observed_at: must be an ISO 8601 time'],
    ['{"ok":1}', 'ok: must be true or false'],
    ['{"raw":{"x":1e999}}', 'a number is too large to be one'],
    ['{"stream":"abcdefgh"}', 'stream and seq go together: 8 of [0-9a-z] and a whole number from 1'],
    ['{"stream":"abcdefgh","seq":1,"after":"x"}', 'after: must be <stream>.<seq>'],
    ['{"temperature":', 'the payload is not JSON'],
  ])('keeps %s as a dead letter that says why', (payload, reason) => {
    expect(decoded(payload)).toMatchObject({ readings: [], refused: [{ reason, payload: Buffer.from(payload) }] })
  })

  it('takes the good ones of an array in which one is bad', () => {
    const { readings, refused } = decoded('[{"temperature":1},{"temperature":"x"},{"temperature":3}]')
    expect(readings).toHaveLength(2)
    expect(refused.map(({ payload }) => String(payload))).toEqual(['{"temperature":"x"}'])
  })

  it('never lets a publisher write what is the bridge’s', () => {
    expect(rowOf('{"device":"other","ingestion_timestamp":"x","bridge_received_at":"y","temperature":1}')).toEqual({
      device: 'roof',
      temperature: 1,
    })
  })

  it('makes one line of JSON of whatever comes, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (payload) => {
        for (const { json } of decoded(payload).readings) {
          expect(String(json)).not.toContain('\n')
          expect(JSON.parse(String(json))).toMatchObject({ device: 'roof' })
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
