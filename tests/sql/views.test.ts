import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { statementsOf } from '../../emulator/statement-text.ts'
import { Client, emulated, keyPairJwt } from '../emulator/harness.ts'

type Row = Readonly<Record<string, unknown>>

const script = (file: string) => readFileSync(new URL(`../../sql/${file}.sql`, import.meta.url), 'utf8')

/** An emulator whose table holds these readings. */
async function holding(rows: readonly Row[]) {
  const { client, clock, emulator } = await emulated()
  const admin = new Client(emulator, await keyPairJwt(clock, { subject: 'ACME.ADMIN' }))
  if (rows.length > 0) {
    await client.append(
      'pi',
      await client.opened('pi'),
      rows.map((row, i) => ({ uuid: `u${i}`, ...row })),
    )
    await clock.advance(1000)
    await client.status(['pi'])
  }
  const ask = async (sql: string) => {
    const { json, status } = await client.sql(sql)
    expect([sql, status, json.message]).toEqual([sql, 200, 'Statement executed successfully.'])
    return json.data as (string | null)[][]
  }
  /** As a person does who may use every role. */
  const run = async (text: string) => {
    for (const statement of statementsOf(text)) {
      if (/^USE /.test(statement.text)) continue
      const { json, status } = await admin.sql(statement.text)
      expect([statement.text, status, json.message]).toEqual([statement.text, 200, 'Statement executed successfully.'])
    }
  }
  return { admin, ask, run }
}

/** Minutes and seconds past ten o'clock. */
const at = (time: string) => `2026-01-01T10:${time}.000Z`

describe('every view', () => {
  it.each(['GAPS', 'DUPLICATES', 'LATEST', 'SILENT', 'HOURLY', 'MOVED', 'LATENCY', 'HOST_HEALTH'])(
    'SENSEHAT_%s is empty over an empty table, and the bridge may read it',
    async (view) => {
      const { ask } = await holding([])
      expect(await ask(`SELECT * FROM DEMO.DEMO.SENSEHAT_${view}`)).toEqual([])
    },
  )
})

describe('SENSEHAT_MOVED', () => {
  const moved = async (...angles: (number | null)[]) => {
    const rows = angles.map((yaw, i) => ({ hostname: 'a', seq: i + 1, datetimestamp: at(`00:0${i}`), yaw }))
    const { ask } = await holding(rows)
    return ask('SELECT axis, previous_angle, angle, degrees FROM SENSEHAT_MOVED ORDER BY datetimestamp')
  }

  it('goes the short way round: 359.5 to 0 is half a degree, 350 to 10 is twenty', async () => {
    expect(await moved(359.5, 0)).toEqual([])
    expect(await moved(0, 359.5)).toEqual([])
    expect(await moved(350, 10)).toEqual([['yaw', '350', '10', '20']])
    expect(await moved(10, 350)).toEqual([['yaw', '10', '350', '20']])
    expect(await moved(0, 180)).toEqual([['yaw', '0', '180', '180']])
    expect(await moved(0, 181)).toEqual([['yaw', '0', '181', '179']])
  })

  it('begins at five degrees, passes over what was not measured, and says nothing of one reading', async () => {
    expect(await moved(0, 4.5, 9.5)).toEqual([['yaw', '4.5', '9.5', '5']])
    expect(await moved(10, null, 20)).toEqual([['yaw', '10', '20', '10']])
    expect(await moved(10)).toEqual([])
    expect(await moved(null, null)).toEqual([])
  })

  it('keeps devices and axes apart', async () => {
    const { ask } = await holding([
      { hostname: 'a', seq: 1, datetimestamp: at('00:00'), pitch: 0, roll: 100 },
      { hostname: 'b', seq: 1, datetimestamp: at('00:01'), pitch: 90, roll: 100 },
      { hostname: 'a', seq: 2, datetimestamp: at('00:02'), pitch: 0, roll: 110 },
    ])
    expect(await ask('SELECT hostname, axis, degrees FROM SENSEHAT_MOVED')).toEqual([['a', 'roll', '10']])
  })
})

describe('SENSEHAT_LATEST and SENSEHAT_SILENT', () => {
  it('have the newest reading of each device, by its time and not by its arrival', async () => {
    const now = new Date().toISOString()
    const { ask } = await holding([
      { hostname: 'a', seq: 2, datetimestamp: at('00:02'), temperature: 22 },
      { hostname: 'a', seq: 1, datetimestamp: at('00:01'), temperature: 21 },
      { hostname: 'a', seq: 3, temperature: 23 },
      { hostname: 'b', seq: 1, datetimestamp: now, temperature: null },
      { datetimestamp: now },
    ])
    expect(await ask('SELECT hostname, seq, temperature FROM SENSEHAT_LATEST ORDER BY hostname')).toEqual([
      ['a', '2', '22'],
      ['b', '1', null],
    ])
    expect(await ask('SELECT hostname, last_at FROM SENSEHAT_SILENT')).toEqual([['a', '1767261602.000000000']])
  })
})

describe('SENSEHAT_HOURLY', () => {
  it('counts and averages what was measured, and compares with the hour before', async () => {
    const { ask } = await holding([
      { hostname: 'a', datetimestamp: '2026-01-01T10:00:00Z', temperature: 20, pressure: 1000 },
      { hostname: 'a', datetimestamp: '2026-01-01T10:59:59.999Z', temperature: 22, pressure: null },
      { hostname: 'a', datetimestamp: '2026-01-01T11:00:00Z', temperature: 24, pressure: 1001 },
      { hostname: 'a', datetimestamp: '2026-01-01T12:00:00Z', temperature: null },
    ])
    const columns = 'readings, temperature_min, temperature_avg, temperature_max, temperature_change, pressure_change'
    expect(await ask(`SELECT ${columns} FROM SENSEHAT_HOURLY ORDER BY hour_at`)).toEqual([
      ['2', '20', '21', '22', null, null],
      ['1', '24', '24', '24', '3', '1'],
      ['1', null, null, null, null, null],
    ])
  })
})

describe('SENSEHAT_LATENCY', () => {
  it('takes the way apart, and leaves out what has no time or an unset clock', async () => {
    const reading = (second: string, bridge: string | null, ingested: string, clock = 'synced') => ({
      hostname: 'a',
      datetimestamp: at(second),
      bridge_received_at: bridge,
      ingestion_timestamp: ingested,
      clock,
    })
    const { ask } = await holding([
      reading('00:00', '2026-01-01T10:00:00.100Z', at('00:01')),
      reading('00:00', '2026-01-01T10:00:00.300Z', at('00:02')),
      reading('00:00', '2026-01-01T10:00:00.200Z', at('00:05')),
      reading('00:00', at('09:00'), at('09:00'), 'unsynced'),
      { hostname: 'a', datetimestamp: at('00:00') },
    ])
    const columns = 'readings, to_bridge_median_ms, in_bridge_median_ms, total_median_ms, total_max_ms'
    expect(await ask(`SELECT ${columns} FROM SENSEHAT_LATENCY`)).toEqual([['3', '200', '1700', '2000', '5000']])
  })
})

describe('SENSEHAT_HOST_HEALTH', () => {
  it('reads the bits, the hottest of the last day, and the starts in it', async () => {
    const { ask } = await holding([
      { hostname: 'a', seq: 1, stream: 'x', datetimestamp: '2025-12-30T10:00:00Z', cputempc: 99 },
      { hostname: 'a', seq: 1, stream: 'y', datetimestamp: at('00:00'), cputempc: 70, throttled: 0 },
      { hostname: 'a', seq: 1, stream: 'z', datetimestamp: at('10:00'), cputempc: 50, throttled: 65540 },
      { hostname: 'b', seq: 1, stream: 'x', datetimestamp: at('00:00'), cputempc: null, throttled: null },
    ])
    const columns = 'cputempc, cputempc_max_24h, starts_24h, under_voltage, throttled_now, under_voltage_since_boot'
    expect(await ask(`SELECT ${columns} FROM SENSEHAT_HOST_HEALTH ORDER BY hostname`)).toEqual([
      ['50', '70', '2', 'false', 'true', 'true'],
      [null, null, '1', null, null, null],
    ])
  })
})

describe('the alerts', () => {
  it('write each silence and each recent gap once, and leave old and declared ones alone', async () => {
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
    const { admin, ask, run } = await holding([
      { hostname: 'a', stream: 's', seq: 1, datetimestamp: daysAgo(1) },
      { hostname: 'a', stream: 's', seq: 4, datetimestamp: daysAgo(1) },
      { hostname: 'b', stream: 's', seq: 9, datetimestamp: daysAgo(40) },
      { hostname: 'c', stream: 's', seq: 1, after: 'r.3', datetimestamp: daysAgo(2) },
      { hostname: 'd', stream: 's', seq: 1, datetimestamp: daysAgo(0) },
      { hostname: 'd', stream: 's', seq: 3, after: 's.1', datetimestamp: daysAgo(0) },
    ])
    await run(script('alerts'))
    await run('GRANT SELECT ON TABLE DEMO.DEMO.SENSEHAT_ALARMS TO ROLE SENSEHAT_STREAMING_ROLE')
    for (let i = 0; i < 2; i += 1) {
      await run('EXECUTE ALERT DEMO.DEMO.SENSEHAT_GAP_ALERT; EXECUTE ALERT DEMO.DEMO.SENSEHAT_SILENT_ALERT')
      expect(await ask('SELECT kind, hostname, detail FROM SENSEHAT_ALARMS ORDER BY kind, hostname')).toEqual([
        ['gap', 'a', 's 2 to 3'],
        ['gap', 'c', 'r 1 to 3'],
        ['silent', 'a', 'no reading since then'],
        ['silent', 'b', 'no reading since then'],
        ['silent', 'c', 'no reading since then'],
      ])
    }
    const alerts = (await admin.sql('SHOW ALERTS')).json
    const state = alerts.resultSetMetaData.rowType.findIndex((column: { name: string }) => column.name === 'state')
    expect(alerts.data.map((row: string[]) => row[state])).toEqual(['started', 'started'])
  })
})

describe('the retention', () => {
  it('deletes what is older than 400 days, by the time of measuring, else by that of arrival', async () => {
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
    const { ask, run } = await holding([
      { uuid: 'old', datetimestamp: daysAgo(401) },
      { uuid: 'young', datetimestamp: daysAgo(399) },
      { uuid: 'old too', bridge_received_at: daysAgo(401) },
      { uuid: 'no time' },
    ])
    await run(script('retention'))
    await run('EXECUTE TASK DEMO.DEMO.SENSEHAT_RETENTION')
    expect(await ask('SELECT uuid FROM SENSEHAT_SENSOR_DATA ORDER BY uuid')).toEqual([['no time'], ['young']])
  })
})

describe('the teardown', () => {
  it('leaves nothing of what the other files have made', async () => {
    const { admin, run } = await holding([])
    await run(script('alerts'))
    await run(script('retention'))
    await run(script('token').replace(/<<<.*>>>/, '127.0.0.1'))
    await run(script('teardown'))
    // What phones send has a database of its own, which may have been there before.
    await admin.sql('DROP DATABASE ACTIVITY_DB')
    for (const list of ['TABLES', 'VIEWS', 'PIPES', 'ALERTS', 'TASKS', 'USERS', 'NETWORK POLICIES'])
      expect([list, (await admin.sql(`SHOW ${list}`)).json.data]).toEqual([list, []])
  })
})
