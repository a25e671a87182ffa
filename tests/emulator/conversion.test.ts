import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ColumnType, columnType } from '../../emulator/column-type.ts'
import { convert } from '../../emulator/conversion.ts'
import { exactNumber, markNumbers, restoreNumbers } from '../../emulator/exact-number.ts'
import { RowReader } from '../../emulator/row.ts'

const type = (name: string, ...numbers: number[]) => columnType(name, numbers) as ColumnType
const NTZ = type('TIMESTAMP_NTZ')
const at = (iso: string) => BigInt(Date.parse(iso)) * 1000n

/** A row of the table: type, JSON value, and the cell or the code of the row error. */
const TABLE: readonly (readonly [name: string, type: ColumnType, value: unknown, cell: unknown])[] = [
  ['NUMBER from a number', type('NUMBER'), 5, 5n],
  ['NUMBER from a numeric text', type('NUMBER'), ' 12 ', 12n],
  ['NUMBER from a large text', type('NUMBER'), '9007199254740993', 9007199254740993n],
  ['NUMBER rounds a fraction', type('NUMBER'), 2.5, 3n],
  ['NUMBER rounds away from zero', type('NUMBER'), '-2.5', -3n],
  ['NUMBER with exponent', type('NUMBER'), '1.2e3', 1200n],
  ['NUMBER refuses words', type('NUMBER'), 'two', { code: 100038 }],
  ['NUMBER refuses an empty text', type('NUMBER'), '', { code: 100038 }],
  ['NUMBER refuses booleans', type('NUMBER'), true, { code: 100038 }],
  ['NUMBER refuses objects', type('NUMBER'), {}, { code: 100038 }],
  ['NUMBER refuses NaN', type('NUMBER'), 'NaN', { code: 100038 }],
  ['NUMBER is 64 bits here', type('NUMBER'), '9223372036854775808', { code: 100039 }],
  ['NUMBER(38,0) has all digits', type('NUMBER', 38, 0), '9'.repeat(38), BigInt('9'.repeat(38))],
  ['NUMBER(38,0) ends there', type('NUMBER', 38, 0), `1${'0'.repeat(38)}`, { code: 100039 }],
  ['NUMBER(10,2) keeps two decimals', type('NUMBER', 10, 2), '1.005', 101n],
  ['FLOAT from a number', type('FLOAT'), 1.5, 1.5],
  ['FLOAT from a text', type('FLOAT'), '1e3', 1000],
  ['FLOAT NaN', type('FLOAT'), 'NaN', Number.NaN],
  ['FLOAT inf', type('FLOAT'), 'inf', Number.POSITIVE_INFINITY],
  ['FLOAT -inf', type('FLOAT'), '-inf', Number.NEGATIVE_INFINITY],
  ['FLOAT extremes', type('FLOAT'), 4.9e-324, 4.9e-324],
  ['FLOAT refuses words', type('FLOAT'), 'warm', { code: 100038 }],
  ['FLOAT refuses booleans', type('FLOAT'), false, { code: 100038 }],
  ['BOOLEAN', type('BOOLEAN'), true, true],
  ['BOOLEAN from a word', type('BOOLEAN'), 'FALSE', false],
  ['BOOLEAN from 0', type('BOOLEAN'), 0, false],
  ['BOOLEAN from "1"', type('BOOLEAN'), '1', true],
  ['BOOLEAN refuses words', type('BOOLEAN'), 'maybe', { code: 100037 }],
  ['STRING', type('STRING'), 'å', 'å'],
  ['STRING from a number', type('STRING'), 1.5, '1.5'],
  ['STRING from a boolean', type('STRING'), true, 'true'],
  ['STRING from an object', type('STRING'), { a: 1 }, '{"a":1}'],
  ['VARCHAR(3) takes three characters', type('VARCHAR', 3), 'äöü', 'äöü'],
  ['VARCHAR(3) refuses four', type('VARCHAR', 3), 'abcd', { code: 100078 }],
  ['TIMESTAMP_NTZ', NTZ, '2026-11-22T10:15:00.123Z', at('2026-11-22T10:15:00.123Z')],
  ['TIMESTAMP_NTZ drops the zone, keeps the digits', NTZ, '2026-11-22T10:15:00+05:30', at('2026-11-22T10:15:00Z')],
  ['TIMESTAMP_NTZ without zone', NTZ, '2026-11-22 10:15', at('2026-11-22T10:15:00Z')],
  ['TIMESTAMP_NTZ of a date', NTZ, '2026-11-22', at('2026-11-22T00:00:00Z')],
  [
    'TIMESTAMP_NTZ cuts below microseconds',
    NTZ,
    '2026-11-22T10:15:00.123456789',
    at('2026-11-22T10:15:00.123Z') + 456n,
  ],
  ['TIMESTAMP_NTZ before 1970', NTZ, '1969-12-31T23:59:59.5Z', -500_000n],
  ['TIMESTAMP_NTZ of year 0', NTZ, '0000-01-01T00:00:00Z', at('0000-01-01T00:00:00Z')],
  ['TIMESTAMP_NTZ of year 9999', NTZ, '9999-12-31T23:59:59Z', at('9999-12-31T23:59:59Z')],
  ['TIMESTAMP_NTZ from epoch seconds', NTZ, '1792000000', 1_792_000_000_000_000n],
  ['TIMESTAMP_NTZ from epoch milliseconds', NTZ, '1792000000123', 1_792_000_000_123_000n],
  ['TIMESTAMP_NTZ refuses no date', NTZ, '2026-02-30', { code: 100035 }],
  ['TIMESTAMP_NTZ refuses words', NTZ, 'yesterday', { code: 100035 }],
  ['TIMESTAMP_TZ converts', type('TIMESTAMP_TZ'), '2026-11-22T10:15:00+05:30', at('2026-11-22T04:45:00Z')],
  ['DATE', type('DATE'), '1970-01-02', 1],
  ['DATE before 1970', type('DATE'), '1969-12-31', -1],
  ['TIME', type('TIME'), '10:15:00.5', 36_900_500_000n],
  ['TIME refuses a zone', type('TIME'), '10:15:00Z', { code: 100108 }],
  ['BINARY from Base64', type('BINARY'), 'AQI=', new Uint8Array([1, 2])],
  ['BINARY refuses hex', type('BINARY'), 'xyz', { code: 100115 }],
  ['VARIANT keeps JSON', type('VARIANT'), { a: [1, 'x'] }, '{"a":[1,"x"]}'],
  ['VARIANT keeps a text a text', type('VARIANT'), '{"a":1}', '"{\\"a\\":1}"'],
  ['VARIANT keeps null as JSON null', type('VARIANT'), null, 'null'],
  ['null elsewhere is NULL', type('NUMBER'), null, null],
]

describe('a JSON value becomes a cell', () => {
  it.each(TABLE)('%s', (_, columnTypeOf, value, expected) => {
    const result = convert(value, columnTypeOf)
    if (typeof expected === 'object' && expected !== null && 'code' in expected)
      expect('error' in result && result.error).toMatchObject(expected)
    else expect(result).toEqual({ cell: expected })
  })

  it('never throws, and says nothing of the data in its errors', () => {
    const types = TABLE.map(([, each]) => each)
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...types), (value, each) => {
        const result = convert(value, each)
        if ('error' in result) expect(result.error.message).toMatch(/^[A-Z][a-zA-Z -]+$/)
      }),
    )
  })

  it('keeps every integer of 64 bits, as a number where JSON can, as text, and as raw digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => {
        expect(convert(String(n), type('NUMBER'))).toEqual({ cell: n })
        const parsed = JSON.parse(markNumbers(`{"n":${n}}`)) as { n: unknown }
        expect(convert(parsed.n, type('NUMBER'))).toEqual({ cell: n })
        expect(convert(parsed.n, type('STRING'))).toEqual({ cell: String(n) })
        expect(convert(parsed, type('VARIANT'))).toEqual({ cell: `{"n":${n}}` })
      }),
    )
  })

  it('keeps every double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        const parsed = JSON.parse(markNumbers(JSON.stringify({ n }))) as { n: unknown }
        expect(convert(parsed.n, type('FLOAT'))).toEqual({ cell: n === 0 ? expect.closeTo(0) : n })
      }),
    )
  })

  it('keeps wall-clock digits whatever the zone says', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
        fc.constantFrom('', 'Z', '+00:00', '-08:00', '+0530', '+14'),
        (date, zone) => {
          const text = date.toISOString().slice(0, -1) + zone
          expect(convert(text, NTZ)).toEqual({ cell: BigInt(date.getTime()) * 1000n })
        },
      ),
    )
  })
})

describe('long numbers', () => {
  it('come out of marking and restoring as they went in, inside any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.bigInt({ min: 10n ** 16n, max: 10n ** 37n }), (value, long) => {
        const json = JSON.stringify({ value, long: 0, text: '1234567890123456789' }).replace(
          '"long":0',
          `"long":${long}`,
        )
        expect(
          restoreNumbers(JSON.stringify(JSON.parse(markNumbers(json)))).replaceAll(/\d{16,}|[\d.]+e[+-]\d+/gi, 'n'),
        ).toBe(JSON.stringify(JSON.parse(json)).replaceAll(/\d{16,}|[\d.]+e[+-]\d+/gi, 'n'))
      }),
    )
  })

  it('are found wherever a number can stand, and left alone inside a text', () => {
    const text = '"serial":"0000000012345678","note":"at: 12345678901234567890"'
    const forms = fc.constantFrom('{"n":#}', '{"n": #}', '{"n":\t#}', '{"n":[#]}', '{"n":[1,#]}', '{"n":[1, #,2]}')
    const sizes = fc.bigInt({ min: 10n ** 16n, max: 10n ** 37n })
    fc.assert(
      fc.property(forms, sizes, fc.boolean(), (form, size, negative) => {
        const written = (shape: string) => shape.replace('#', String(negative ? -size : size)).replace('{', `{${text},`)
        const marked = JSON.parse(markNumbers(written(form)))
        expect(restoreNumbers(JSON.stringify(marked))).toBe(written(form.replaceAll(/\s/g, '')))
      }),
    )
  })

  it('are scaled without floating point', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(6), (n, scale) => {
        expect(exactNumber(String(n), scale)).toBe(n * 10n ** BigInt(scale))
      }),
    )
  })

  it('cannot make it slow', () => {
    expect(exactNumber('1e99999', 0)).toBe(10n ** 400n)
    expect(exactNumber('1e-99999', 0)).toBe(0n)
  })
})

describe('a line becomes a row', () => {
  const name = { database: 'D', schema: 'S', name: 'T' }
  const column = (columnName: string, each: ColumnType, notNull = false, defaultText?: string) => ({
    name: columnName,
    type: each,
    notNull,
    defaultText,
  })
  const columns = [
    column('uuid', type('STRING'), true),
    column('seq', type('NUMBER')),
    column('extra', type('VARIANT')),
    column('source', type('STRING'), false, "'pi'"),
    column('arrived', NTZ, false, 'CURRENT_TIMESTAMP'),
  ]
  const now = Date.UTC(2026, 0, 1)
  const reader = new RowReader({ name, columns, errorLogging: false }, now)

  it('with keys in any case, unknown keys left out, and defaults where a key is missing', () => {
    expect(reader.read('{"UUID":"a","Seq":1,"other":true}')).toEqual({
      cells: ['a', 1n, null, 'pi', BigInt(now) * 1000n],
    })
  })

  it('with SQL NULL for a missing VARIANT and JSON null for a null one', () => {
    expect(reader.read('{"uuid":"a"}')).toMatchObject({ cells: ['a', null, null, 'pi', expect.anything()] })
    expect(reader.read('{"uuid":"a","extra":null}')).toMatchObject({
      cells: ['a', null, 'null', 'pi', expect.anything()],
    })
  })

  it('or a row error: NULL where there may be none, wrong values, no object', () => {
    const codes = ['{"seq":1}', '{"uuid":null}', '{"uuid":"a","seq":"x"}', '[]', 'NaN', '{"uuid":"a"'].map((line) => {
      const row = reader.read(line)
      return 'error' in row ? row.error.code : undefined
    })
    expect(codes).toEqual([100072, 100072, 100038, 100069, 100069, 100069])
  })
})
