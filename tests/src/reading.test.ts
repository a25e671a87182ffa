import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeReadings,
  FIELDS,
  type Field,
  type FieldKind,
  type Reading,
  rounded,
  timesOf,
} from '../../src/reading.ts'

const FIRST_SYSTEM = (
  'uuid rowid hostname ipaddress macaddress ts datetimestamp systemtime temperature humidity pressure pitch roll yaw ' +
  'accel_x accel_y accel_z gyro_x gyro_y gyro_z mag_x mag_y mag_z compass cpu_percent memory_percent disk_usage_mb ' +
  'cputempc cputempf simulated ingestion_timestamp'
).split(' ')

/** Columns of the table in `sql/setup.sql`, in order. */
async function tableColumns(): Promise<{ name: string; type: string }[]> {
  const sql = await readFile(new URL('../../sql/setup.sql', import.meta.url), 'utf8')
  const body = /CREATE TABLE IF NOT EXISTS\s+\S*SENSEHAT_SENSOR_DATA\s*\((.*?)\n\)/is.exec(sql)?.[1] ?? ''
  return [...body.matchAll(/^\s+([a-z_]+)\s+([A-Z_]+)/gm)].map(([, name = '', type = '']) => ({ name, type }))
}

const SQL_TYPE: Readonly<Record<FieldKind, string>> = {
  string: 'STRING',
  number: 'FLOAT',
  integer: 'NUMBER',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_NTZ',
}

describe('the fields of a reading', () => {
  const fields: readonly Field[] = FIELDS

  it('begin with the 31 of the first system, by its names and in its order', () => {
    expect(FIRST_SYSTEM).toHaveLength(31)
    expect(fields.slice(0, 31).map((field) => field.key)).toEqual(FIRST_SYSTEM)
  })

  it('are the columns of the table, in its order, and extra comes last', async () => {
    const columns = await tableColumns()
    expect(columns.map(({ name }) => name)).toEqual([...fields.map((field) => field.key), 'extra'])
  })

  it('have the types of the columns', async () => {
    const types = new Map((await tableColumns()).map(({ name, type }) => [name, type]))
    for (const { key, kind } of fields) expect([key, types.get(key)]).toEqual([key, SQL_TYPE[kind]])
    expect(types.get('extra')).toBe('VARIANT')
  })

  it('are each named once, in snake_case', () => {
    expect(new Set(fields.map((field) => field.key)).size).toBe(fields.length)
    for (const { key } of fields) expect(key).toMatch(/^[a-z][a-z0-9_]*$/)
  })
})

describe('rounded', () => {
  it('keeps the decimals of the field', () => {
    expect(rounded('temperature', 21.456)).toBe(21.46)
    expect(rounded('pressure', 1013.24449)).toBe(1013.244)
    expect(rounded('gyro_x', 0.00004)).toBe(0)
    expect(rounded('wifi_rssi_dbm', -61.4)).toBe(-61)
  })

  it('leaves null null, and makes null of what is not finite', () => {
    for (const value of [null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(rounded('temperature', value)).toBeNull()
  })

  it('never gives minus zero', () => {
    expect(Object.is(rounded('pitch', -0.001), 0)).toBe(true)
  })

  it('is never further off than half its last decimal, and rounding again changes nothing', () => {
    fc.assert(
      fc.property(fc.double({ min: -2000, max: 2000, noNaN: true }), (value) => {
        const once = rounded('temperature', value)
        expect(Math.abs((once ?? 0) - value)).toBeLessThanOrEqual(0.005 + 1e-9)
        expect(rounded('temperature', once)).toBe(once)
      }),
    )
  })
})

describe('timesOf', () => {
  it('gives one moment in all its forms, in UTC', () => {
    expect(timesOf(Date.UTC(2026, 1, 3, 4, 5, 6, 789))).toEqual({
      ts: Date.UTC(2026, 1, 3, 4, 5, 6) / 1000,
      datetimestamp: '2026-02-03T04:05:06.789Z',
      systemtime: '02/03/2026 04:05:06',
      compact: '20260203040506',
    })
  })
})

describe('encodeReadings', () => {
  const reading = (seq: number) => ({ uuid: `pi-aaaaaaaa-${seq}`, seq }) as Reading

  it('sends one reading as an object and several as an array, in order', () => {
    expect(JSON.parse(encodeReadings([reading(1)]))).toEqual({ uuid: 'pi-aaaaaaaa-1', seq: 1 })
    expect(JSON.parse(encodeReadings([reading(1), reading(2)]))).toMatchObject([{ seq: 1 }, { seq: 2 }])
  })
})
