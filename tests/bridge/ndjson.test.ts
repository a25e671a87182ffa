import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ADDED_BYTES, ndjsonOf, rowsOf } from '../../bridge/ndjson.ts'

const row = fc
  .dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, maxKeys: 4 })
  .map((value) => Buffer.from(JSON.stringify(value)))

it('rows as they are sent give back the very rows they were made of, whenever that was', () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 8 }),
      fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
      (rows, at) => {
        const before = rows.map(String)
        const ndjson = ndjsonOf(rows, at.getTime())
        expect(ndjson.length).toBe(rows.reduce((sum, one) => sum + one.length + ADDED_BYTES, 0))
        const lines = ndjson.toString().split('\n').slice(0, -1)
        expect(lines.map((line) => JSON.parse(line))).toEqual(
          before.map((text) => ({ ...JSON.parse(text), ingestion_timestamp: at.toISOString() })),
        )
        expect(rowsOf(ndjson).map(String)).toEqual(before)
      },
    ),
  )
})
