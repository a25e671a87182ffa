import { describe, expect, it } from 'vitest'
import { missingColumns, stillDefaults, type TableColumn, wrongColumns } from '../../../cli/doctor/snowflake/columns.ts'
import { FIELDS } from '../../../src/reading.ts'

const TYPES = {
  string: 'VARCHAR(16777216)',
  integer: 'NUMBER(38,0)',
  number: 'FLOAT',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_NTZ(9)',
}
const column = (name: string, type: string): TableColumn => ({ name, type, nullable: true, default: null })
const whole = [...FIELDS.map(({ key, kind }) => column(key, TYPES[kind])), column('extra', 'VARIANT')]
const T = 'DEMO.DEMO.SENSEHAT_SENSOR_DATA'

describe('the columns of the table', () => {
  it('of the set-up are all there and right', () => {
    expect(missingColumns(whole, T)).toMatchObject([{ status: 'ok' }])
    expect(wrongColumns(whole, T)).toEqual([])
    expect(stillDefaults(whole, T)).toMatchObject([{ status: 'ok' }])
  })

  it('of the first system lack what came later, and the statements add exactly that', () => {
    const [finding] = missingColumns(whole.slice(0, 31), T)
    expect(finding).toMatchObject({ id: 'snowflake.columns', status: 'broken' })
    const added = finding?.sql?.split('\n') ?? []
    expect(added).toHaveLength(whole.length - 31)
    expect(added).toContain(`ALTER TABLE ${T} ADD COLUMN IF NOT EXISTS seq NUMBER;`)
    expect(added.at(-1)).toBe(`ALTER TABLE ${T} ADD COLUMN IF NOT EXISTS extra VARIANT;`)
  })

  it('may be wider than what they hold, and not narrower', () => {
    const judged = (name: string, type: string) => wrongColumns([column(name, type)], T).length
    expect(judged('temperature', 'NUMBER(10,2)')).toBe(0)
    expect(judged('temperature', 'NUMBER(38,0)')).toBe(1)
    expect(judged('simulated', 'FLOAT')).toBe(1)
    expect(judged('ts', 'FLOAT')).toBe(0)
    expect(judged('datetimestamp', 'TIMESTAMP_LTZ(9)')).toBe(0)
    expect(judged('datetimestamp', 'DATE')).toBe(1)
    expect(judged('somebody_elses', 'GEOGRAPHY')).toBe(0)
  })

  it('must take a reading whose sensor failed', () => {
    const [finding] = wrongColumns([{ ...column('temperature', 'FLOAT'), nullable: false }], T)
    expect(finding).toMatchObject({ status: 'broken', sql: `ALTER TABLE ${T} ALTER COLUMN temperature DROP NOT NULL;` })
    expect(wrongColumns([{ ...column('uuid', 'VARCHAR'), nullable: false }], T)).toEqual([])
  })

  it("with the time as default stand still: the first system's", () => {
    const first = { ...column('ingestion_timestamp', 'TIMESTAMP_NTZ(9)'), default: 'CURRENT_TIMESTAMP()' }
    expect(stillDefaults([first], T)).toMatchObject([
      { status: 'warn', sql: `ALTER TABLE ${T} ALTER COLUMN ingestion_timestamp DROP DEFAULT;` },
    ])
  })
})
