import { describe, expect, it } from 'vitest'
import { emulated, TABLE } from './harness.ts'

async function withRows() {
  const all = await emulated()
  const { client, clock } = all
  const token = (await client.open('pi-1')).json.next_continuation_token
  const row = { uuid: 'a', hostname: 'pi-1', seq: 1, temperature: 21.5, simulated: true, extra: { room: 'lab' } }
  await client.append('pi-1', token, [
    { ...row, datetimestamp: '2026-11-22T10:15:00.250Z' },
    { uuid: 'b', hostname: 'pi-1', seq: 2 },
  ])
  await clock.advance(1000)
  await client.status(['pi-1'])
  return all
}

describe('the SQL REST API', () => {
  it("answers a query in Snowflake's shape: texts in rows, types beside them", async () => {
    const { client } = await withRows()
    const { status, json } = await client.sql(
      `SELECT uuid, seq, temperature, simulated, datetimestamp, extra, CAST('2026-11-22' AS DATE) AS "day" FROM ${TABLE} ORDER BY seq`,
    )
    expect(status).toBe(200)
    expect(json).toMatchObject({
      code: '090001',
      sqlState: '00000',
      statementHandle: expect.any(String),
      resultSetMetaData: { numRows: 2, format: 'jsonv2' },
    })
    expect(
      json.resultSetMetaData.rowType.map((column: { name: string; type: string }) => [column.name, column.type]),
    ).toEqual([
      ['UUID', 'text'],
      ['SEQ', 'fixed'],
      ['TEMPERATURE', 'real'],
      ['SIMULATED', 'boolean'],
      ['DATETIMESTAMP', 'timestamp_ntz'],
      ['EXTRA', 'variant'],
      ['day', 'date'],
    ])
    expect(json.data).toEqual([
      ['a', '1', '21.5', 'true', '1795342500.250000000', '{"room":"lab"}', '20779'],
      ['b', '2', null, null, null, null, '20779'],
    ])
  })

  it("takes what Snowflake's dialect has of its own in plain queries", async () => {
    const { client } = await withRows()
    const value = async (sql: string) => (await client.sql(sql)).json.data?.[0]?.[0]
    expect(await value('select count(*) from DEMO.SENSEHAT_SENSOR_DATA')).toBe('2')
    expect(await value('select count(*) from sensehat_sensor_data t where t.seq >= 1')).toBe('2')
    expect(await value("select iff(seq = 1, 'one\\'s', 'x') from sensehat_sensor_data order by seq")).toBe("one's")
    expect(await value('select extra:room::string from sensehat_sensor_data order by seq')).toBe('lab')
    expect(await value("select '5'::number + 1")).toBe('6')
    expect(await value("select datediff(minute, '2026-01-01'::timestamp_ntz, '2026-01-02'::timestamp_ntz)")).toBe(
      '1440',
    )
    expect(await value("select date_part(epoch_second, '2026-01-01 00:00:01.9'::timestamp_ntz)")).toBe('1767225601')
    expect(await value("select date_part('month', '2026-02-01'::timestamp_ntz)")).toBe('2')
    expect(await value('select seq from sensehat_sensor_data qualify row_number() over (order by seq desc) = 1')).toBe(
      '2',
    )
  })

  it('shows channels, tables and columns', async () => {
    const { client } = await withRows()
    const channels = (await client.sql('SHOW CHANNELS IN ACCOUNT')).json
    const names = channels.resultSetMetaData.rowType.map((column: { name: string }) => column.name)
    expect(channels.data[0][names.indexOf('name')]).toBe('pi-1')
    const tables = (await client.sql('SHOW TABLES IN SCHEMA DEMO.DEMO')).json.data
    expect(tables.map(([_created, table]: string[]) => table)).toEqual(['SENSEHAT_SENSOR_DATA'])
    expect((await client.sql(`DESCRIBE TABLE ${TABLE}`)).json.data).toHaveLength(52)
  })

  it('changes nothing that the role may not change, runs one statement at a time, and reads no files', async () => {
    const { client, emulator } = await withRows()
    for (const sql of [
      `DELETE FROM ${TABLE}`,
      `TRUNCATE TABLE ${TABLE}`,
      `DROP TABLE ${TABLE}`,
      'SELECT 1; SELECT 2',
      "COPY x TO 'y'",
    ]) {
      const { status, json } = await client.sql(sql)
      expect([status, typeof json.message, typeof json.statementHandle]).toEqual([422, 'string', 'string'])
    }
    expect((await client.sql("SELECT * FROM read_csv('/etc/hostname')")).status).toBe(422)
    expect(await emulator.query(`SELECT COUNT(*) AS n FROM ${TABLE}`)).toEqual([{ n: 2 }])
  })

  it('tells in code and message what is wrong with a statement, and asks who is there', async () => {
    const { client } = await withRows()
    expect((await client.sql('SELEC 1')).json.code).toBe('001003')
    expect((await client.sql('SELECT FROM WHERE')).json).toMatchObject({ code: '001003', sqlState: '42000' })
    expect((await client.sql('SELECT * FROM nowhere')).json).toMatchObject({ code: '002003', sqlState: '42S02' })
    expect((await client.sql(`SELECT nothing FROM ${TABLE}`)).json.code).toBe('000904')
    expect((await client.call('POST', '/api/v2/statements', { body: '{}', credential: '' })).status).toBe(401)
  })
})

describe('what a doctor asks', () => {
  // biome-ignore lint/suspicious/noExplicitAny: whatever the service answered
  const rowsOf = (json: any): Record<string, string | null>[] =>
    json.data.map((row: (string | null)[]) =>
      Object.fromEntries(row.map((value, i) => [json.resultSetMetaData.rowType[i].name, value])),
    )

  it('is answered about the pipe, its grants, the columns and the views', async () => {
    const { client } = await withRows()
    const rows = async (sql: string) => rowsOf((await client.sql(sql)).json)
    const pipe = 'DEMO.DEMO.SENSEHAT_STREAMING_PIPE'
    expect(await rows(`DESC PIPE ${pipe}`)).toMatchObject([
      {
        name: 'SENSEHAT_STREAMING_PIPE',
        definition: expect.stringMatching(/^COPY INTO .*STREAMING/s),
        invalid_reason: null,
      },
    ])
    expect(await rows("SHOW PIPES LIKE 'sensehat%' IN SCHEMA DEMO.DEMO")).toHaveLength(1)
    expect(await rows("SHOW PIPES LIKE 'other%' IN SCHEMA DEMO.DEMO")).toEqual([])
    expect((await rows(`SHOW GRANTS ON PIPE ${pipe}`)).map(({ privilege }) => privilege)).toEqual([
      'OWNERSHIP',
      'OPERATE',
      'MONITOR',
    ])
    const granted = await rows('SHOW GRANTS TO ROLE SENSEHAT_STREAMING_ROLE')
    expect(granted).toContainEqual(expect.objectContaining({ privilege: 'INSERT', granted_on: 'TABLE', name: TABLE }))
    expect(await rows('SHOW GRANTS TO USER SENSEHAT_STREAMING_USER')).toMatchObject([
      { role: 'SENSEHAT_STREAMING_ROLE' },
    ])
    expect(await rows(`SHOW COLUMNS IN TABLE ${TABLE}`)).toHaveLength(52)
    const described = await rows(`DESC TABLE ${TABLE}`)
    expect(described.find(({ name }) => name === 'EXTRA')).toMatchObject({ type: 'VARIANT', 'null?': 'Y' })
    expect((await rows('SHOW VIEWS')).map(({ name }) => name)).toContain('SENSEHAT_GAPS')
    expect((await rows('DESC VIEW SENSEHAT_DUPLICATES')).map(({ name }) => name)).toContain('COPIES')
    expect(await rows("SHOW PARAMETERS LIKE 'network_policy' FOR USER SENSEHAT_STREAMING_USER")).toMatchObject([
      { key: 'NETWORK_POLICY', value: '' },
    ])
    expect((await client.sql(`SELECT SYSTEM$PIPE_STATUS('${pipe}')`)).json.data).toEqual([
      ['{"executionState":"RUNNING","pendingFileCount":0}'],
    ])
    expect((await client.sql('DESC PIPE nowhere')).json).toMatchObject({ code: '002003', sqlState: '02000' })
  })

  it('may be asked with values apart from the statement', async () => {
    const { client } = await withRows()
    const ask = async (statement: string, bindings: object) =>
      (await client.call('POST', '/api/v2/statements', { body: JSON.stringify({ statement, bindings }) })).json
    const one = {
      1: { type: 'TEXT', value: "it's \\ b" },
      2: { type: 'FIXED', value: '-7' },
      3: { type: 'TEXT', value: null },
    }
    expect((await ask('SELECT ?, ? + 1, ?', one)).data).toEqual([["it's \\ b", '-6', null]])
    expect((await ask(`SELECT uuid FROM ${TABLE} WHERE seq = ?`, { 1: { type: 'FIXED', value: '2' } })).data).toEqual([
      ['b'],
    ])
    expect((await ask('SELECT ?', { 1: { type: 'FIXED', value: '1; DROP' } })).message).toMatch(/not a number/)
    expect((await ask('SELECT ?, ?', { 1: { type: 'FIXED', value: '1' } })).message).toMatch(/Bind variable 2 not set/)
  })
})
