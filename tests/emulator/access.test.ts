import { createPublicKey, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Client, emulated, keyPairJwt, newKeys, PIPE, TABLE, temporaryDirectory } from './harness.ts'

const ROLE = 'SENSEHAT_STREAMING_ROLE'
const USER = 'SENSEHAT_STREAMING_USER'
const DAY_MS = 86_400_000

/** An emulator, the user that the set-up made, and one that nobody made: it may do everything. */
async function account(overrides: Parameters<typeof emulated>[0] = {}) {
  const all = await emulated(overrides)
  const signedInAs = async (user: string, more: Parameters<typeof keyPairJwt>[1] = {}) =>
    new Client(all.emulator, await keyPairJwt(all.clock, { subject: `ACME-PROD.${user}`, ...more }))
  const admin = await signedInAs('ADMIN')
  const run = async (sql: string) => {
    const { json, status } = await admin.sql(sql)
    expect([sql, status, json.message]).toEqual([sql, 200, 'Statement executed successfully.'])
    return rowsOf(json)
  }
  return { ...all, admin, run, signedInAs }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the service answered
function rowsOf(json: any): Record<string, string | null>[] {
  const names: string[] = json.resultSetMetaData.rowType.map((column: { name: string }) => column.name)
  return json.data.map((row: (string | null)[]) => Object.fromEntries(names.map((name, i) => [name, row[i]])))
}

function own(keys: { privateKey: KeyObject; pem: string }) {
  return { privateKey: keys.privateKey, publicKey: createPublicKey(keys.pem) }
}

function base64(pem: string): string {
  return pem.replaceAll(/-----.*-----|\n/g, '')
}

describe('the role of the set-up', () => {
  it('is enough to open, append, ask and drop, and no more than that', async () => {
    const { client, run } = await account()
    const token = await client.opened('pi-1')
    expect((await client.append('pi-1', token, [{ uuid: 'a' }])).status).toBe(200)
    expect((await client.status(['pi-1'])).status).toBe(200)
    expect((await client.drop('pi-1')).status).toBe(200)
    expect((await client.sql(`ALTER TABLE ${TABLE} ADD COLUMN x FLOAT`)).json).toMatchObject({
      code: '003001',
      sqlState: '42501',
    })
    expect((await client.sql(`GRANT SELECT ON TABLE ${TABLE} TO ROLE PUBLIC`)).json.code).toBe('003001')
    await run(`ALTER TABLE ${TABLE} ADD COLUMN x FLOAT`)
  })

  it.each([
    ['USAGE ON DATABASE DEMO', 'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED', /Role \S+ failed to retrieve pipe/],
    ['USAGE ON SCHEMA DEMO.DEMO', 'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED', /failed to retrieve pipe/],
    ['INSERT ON TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA', 'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED', /Table/],
    ['OPERATE ON PIPE DEMO.DEMO.SENSEHAT_STREAMING_PIPE', 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED', /Pipe/],
  ])('is refused without %s, on every call, until it is granted again', async (privilege, code, words) => {
    const { client, run } = await account()
    const token = await client.opened('pi-1')
    await run(`REVOKE ${privilege} FROM ROLE ${ROLE}`)
    const refused = [await client.open('pi-1'), await client.append('pi-1', token, [{ uuid: 'a' }])]
    if (!privilege.startsWith('OPERATE')) refused.push(await client.status(['pi-1']))
    for (const { json, status } of refused)
      expect([status, json.code, json.message]).toEqual([404, code, expect.stringMatching(words)])
    await run(`GRANT ${privilege} TO ROLE ${ROLE}`)
    expect((await client.append('pi-1', token, [{ uuid: 'a' }])).status).toBe(200)
  })

  it('needs no OPERATE for the default pipe of the table', async () => {
    const { client, run } = await account()
    await run(`REVOKE OPERATE, MONITOR ON PIPE DEMO.DEMO.SENSEHAT_STREAMING_PIPE FROM ROLE ${ROLE}`)
    const own = 'databases/DEMO/schemas/DEMO/pipes/%22SENSEHAT_SENSOR_DATA-STREAMING%22'
    expect((await client.open('pi-1', {}, own)).status).toBe(200)
  })

  it('reads what it was granted SELECT on', async () => {
    const { client, run } = await account()
    expect((await client.sql(`SELECT * FROM ${TABLE}`)).status).toBe(200)
    expect((await client.sql('WITH x AS (SELECT * FROM SENSEHAT_GAPS) SELECT * FROM x')).status).toBe(200)
    await run(`REVOKE SELECT ON TABLE ${TABLE} FROM ROLE ${ROLE}`)
    expect((await client.sql(`SELECT 1 FROM (SELECT * FROM sensehat_sensor_data)`)).json).toMatchObject({
      code: '002003',
      message: expect.stringContaining('does not exist or not authorized'),
    })
    expect((await client.sql('SELECT * FROM SENSEHAT_GAPS')).status).toBe(200)
  })
})

describe('the role of a request', () => {
  const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

  async function openWithScope(role: string) {
    const all = await account()
    await all.run('CREATE ROLE OTHER')
    const body = new URLSearchParams({ grant_type: GRANT, scope: `127.0.0.1 session:role:${role}` }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { text } = await all.client.call('POST', '/oauth/token', { body, headers })
    return all.client.call('PUT', `/v2/streaming/${PIPE}/channels/pi-1`, { credential: text })
  }

  it('is the one in the scope: the right one opens, one that the user does not have fails at the open', async () => {
    expect((await openWithScope(ROLE)).status).toBe(200)
    for (const role of ['OTHER', 'NOWHERE', 'ACCOUNTADMIN']) {
      const { json, status } = await openWithScope(role)
      expect([status, json.code, json.message]).toEqual([
        404,
        'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
        `Role ${role} failed to retrieve pipe DEMO.DEMO.SENSEHAT_STREAMING_PIPE`,
      ])
    }
  })

  it('is refused when it was granted nothing, also to one who may take it', async () => {
    const { client, run } = await account()
    await run('CREATE ROLE EMPTY')
    await run(`GRANT ROLE EMPTY TO USER ${USER}`)
    await run(`ALTER USER ${USER} SET DEFAULT_ROLE = EMPTY`)
    expect((await client.open('pi-1')).json.code).toBe('ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED')
    await run(`GRANT ROLE ${ROLE} TO ROLE EMPTY`)
    expect((await client.open('pi-1')).status).toBe(200)
  })

  it('is told by the functions of the session, and asked for in the body of a statement', async () => {
    const { client } = await account()
    expect((await client.sql('SELECT CURRENT_ROLE(), CURRENT_USER()')).json.data).toEqual([[ROLE, USER]])
    const asked = (role: string) =>
      client.call('POST', '/api/v2/statements', { body: JSON.stringify({ statement: 'SELECT CURRENT_ROLE()', role }) })
    expect((await asked('public')).json.data).toEqual([['PUBLIC']])
    expect((await asked('SYSADMIN')).json.code).toBe('390189')
  })
})

describe('the keys of a user', () => {
  it('are in two slots, each good until it is unset; DESC USER shows their fingerprints', async () => {
    const { client, run, signedInAs } = await account()
    const [first, second] = [newKeys(), newKeys()]
    const old = await signedInAs(USER, own(first))
    const next = await signedInAs(USER, own(second))
    const signIn = async (who: Client) => (await who.call('GET', '/v2/streaming/hostname')).status
    expect(await signIn(client)).toBe(200)
    await run(`ALTER USER ${USER} SET RSA_PUBLIC_KEY = '${base64(first.pem)}'`)
    expect([await signIn(client), await signIn(old), await signIn(next)]).toEqual([401, 200, 401])
    await run(`ALTER USER ${USER} SET RSA_PUBLIC_KEY_2 = '${base64(second.pem)}'`)
    expect([await signIn(old), await signIn(next)]).toEqual([200, 200])
    const described = Object.fromEntries(
      rowsOf((await next.sql(`DESC USER ${USER}`)).json).map(({ property, value }) => [property, value]),
    )
    expect(described).toMatchObject({
      DEFAULT_ROLE: ROLE,
      TYPE: 'SERVICE',
      RSA_PUBLIC_KEY: base64(first.pem),
      RSA_PUBLIC_KEY_FP: expect.stringMatching(/^SHA256:/),
      RSA_PUBLIC_KEY_2_FP: expect.stringMatching(/^SHA256:/),
    })
    await run(`ALTER USER ${USER} UNSET RSA_PUBLIC_KEY`)
    expect([await signIn(old), await signIn(next)]).toEqual([401, 200])
    await run(`ALTER USER ${USER} UNSET RSA_PUBLIC_KEY_2`)
    expect([await signIn(next), await signIn(client)]).toEqual([401, 401])
  })

  it('outlive a restart, and so do grants, tables and pipes that SQL has made', async () => {
    const first = await account()
    const keys = newKeys()
    await first.run(`ALTER USER ${USER} SET RSA_PUBLIC_KEY = '${base64(keys.pem)}'`)
    await first.run('CREATE ROLE READER')
    await first.run('CREATE TABLE DEMO.DEMO.OTHER (a NUMBER)')
    await first.run(
      "CREATE PIPE DEMO.DEMO.OTHER_PIPE AS COPY INTO DEMO.DEMO.OTHER FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",
    )
    await first.run('GRANT SELECT ON TABLE DEMO.DEMO.OTHER TO ROLE READER')
    await first.emulator.close()
    const second = await account({ data: first.settings.data })
    expect((await second.client.sql('SELECT 1')).status).toBe(401)
    expect((await (await second.signedInAs(USER, own(keys))).sql('SELECT 1')).status).toBe(200)
    const grants = await second.run('SHOW GRANTS TO ROLE READER')
    expect(grants).toMatchObject([{ privilege: 'SELECT', granted_on: 'TABLE', name: 'DEMO.DEMO.OTHER' }])
    const pipe = 'databases/DEMO/schemas/DEMO/pipes/OTHER_PIPE'
    const token = (await second.admin.open('x', {}, pipe)).json.next_continuation_token
    expect((await second.admin.append('x', token, [{ a: 7 }], { pipe })).status).toBe(200)
    await second.clock.advance(1000)
    await second.admin.status(['x'], pipe)
    expect(await second.emulator.query('SELECT a FROM OTHER')).toEqual([{ a: 7 }])
  })

  it('that are none are refused, but a placeholder in a set-up file leaves any key good', async () => {
    const { admin, client } = await account()
    expect((await admin.sql(`ALTER USER ${USER} SET RSA_PUBLIC_KEY = '<<< the key >>>'`)).json.message).toMatch(
      /Invalid public key/,
    )
    expect((await client.sql('SELECT 1')).status).toBe(200)
  })
})

describe('a programmatic access token', () => {
  it('of a service user needs a network policy and a role, lives so many days, and is shown once', async () => {
    const { admin, clock, client, run } = await account()
    const add = `ALTER USER ${USER} ADD PROGRAMMATIC ACCESS TOKEN BRIDGE ROLE_RESTRICTION = '${ROLE}' DAYS_TO_EXPIRY = 2`
    expect((await admin.sql(add)).json.message).toMatch(/network policy/)
    await run("CREATE NETWORK POLICY HERE ALLOWED_IP_LIST = ('127.0.0.0/8')")
    await run(`ALTER USER ${USER} SET NETWORK_POLICY = HERE`)
    expect((await admin.sql(`ALTER USER ${USER} ADD PAT X`)).json.message).toMatch(/ROLE_RESTRICTION/)
    const [made] = await run(add)
    const credential = made?.token_secret ?? ''
    const open = () => client.call('PUT', `/v2/streaming/${PIPE}/channels/pi-1`, { credential })
    expect((await open()).status).toBe(200)
    const shown = await run(`SHOW USER PROGRAMMATIC ACCESS TOKENS FOR USER ${USER}`)
    expect(shown).toMatchObject([{ name: 'BRIDGE', role_restriction: ROLE, status: 'ACTIVE' }])
    expect(JSON.stringify(shown)).not.toContain(credential)
    await clock.advance(2 * DAY_MS)
    expect([(await open()).status, (await open()).json.code]).toEqual([401, '394400'])
  })

  it('is refused from an address that the policy does not allow', async () => {
    const { client, run } = await account()
    await run("CREATE NETWORK POLICY ELSEWHERE ALLOWED_IP_LIST = ('192.0.2.7')")
    await run(`ALTER USER ${USER} SET NETWORK_POLICY = ELSEWHERE`)
    expect((await client.open('pi-1')).status).toBe(403)
    expect((await client.open('pi-1')).json.code).toBe('390422')
    await run("ALTER NETWORK POLICY ELSEWHERE SET ALLOWED_IP_LIST = ('192.0.2.7', '127.0.0.1')")
    expect((await client.open('pi-1')).status).toBe(200)
  })
})

describe('replaced and dropped objects', () => {
  it.each([
    [
      'pipe',
      "CREATE OR REPLACE PIPE DEMO.DEMO.SENSEHAT_STREAMING_PIPE AS COPY INTO DEMO.DEMO.SENSEHAT_SENSOR_DATA FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",
    ],
    ['table', 'CREATE OR REPLACE TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA (uuid STRING)'],
  ])('a %s loses its channels and offset tokens, and its grants', async (_, sql) => {
    const { admin, clock, client, run } = await account()
    const token = await client.opened('pi-1')
    await client.append('pi-1', token, [{ uuid: 'a' }], { query: { endOffsetToken: '1' } })
    await clock.advance(1000)
    expect((await client.statusOf('pi-1'))?.last_committed_offset_token).toBe('1')
    await run(sql)
    expect((await client.open('pi-1')).status).toBe(404)
    expect((await admin.append('pi-1', token, [{ uuid: 'b' }])).status).toBe(404)
    expect((await admin.open('pi-1')).json.channel_status.last_committed_offset_token).toBe(null)
  })

  it('a dropped table takes its rows with it while some wait for their commit', async () => {
    const { admin, client, clock, run } = await account()
    const token = await client.opened('pi-1')
    await client.append('pi-1', token, [{ uuid: 'a' }])
    await run(`DROP TABLE ${TABLE}`)
    await clock.advance(5000)
    expect((await admin.sql(`SELECT * FROM ${TABLE}`)).json.code).toBe('002003')
    expect((await client.append('pi-1', token, [{ uuid: 'a' }])).status).toBe(404)
  })
})

describe('further databases', () => {
  const SETUP = `CREATE DATABASE DEMO; CREATE SCHEMA DEMO.DEMO; CREATE TABLE DEMO.DEMO.A (x NUMBER);
    CREATE DATABASE ACTIVITY_DB; CREATE SCHEMA ACTIVITY_DB.RAW_DATA; CREATE SCHEMA ACTIVITY_DB.PROCESSED_DATA;
    CREATE TABLE ACTIVITY_DB.RAW_DATA.ACTIVITY_RECORDS (x NUMBER, record_content VARIANT);
    CREATE TABLE ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED (x NUMBER);
    CREATE VIEW ACTIVITY_DB.PROCESSED_DATA.BOTH AS SELECT r.x FROM ACTIVITY_DB.RAW_DATA.ACTIVITY_RECORDS r
      JOIN ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED p ON p.x = r.x JOIN DEMO.DEMO.A a ON a.x = r.x;`

  it('take rows, are asked under their names, and commit with their channels', async () => {
    const sql_dir = temporaryDirectory()
    writeFileSync(join(sql_dir, 'setup.sql'), SETUP)
    const { admin, clock, run } = await account({ sql_dir })
    for (const [database, schema, table] of [
      ['DEMO', 'DEMO', 'A'],
      ['ACTIVITY_DB', 'RAW_DATA', 'ACTIVITY_RECORDS'],
      ['ACTIVITY_DB', 'PROCESSED_DATA', 'USER_ACTIVITY_PROCESSED'],
    ]) {
      const pipe = `databases/${database}/schemas/${schema}/pipes/${table}-STREAMING`
      const token = (await admin.open('phone', {}, pipe)).json.next_continuation_token
      expect((await admin.append('phone', token, [{ x: 1 }], { pipe })).status).toBe(200)
    }
    await clock.advance(1000)
    await admin.status(['phone'], 'databases/DEMO/schemas/DEMO/pipes/A-STREAMING')
    expect(await run('SELECT x FROM ACTIVITY_DB.PROCESSED_DATA.BOTH')).toEqual([{ X: '1' }])
    const tables = await run('SHOW TABLES IN DATABASE ACTIVITY_DB')
    expect(tables.map(({ name, schema_name }) => [schema_name, name])).toEqual([
      ['PROCESSED_DATA', 'USER_ACTIVITY_PROCESSED'],
      ['RAW_DATA', 'ACTIVITY_RECORDS'],
    ])
    expect((await run('SHOW DATABASES')).map(({ name }) => name)).toEqual(['ACTIVITY_DB', 'DEMO'])
    await run('DROP DATABASE ACTIVITY_DB')
    expect((await run('SHOW DATABASES')).map(({ name }) => name)).toEqual(['DEMO'])
  })
})
