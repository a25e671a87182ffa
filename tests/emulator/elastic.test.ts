import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Client, emulated, keyPairJwt, PIPE, type Reply, rowCount, TABLE, temporaryDirectory } from './harness.ts'

const BY_PIPE = `${PIPE}/channels/ELASTIC`
const BY_TABLE = 'databases/DEMO/schemas/DEMO/tables/SENSEHAT_SENSOR_DATA'

function append(client: Client, rows: readonly object[], path = BY_PIPE, query = ''): Promise<Reply> {
  const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  return client.call('POST', `/v2/streaming/data/${path}/rows?requestId=r&retryCount=0${query}`, { body })
}

/** Resolves when what is due has been committed. */
async function settled(client: Client): Promise<void> {
  await client.status([])
}

describe('an Elastic append', () => {
  it.each([
    ['by the pipe', BY_PIPE],
    ['by the pipe, in other letters', BY_PIPE.toLowerCase()],
    ['by the table', BY_TABLE],
  ])('%s is answered at once and can be queried after the commit delay', async (_how, path) => {
    const { client, clock, emulator } = await emulated()
    const reply = await append(client, [{ uuid: 'a' }, { uuid: 'b' }], path)
    expect([reply.status, reply.json.message]).toEqual([200, 'OK'])
    await clock.advance(500)
    await settled(client)
    expect(await rowCount(emulator)).toBe(0)
    await clock.advance(500)
    await settled(client)
    expect(await rowCount(emulator)).toBe(2)
    expect(emulator.stats()).toMatchObject({ elasticAppends: 1, rowsInserted: 2, rowsPending: 0 })
  })

  it('is durable when it is answered: a kill loses nothing, and stores nothing twice', async () => {
    const first = await emulated()
    await append(first.client, [{ uuid: 'a' }])
    await first.clock.advance(1000)
    await settled(first.client)
    await append(first.client, [{ uuid: 'b' }, { uuid: 'ü\u0000' }])
    // What a killed process leaves behind: the files as they are at this moment.
    const data = temporaryDirectory()
    cpSync(first.settings.data, data, { recursive: true })

    const second = await emulated({ data }, first.clock)
    await append(second.client, [{ uuid: 'c' }])
    await first.clock.advance(1000)
    await settled(second.client)
    const rows = await second.emulator.query(`SELECT uuid FROM ${TABLE} ORDER BY uuid`)
    expect(rows.map(({ uuid }) => uuid)).toEqual(['a', 'b', 'c', 'ü\u0000'])
    await second.emulator.close()
    const third = await emulated({ data }, first.clock)
    await first.clock.advance(1000)
    await settled(third.client)
    expect(await rowCount(third.emulator)).toBe(4)
  })

  it('is stored as often as it is sent, by any number of writers at once', async () => {
    const { client, clock, emulator } = await emulated()
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, i) => append(client, [{ uuid: `u-${i % 20}` }], i % 2 === 0 ? BY_PIPE : BY_TABLE)),
    )
    expect(replies.every(({ status }) => status === 200)).toBe(true)
    await clock.advance(1000)
    await settled(client)
    const [counts] = await emulator.query(`SELECT COUNT(*) AS n, COUNT(DISTINCT uuid) AS d FROM ${TABLE}`)
    expect(counts).toEqual({ n: 60, d: 20 })
  })

  it.each(['continuationToken', 'offsetToken', 'startOffsetToken', 'endOffsetToken'])(
    'with a %s is refused, and nothing is stored',
    async (parameter) => {
      const { client, clock, emulator } = await emulated()
      for (const path of [BY_PIPE, BY_TABLE]) {
        const reply = await append(client, [{ uuid: 'a' }], path, `&${parameter}=`)
        expect([reply.status, reply.json.message]).toEqual([400, expect.stringContaining(parameter)])
      }
      await clock.advance(1000)
      await settled(client)
      expect(await rowCount(emulator)).toBe(0)
    },
  )

  it('leaves rows that cannot be converted to the error table, and says so nowhere else', async () => {
    const { client, clock, emulator } = await emulated()
    expect((await append(client, [{ uuid: 'a' }, { uuid: 'bad', seq: 'many' }])).status).toBe(200)
    await clock.advance(1000)
    expect(await client.statusOf('ELASTIC')).toMatchObject({
      channel_status_code: 'SUCCESS',
      last_committed_offset_token: null,
      rows_parsed: 0,
      rows_error_count: 0,
    })
    expect(await rowCount(emulator)).toBe(1)
    const errors = await emulator.query('SELECT error_code, error_metadata FROM ERROR_TABLE(SENSEHAT_SENSOR_DATA)')
    expect(errors).toHaveLength(1)
    expect(JSON.parse(String(errors[0]?.error_metadata)).details).toMatchObject({
      pipe_name: 'SENSEHAT_STREAMING_PIPE',
      channel_name: 'ELASTIC',
      offset_token_lower_bound: null,
      offset_token_upper_bound: null,
    })
  })

  it('needs a table or a streaming pipe that is there', async () => {
    const { client } = await emulated()
    const codes = async (path: string) => {
      const { status, json } = await append(client, [{ uuid: 'a' }], path)
      return [status, json.code]
    }
    expect(await codes(BY_TABLE.replace('SENSEHAT', 'OTHER'))).toEqual([404, 'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED'])
    expect(await codes(BY_PIPE.replace('SENSEHAT', 'OTHER'))).toEqual([
      404,
      'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
    ])
    expect(await codes(BY_TABLE.replace('DEMO', 'OTHER'))).toEqual([
      404,
      'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
    ])
  })

  it("needs INSERT on the table, and OPERATE only on a pipe that is not the table's own", async () => {
    const { client, clock, emulator } = await emulated()
    const admin = new Client(emulator, await keyPairJwt(clock, { subject: 'ACME-PROD.ADMIN' }))
    const statuses = async () => {
      const replies = [await append(client, [{ uuid: 'a' }]), await append(client, [{ uuid: 'a' }], BY_TABLE)]
      return replies.map(({ status }) => status)
    }
    const revoke = (privilege: string) => admin.sql(`REVOKE ${privilege} FROM ROLE SENSEHAT_STREAMING_ROLE`)
    expect(await statuses()).toEqual([200, 200])
    await revoke('OPERATE ON PIPE DEMO.DEMO.SENSEHAT_STREAMING_PIPE')
    expect(await statuses()).toEqual([404, 200])
    await revoke(`INSERT ON TABLE ${TABLE}`)
    expect(await statuses()).toEqual([404, 404])
  })

  it('does not count against the limits of Named Channels', async () => {
    const { client } = await emulated({ requests_per_second: 1, channel_limit: 0 })
    for (let i = 0; i < 5; i += 1) expect((await append(client, [{ uuid: 'a' }])).status).toBe(200)
  })

  it('is refused when empty, over 4 MB, or without a credential', async () => {
    const { client } = await emulated()
    const path = `/v2/streaming/data/${BY_PIPE}/rows`
    const statuses = [
      await client.call('POST', path, { body: '\n' }),
      await client.call('POST', path, { body: Buffer.alloc(4 * 1024 * 1024 + 1, 'x') }),
      await client.call('POST', path, { body: '{"uuid":"a"}', credential: '' }),
    ]
    expect(statuses.map(({ status }) => status)).toEqual([400, 413, 401])
  })

  it('takes faults as any append: late commits, frozen ones, a black hole', async () => {
    const { client, clock, emulator } = await emulated()
    await client.faults([{ operation: 'commit', action: 'freeze', channel: 'ELASTIC' }])
    await append(client, [{ uuid: 'a' }])
    await clock.advance(5000)
    await settled(client)
    expect(await rowCount(emulator)).toBe(0)
    await client.faults([{ operation: 'append', action: 'black-hole', channel: 'ELASTIC', count: 1 }])
    expect((await append(client, [{ uuid: 'lost' }])).status).toBe(200)
    await clock.advance(1000)
    await settled(client)
    expect(await rowCount(emulator)).toBe(1)
    await append(client, [{ uuid: 'gone with the table' }])
    await client.faults([{ action: 'replace-table' }])
    await clock.advance(1000)
    await settled(client)
    expect(await rowCount(emulator)).toBe(0)
  })
})

describe('a table that is dropped has taken the rows on their way to it with it', () => {
  const path = (table: string) => `databases/DEMO/schemas/DEMO/tables/${table}`

  it('by a statement', async () => {
    const { clock, emulator } = await emulated()
    // Nobody has made this user: it may do everything.
    const admin = new Client(emulator, await keyPairJwt(clock, { subject: 'ACME-PROD.ADMIN' }))
    const run = async (statement: string) => expect((await admin.sql(statement)).status, statement).toBe(200)
    for (const table of ['A', 'B']) {
      await run(`CREATE TABLE DEMO.DEMO.${table} (uuid STRING)`)
      await append(admin, [{ uuid: table }], path(table))
    }
    await run('DROP TABLE DEMO.DEMO.A')
    // Nor does a table of that name find them later.
    await run('CREATE TABLE DEMO.DEMO.A (uuid STRING)')
    await clock.advance(1000)
    await settled(admin)
    expect(await emulator.query('SELECT uuid FROM DEMO.DEMO.A')).toEqual([])
    expect(await emulator.query('SELECT uuid FROM DEMO.DEMO.B')).toEqual([{ uuid: 'B' }])
  })

  it('by the set-up of the next start', async () => {
    const sql_dir = temporaryDirectory()
    const script = (text: string) =>
      writeFileSync(
        join(sql_dir, 'setup.sql'),
        `CREATE DATABASE IF NOT EXISTS DEMO; CREATE SCHEMA IF NOT EXISTS DEMO.DEMO; ${text}`,
      )
    const create = (table: string) => `CREATE TABLE IF NOT EXISTS DEMO.DEMO.${table} (uuid STRING);`
    script(`${create('A')} ${create('B')}`)
    const first = await emulated({ sql_dir })
    for (const table of ['A', 'B']) await append(first.client, [{ uuid: table }], path(table))
    const data = temporaryDirectory()
    cpSync(first.settings.data, data, { recursive: true })
    script(`DROP TABLE DEMO.DEMO.A; ${create('A')} ${create('B')}`)
    const second = await emulated({ sql_dir, data }, first.clock)
    await first.clock.advance(1000)
    await second.client.status([], 'databases/DEMO/schemas/DEMO/pipes/B-STREAMING')
    expect(await second.emulator.query('SELECT uuid FROM DEMO.DEMO.A')).toEqual([])
    expect(await second.emulator.query('SELECT uuid FROM DEMO.DEMO.B')).toEqual([{ uuid: 'B' }])
  })
})
