import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Roles } from '../../emulator/access/roles.ts'
import { Users } from '../../emulator/access/users.ts'
import { Catalog } from '../../emulator/catalog.ts'
import { Execution } from '../../emulator/execution/execution.ts'
import { applyScripts, readScripts, type Script } from '../../emulator/setup.ts'
import { statementsOf, tokensOf } from '../../emulator/statement-text.ts'
import { definitionOf } from '../../emulator/statements/read.ts'
import { Warehouse } from '../../emulator/warehouse.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { emulated, temporaryDirectory } from './harness.ts'

const SQL = fileURLToPath(new URL('../../sql/', import.meta.url))
const script = (file: string): Script => ({ file, text: readFileSync(join(SQL, file), 'utf8') })
const name = { database: 'DEMO', schema: 'DEMO', name: 'SENSEHAT_SENSOR_DATA' }

/** The set-up of the first system, as its users ran it. */
const FIRST_SYSTEM: Script = {
  file: 'first-system.sql',
  text: `CREATE ROLE SENSEHAT_STREAMING_ROLE; USE ROLE SYSADMIN; CREATE DATABASE IF NOT EXISTS DEMO; CREATE SCHEMA IF NOT EXISTS DEMO.DEMO;
    CREATE OR REPLACE TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA (
      uuid STRING, rowid STRING, hostname STRING, ipaddress STRING, macaddress STRING, ts NUMBER, datetimestamp TIMESTAMP_NTZ,
      systemtime STRING, temperature FLOAT, humidity FLOAT, pressure FLOAT, pitch FLOAT, roll FLOAT, yaw FLOAT, accel_x FLOAT,
      accel_y FLOAT, accel_z FLOAT, gyro_x FLOAT, gyro_y FLOAT, gyro_z FLOAT, mag_x FLOAT, mag_y FLOAT, mag_z FLOAT,
      compass FLOAT, cpu_percent FLOAT, memory_percent FLOAT, disk_usage_mb FLOAT, cputempc FLOAT, cputempf FLOAT,
      simulated BOOLEAN, ingestion_timestamp TIMESTAMP_NTZ DEFAULT CURRENT_TIMESTAMP()
    );
    CREATE OR REPLACE PIPE DEMO.DEMO.SENSEHAT_STREAMING_PIPE AS COPY INTO DEMO.DEMO.SENSEHAT_SENSOR_DATA;`,
}

async function applied(...scripts: Script[]) {
  const warehouse = await Warehouse.open(temporaryDirectory(), 'DEMO')
  const catalog = new Catalog()
  try {
    const account = { catalog, users: new Users(), roles: new Roles(), policies: new Map() }
    const execution = new Execution({
      account,
      warehouse,
      clock: new ManualClock(),
      loseChannels: async () => undefined,
      exclusively: (work) => work(),
    })
    await applyScripts(scripts, { account, execution })
    const stored = await warehouse.rows(
      `SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'DEMO' AND table_name = '${name.name}'
       ORDER BY column_index`,
    )
    return { catalog, stored }
  } finally {
    await warehouse.close()
  }
}

describe('the set-up files', () => {
  it('create table, pipe and views, and may be run again', async () => {
    const { catalog } = await applied(
      script('setup.sql'),
      script('views.sql'),
      script('setup.sql'),
      script('views.sql'),
    )
    expect(catalog.table(name)?.errorLogging).toBe(true)
    expect(catalog.table(name)?.columns.some((column) => column.defaultText !== undefined)).toBe(false)
    expect(catalog.pipe({ ...name, name: 'SENSEHAT_STREAMING_PIPE' })).toMatchObject({ table: name, streaming: true })
  })

  it('keep the first 31 columns as the first system had them', async () => {
    const [ours, theirs] = [await applied(script('setup.sql')), await applied(FIRST_SYSTEM)]
    expect(ours.stored.slice(0, 31)).toEqual(theirs.stored)
    expect(ours.stored.slice(31, 34).map((column) => column.column_name)).toEqual(['stream', 'seq', 'after'])
    expect(ours.stored).toHaveLength(52)
  })

  it("bring the first system's table and pipe to exactly what a new set-up makes", async () => {
    const before = await applied(FIRST_SYSTEM)
    expect(before.catalog.pipe({ ...name, name: 'SENSEHAT_STREAMING_PIPE' })?.streaming).toBe(false)
    const upgraded = await applied(FIRST_SYSTEM, script('upgrade.sql'), script('setup.sql'), script('views.sql'))
    const fresh = await applied(script('setup.sql'), script('views.sql'))
    expect(upgraded.stored).toEqual(fresh.stored)
    expect(upgraded.catalog.table(name)).toEqual(fresh.catalog.table(name))
    expect(upgraded.catalog.pipe({ ...name, name: 'SENSEHAT_STREAMING_PIPE' })?.streaming).toBe(true)
  })

  it('are removed by the teardown, which is not run at start, and neither is the upgrade', async () => {
    const { catalog, stored } = await applied(script('setup.sql'), script('views.sql'), script('teardown.sql'))
    expect([catalog.table(name), stored]).toEqual([undefined, []])
    expect((await readScripts('')).map(({ file }) => file)).toEqual(['setup.sql', 'phones.sql', 'views.sql'])
  })

  it("refuse a statement the emulator does not know, naming file and line, and a pipe that isn't for streaming", async () => {
    const sql_dir = temporaryDirectory()
    writeFileSync(join(sql_dir, 'setup.sql'), `${FIRST_SYSTEM.text}\n-- a comment\n\nVACUUM THE HOUSE;`)
    await expect(emulated({ sql_dir })).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
      message: expect.stringMatching(/^setup\.sql, line \d+: .*VACUUM THE HOUSE/),
    })
    writeFileSync(join(sql_dir, 'setup.sql'), FIRST_SYSTEM.text)
    const { client } = await emulated({ sql_dir })
    expect((await client.open('pi-1')).json.code).toBe('ERR_PIPE_IN_INVALID_STATE')
    expect((await client.status(['pi-1'])).status).toBe(409)
  })
})

describe('SQL text', () => {
  it('is cut at semicolons outside of texts, names and comments', () => {
    const sql = `SELECT 'a;''b\\';' -- c;\n; /* d; */ SELECT "e;f", $$g;h$$; // i;\n;`
    expect(statementsOf(sql).map((statement) => [statement.line, statement.tokens.map((token) => token.text)])).toEqual(
      [
        [1, ['SELECT', `'a;''b\\';'`]],
        [2, ['SELECT', '"e;f"', ',', '$$g;h$$']],
      ],
    )
    expect(tokensOf('a->>b<>1.5e3::x').map((token) => token.text)).toEqual(['a', '->>', 'b', '<>', '1.5e3', '::', 'x'])
  })

  it('gives names their database and schema', () => {
    const context = { database: 'A', schema: 'B' }
    const read = (sql: string) =>
      statementsOf(sql).map((statement) => definitionOf(statement, context))[0] as { name?: unknown; columns?: unknown }
    expect(
      read('create table "x"."Y" (a number(10, 2) not null default 0 comment \'c\', primary key (a))'),
    ).toMatchObject({
      name: { database: 'A', schema: 'x', name: 'Y' },
      columns: [{ name: 'a', type: { kind: 'decimal', precision: 10, scale: 2 }, notNull: true, defaultText: '0' }],
    })
    read('use schema c.d')
    expect(read('create table t (a int)').name).toEqual({ database: 'C', schema: 'D', name: 'T' })
  })
})
