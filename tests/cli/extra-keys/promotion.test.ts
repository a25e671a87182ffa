import { describe, expect, it } from 'vitest'
import { type ExtraValue, extraKeysQuery, promotedView, promotions } from '../../../cli/extra-keys/promotion.ts'
import { Client, emulated, keyPairJwt } from '../../emulator/harness.ts'

const TABLE = { database: 'DEMO', schema: 'DEMO', table: 'SENSEHAT_SENSOR_DATA' }

const found = (key: string, type: string, rows = 1, example: string | null = 'x'): ExtraValue => ({
  key,
  type,
  rows,
  example,
})

describe('a key of extra', () => {
  it('becomes a column of the type that all its values fit', () => {
    const values = [
      found('room', 'VARCHAR'),
      found('co2', 'INTEGER', 3, '412'),
      found('co2', 'DOUBLE', 2, '412.5'),
      found('mixed', 'INTEGER'),
      found('mixed', 'BOOLEAN'),
      found('nested', 'OBJECT'),
      found('never', 'NULL_VALUE'),
      found('order', 'BOOLEAN'),
    ]
    const made = promotions(values, TABLE, [])
    expect(made.map(({ column, rows, type }) => [column, type, rows])).toEqual([
      ['ROOM', 'STRING', 1],
      ['CO2', 'FLOAT', 5],
      ['MIXED', 'STRING', 2],
      ['NESTED', 'VARIANT', 1],
      ['NEVER', 'STRING', 1],
      ['"ORDER"', 'BOOLEAN', 1],
    ])
    const cautions = made.flatMap(({ caution, key }) => (caution === undefined ? [] : [key]))
    expect(cautions).toEqual(['co2', 'mixed', 'never'])
  })

  it('is told to be looked at when it is a column already, or is another key in other letters', () => {
    const made = promotions([found('a', 'INTEGER'), found('A', 'INTEGER'), found('uuid', 'VARCHAR')], TABLE, ['UUID'])
    expect(made.map(({ caution }) => caution)).toEqual([
      expect.stringContaining('upper and lower case'),
      expect.stringContaining('upper and lower case'),
      expect.stringContaining('already'),
    ])
    const quoted = promotions([found('air-temp', 'DOUBLE'), found('Air-Temp', 'DOUBLE')], TABLE, [])
    expect(quoted.map(({ column, caution }) => [column, caution])).toEqual(
      new Array(2).fill(['"AIR-TEMP"', expect.stringContaining('upper and lower case')]),
    )
    expect(promotions([found('a\nb', 'INTEGER')], TABLE, [])).toEqual([])
  })

  it('is found, gets its column, and old rows and new ones have their value in it', async () => {
    const { client, clock, emulator } = await emulated()
    const admin = new Client(emulator, await keyPairJwt(clock, { subject: 'ACME.ADMIN' }))
    const run = async (sql: string) => {
      const { json, status } = await admin.sql(sql)
      expect([sql, status, json.message]).toEqual([sql, 200, 'Statement executed successfully.'])
      return json.data as string[][]
    }
    const token = (
      await client.append('pi', await client.opened('pi'), [
        { uuid: 'a', extra: { 'soil moisture': 0.5, room: "O'Neil" } },
        { uuid: 'b', extra: { 'soil moisture': 1 } },
        { uuid: 'c' },
      ])
    ).json.next_continuation_token
    await clock.advance(1000)
    await client.status(['pi'])
    const values = (await run(extraKeysQuery(TABLE))).map(([key = '', type = '', rows, example = null]) => ({
      key,
      type,
      rows: Number(rows),
      example,
    }))
    expect(values).toEqual([
      { key: 'room', type: 'VARCHAR', rows: 1, example: expect.stringContaining("O'Neil") },
      { key: 'soil moisture', type: 'DOUBLE', rows: 1, example: '0.5' },
      { key: 'soil moisture', type: 'INTEGER', rows: 1, example: '1' },
    ])
    const made = promotions(values, TABLE, [])
    for (const { addColumn, moveRows } of made) {
      await run(addColumn)
      await run(moveRows)
    }
    expect(await run('SELECT uuid, room, "SOIL MOISTURE" FROM SENSEHAT_SENSOR_DATA ORDER BY uuid')).toEqual([
      ['a', "O'Neil", '0.5'],
      ['b', null, '1'],
      ['c', null, null],
    ])
    await run(promotedView(made, TABLE))
    // One publisher's key is still in `extra`, another row has its column.
    await client.append('pi', token, [
      { uuid: 'd', extra: { room: 'lab' } },
      { uuid: 'e', room: 'hall' },
    ])
    await clock.advance(1000)
    await client.status(['pi'])
    expect(await run("SELECT uuid, room FROM SENSEHAT_PROMOTED WHERE uuid IN ('d', 'e') ORDER BY uuid")).toEqual([
      ['d', 'lab'],
      ['e', 'hall'],
    ])
  })
})
