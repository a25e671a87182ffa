import { cpSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import { startEmulator } from '../../emulator/emulator.ts'
import { silentLog } from '../../src/log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { emulated, rowCount, settingsFor, TABLE, temporaryDirectory, upTo } from './harness.ts'

describe('a restarted emulator', () => {
  it('has all that was accepted before a clean stop, and goes on with the same continuation token', async () => {
    const first = await emulated()
    const opened = (await first.client.open('pi-1')).json
    const reply = await first.client.append('pi-1', opened.next_continuation_token, [{ uuid: 'a' }], upTo('1'))
    await first.emulator.close()
    const second = await emulated({ data: first.settings.data }, first.clock)
    const status = (await second.client.status(['pi-1'])).json.channel_statuses['pi-1']
    expect(status).toMatchObject({
      last_committed_offset_token: '1',
      rows_inserted: 1,
      created_on_ms: opened.channel_status.created_on_ms,
    })
    const next = await second.client.append('pi-1', reply.json.next_continuation_token, [{ uuid: 'b' }], upTo('2'))
    expect(next.status).toBe(200)
    await first.clock.advance(1000)
    await second.client.status(['pi-1'])
    expect(await rowCount(second.emulator)).toBe(2)
  })

  it('has lost what was not committed when it was killed, keeps the offset token, and asks for a reopen', async () => {
    const first = await emulated()
    let token = (await first.client.open('pi-1')).json.next_continuation_token
    token = (await first.client.append('pi-1', token, [{ uuid: 'a' }], upTo('1'))).json.next_continuation_token
    await first.clock.advance(1000)
    await first.client.status(['pi-1'])
    token = (await first.client.append('pi-1', token, [{ uuid: 'b' }], upTo('2'))).json.next_continuation_token
    // What a killed process leaves behind: the files as they are at this moment.
    const data = temporaryDirectory()
    cpSync(first.settings.data, data, { recursive: true })

    const second = await emulated({ data }, first.clock)
    expect((await second.client.status(['pi-1'])).json.channel_statuses['pi-1'].last_committed_offset_token).toBe('1')
    const refused = await second.client.append('pi-1', token, [{ uuid: 'c' }], upTo('3'))
    expect(refused.json.code).toBe('ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP')
    expect((await second.client.status(['pi-1'])).json.channel_statuses['pi-1'].channel_status_code).toBe(
      'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP',
    )
    const reopened = await second.client.open('pi-1', { fail_on_uncommitted_rows: true })
    expect(reopened.json.channel_status).toMatchObject({
      last_committed_offset_token: '1',
      channel_status_code: 'SUCCESS',
    })
    expect(await rowCount(second.emulator)).toBe(1)
  })

  it('leaves a file that any DuckDB reader opens, views included', async () => {
    const { client, emulator, settings } = await emulated()
    const token = (await client.open('pi-1')).json.next_continuation_token
    const row = { uuid: 'pi-1-s-2', hostname: 'pi-1', stream: 's', seq: 2, ts: 1_792_000_000, extra: { a: [1] } }
    await client.append('pi-1', token, [row], upTo('1'))
    await emulator.close()
    const file = join(settings.data, 'warehouse.duckdb')
    const reader = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' })
    const connection = await reader.connect()
    const rows = await connection.runAndReadAll('SELECT uuid, seq, ts, extra FROM DEMO.SENSEHAT_SENSOR_DATA')
    expect(rows.getRowObjectsJS()).toEqual([{ uuid: 'pi-1-s-2', seq: 2n, ts: 1_792_000_000n, extra: '{"a":[1]}' }])
    const gaps = await connection.runAndReadAll('SELECT missing FROM DEMO.SENSEHAT_GAPS')
    expect(gaps.getRowObjectsJS()).toEqual([{ missing: 1n }])
    connection.closeSync()
    reader.closeSync()
  })

  it('adds the columns an older table lacks and keeps its rows', async () => {
    const data = temporaryDirectory()
    const old = await DuckDBInstance.create(join(data, 'warehouse.duckdb'))
    const connection = await old.connect()
    await connection.run('CREATE SCHEMA DEMO')
    await connection.run('CREATE TABLE DEMO.SENSEHAT_SENSOR_DATA (uuid VARCHAR, temperature DOUBLE, my_own INTEGER)')
    await connection.run("INSERT INTO DEMO.SENSEHAT_SENSOR_DATA VALUES ('old', 20.5, 7)")
    connection.closeSync()
    old.closeSync()
    const { client, clock, emulator } = await emulated({ data })
    const token = (await client.open('pi-1')).json.next_continuation_token
    await client.append('pi-1', token, [{ uuid: 'new', seq: 1, my_own: 8 }], upTo('1'))
    await clock.advance(1000)
    await client.status(['pi-1'])
    const rows = await emulator.query(`SELECT uuid, seq, my_own FROM ${TABLE} ORDER BY uuid`)
    expect(rows).toEqual([
      { uuid: 'new', seq: 1, my_own: 8 },
      { uuid: 'old', seq: null, my_own: 7 },
    ])
  })
})

describe('the start', () => {
  const deps = { clock: new ManualClock(), log: silentLog() }

  it('says which port is taken and which option names another', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const start = startEmulator(settingsFor({ port, data: temporaryDirectory() }), deps)
    await expect(start).rejects.toMatchObject({
      code: 'E_PORT_TAKEN',
      message: `port ${port} is taken by another program`,
      hint: expect.stringContaining('--port'),
    })
    taken.close()
  })

  it('names the file it cannot read', async () => {
    for (const wrong of [
      { tls_cert: '/nowhere/cert.pem', tls_key: '/nowhere/key.pem' },
      { user_key: ['SOMEBODY=/nowhere/key.pub'] },
      { faults: '/nowhere/faults.json' },
      { sql_dir: '/nowhere/sql' },
    ])
      await expect(startEmulator(settingsFor({ data: temporaryDirectory(), ...wrong }), deps)).rejects.toMatchObject({
        code: 'E_FILE_UNREADABLE',
        message: expect.stringContaining('/nowhere/'),
      })
    await expect(
      startEmulator(settingsFor({ data: temporaryDirectory(), tls_cert: '/nowhere/cert.pem' }), deps),
    ).rejects.toMatchObject({ code: 'E_CONFIG_INVALID' })
  })

  it('leaves nothing open when it fails: the same directory can be used at once', async () => {
    const data = temporaryDirectory()
    await expect(startEmulator(settingsFor({ data, user_key: ['x'] }), deps)).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
    })
    const emulator = await startEmulator(settingsFor({ data }), deps)
    await emulator.close()
  })
})
