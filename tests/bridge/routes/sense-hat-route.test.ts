import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { faultOf, quotesIfPlain } from '../../../bridge/routes/reading-check.ts'
import { decodeReadings } from '../../../bridge/routes/sense-hat-route.ts'
import { FIELDS, type Field } from '../../../src/reading.ts'
import { reading } from '../../support/readings.ts'

const KEYS = FIELDS.map(({ key }) => key)
const value = fc.oneof(
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('aaaaaaaa', 'aaaaaaaa.7', '2026-01-01T00:00:00.000Z', 'pi', 1, 2 ** 53, 1e-7, -0),
  fc.array(fc.integer(), { maxLength: 2 }),
)
/** Good readings with a few keys spoilt, so that both good and bad ones come often. */
const anyReading = fc
  .tuple(
    fc.dictionary(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...KEYS) }, fc.string()), value, { maxKeys: 4 }),
    fc.subarray(KEYS, { minLength: 0, maxLength: 3 }),
  )
  .map(([spoilt, without]) => {
    const made: Record<string, unknown> = { ...reading(1), ...spoilt }
    for (const key of without) delete made[key]
    return made
  })

function rowOf(payload: string | Buffer): unknown {
  const { readings, refused } = decodeReadings('pi', Buffer.from(payload))
  expect(refused).toEqual([])
  return JSON.parse(String(readings[0]?.json))
}

describe('the look at a reading', () => {
  it('never takes what the schema refuses', () => {
    fc.assert(
      fc.property(anyReading, (one) => {
        if (quotesIfPlain(one) !== undefined) expect(faultOf(one)).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes every good reading of a publisher, else it would help nobody', () => {
    expect(quotesIfPlain(reading(1))).toBeGreaterThan(0)
    const bare = Object.fromEntries((FIELDS as readonly Field[]).filter((f) => !f.byBridge).map((f) => [f.key, null]))
    expect(quotesIfPlain(bare)).toBe(2 * Object.keys(bare).length)
  })
})

describe('the row of a reading', () => {
  it('is what JSON.parse makes of the message, with unknown keys under extra, however the message is written', () => {
    fc.assert(
      fc.property(anyReading, fc.constantFrom('', ' ', '\n', '\t'), fc.boolean(), (one, space, inArray) => {
        const text = JSON.stringify(one, undefined, space)
        const { readings, refused } = decodeReadings(
          'pi',
          Buffer.from(inArray ? `[${text}]` : `${space}${text}${space}`),
        )
        expect(readings.length + refused.length).toBe(1)
        const [row] = readings
        if (row === undefined) return
        const line = String(row.json)
        expect(line).toMatch(/^\{.*\}$/)
        const parsed = JSON.parse(text) as Record<string, unknown>
        const { extra, ...known } = JSON.parse(line) as Record<string, unknown>
        for (const [key, was] of Object.entries(parsed)) {
          const field = (FIELDS as readonly Field[]).find((f) => f.key === key)
          if (field === undefined && key !== 'extra') expect(extra).toHaveProperty([key], was)
          else if (field?.byBridge) expect(known).not.toHaveProperty(key)
          else if (key !== 'hostname' && was !== null && field !== undefined) expect(known[key]).toEqual(was)
        }
        expect(known.hostname).toBe('pi')
        expect('uuid' in known).toBe(row.named)
        expect('stream' in known && 'seq' in known).toBe(row.position !== undefined)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is the very bytes that came when nothing has to be changed', () => {
    const payload = Buffer.from(JSON.stringify(reading(1, { privacy: 'Küche', temperature: 21.5 })))
    expect(decodeReadings('pi', payload).readings[0]?.json).toBe(payload)
  })

  it('has a key once, with its last value, when the message has it twice', () => {
    const text = JSON.stringify(reading(1)).replace(/\}$/, ',"temperature":99}')
    const { json } = decodeReadings('pi', Buffer.from(text)).readings[0] ?? {}
    expect(String(json).match(/"temperature":/g)).toHaveLength(1)
    expect(rowOf(text)).toMatchObject({ temperature: 99 })
    const doubled = text.replace('"temperature":99', '"temp\\u0065rature":99')
    expect(rowOf(doubled)).toMatchObject({ temperature: 99 })
  })

  it('is one line, whatever is between its keys', () => {
    const pretty = JSON.stringify(reading(1), undefined, 2)
    const { json } = decodeReadings('pi', Buffer.from(pretty)).readings[0] ?? {}
    expect(String(json)).not.toContain('\n')
  })

  it('is UTF-8, whatever came', () => {
    const bytes = Buffer.from(JSON.stringify(reading(1, { privacy: '@' })))
    bytes[bytes.lastIndexOf('@')] = 0xff
    expect(rowOf(bytes)).toMatchObject({ privacy: '\ufffd' })
  })

  it('has no number of more than 25 digits and points, wherever it stands', () => {
    const plain = JSON.stringify(reading(1, { temperature: 12345 }))
    for (let before = 0; before < 30; before++)
      for (const [digits, written] of [
        [`1.${'3'.repeat(23)}`, false],
        [`1.${'3'.repeat(24)}`, true],
        [`1.${'3'.repeat(60)}`, true],
      ] as const) {
        const text = plain.replace('12345', ' '.repeat(before) + digits)
        const json = String(decodeReadings('pi', Buffer.from(text)).readings[0]?.json)
        expect(json).toContain(written ? `"temperature":${Number(digits)},` : digits)
      }
  })

  it('has 0 for a number too small for any column', () => {
    const text = JSON.stringify(reading(1, { temperature: 12345 })).replace('12345', '1e-400')
    const { json } = decodeReadings('pi', Buffer.from(text)).readings[0] ?? {}
    expect(String(json)).toContain('"temperature":0,')
  })
})
