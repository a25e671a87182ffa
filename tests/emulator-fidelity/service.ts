import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SignJWT } from 'jose'
import { Agent, request } from 'undici'
import type { CleanUp } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { snowhat } from '../support/program.ts'

/*
 * Whoever speaks Snowpipe Streaming at an address, and plain HTTP to it. Nothing of the bridge or of the emulator is imported here:
 * this and the tests beside it are written from what is known of the service.
 */

/** Where it is and who calls. `docs/emulator.md` says how to set it for an account. */
export interface Place {
  readonly url: string
  /** PEM of an authority to trust instead of the usual ones. */
  readonly ca: string | undefined
  readonly account: string
  readonly user: string
  readonly key: KeyObject
  readonly role: string | undefined
  readonly warehouse: string | undefined
  readonly pipe: Name
  readonly table: Name
  readonly mayReplace: boolean
  readonly isEmulator: boolean
}

interface Name {
  readonly database: string
  readonly schema: string
  readonly name: string
}

export interface Reply {
  readonly status: number
  readonly type: string
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the service answered
  readonly json: any
}

interface Sent {
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

export type Row = Readonly<Record<string, unknown>>

/** The account of the environment, else an emulator of its own, as a user starts it. */
export async function startService(cleanUp: CleanUp): Promise<Service> {
  const account = accountOfEnvironment()
  if (account !== undefined) return new Service(account)
  const program = snowhat(['emulator', '--port', '0', '--data', 'data', '--commit-delay', '500ms'], { cleanUp })
  const [url = ''] = /http:\/\/[\d.:]+/.exec(await program.line(/the emulator is running/)) ?? []
  return new Service(emulatorAt(url, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey))
}

/** An emulator with the project's own tables, and no registered keys. */
export function emulatorAt(url: string, key: KeyObject): Place {
  return {
    url,
    ca: undefined,
    account: 'EMU',
    user: 'SENSEHAT_STREAMING_USER',
    key,
    role: undefined,
    warehouse: undefined,
    pipe: { database: 'DEMO', schema: 'DEMO', name: 'SENSEHAT_STREAMING_PIPE' },
    table: { database: 'DEMO', schema: 'DEMO', name: 'SENSEHAT_SENSOR_DATA' },
    mayReplace: true,
    isEmulator: true,
  }
}

/** Whether the tests are for an account and not for the emulator. */
export const OF_AN_ACCOUNT = (process.env.SNOWHAT_FIDELITY_URL ?? '') !== ''
export const MAY_REPLACE = !OF_AN_ACCOUNT || process.env.SNOWHAT_FIDELITY_MAY_REPLACE === '1'

function accountOfEnvironment(): Place | undefined {
  const { env } = process
  const wanted = (name: string): string => {
    const value = env[`SNOWHAT_FIDELITY_${name}`] ?? ''
    if (value === '') throw new Error(`SNOWHAT_FIDELITY_${name} is not set; docs/emulator.md says what it is`)
    return value
  }
  if (!OF_AN_ACCOUNT) return undefined
  return {
    url: wanted('URL'),
    ca: undefined,
    account: wanted('ACCOUNT').toUpperCase(),
    user: wanted('USER').toUpperCase(),
    key: createPrivateKey(readFileSync(wanted('KEY_FILE'))),
    role: env.SNOWHAT_FIDELITY_ROLE,
    warehouse: wanted('WAREHOUSE'),
    pipe: nameOf(wanted('PIPE')),
    table: nameOf(wanted('TABLE')),
    mayReplace: MAY_REPLACE,
    isEmulator: false,
  }
}

function nameOf(written: string): Name {
  const [database, schema, name] = written.split('.')
  if (database === undefined || schema === undefined || name === undefined)
    throw new Error(`${written} is not DATABASE.SCHEMA.NAME`)
  return { database, schema, name }
}

export class Service {
  readonly place: Place
  #ingestUrl: Promise<string> | undefined
  #token: Promise<string> | undefined
  readonly #agent: Agent

  constructor(place: Place) {
    this.place = place
    this.#agent = new Agent(place.ca === undefined ? {} : { connect: { ca: place.ca } })
  }

  /** On the account's own host, signed with the key. */
  async account(method: 'GET' | 'POST', path: string, sent: Sent = {}): Promise<Reply> {
    return this.#call(method, `${this.place.url}${path}`, {
      ...sent,
      headers: {
        authorization: `Bearer ${await this.#jwt()}`,
        'x-snowflake-authorization-token-type': 'KEYPAIR_JWT',
        accept: 'application/json',
        ...sent.headers,
      },
    })
  }

  async open(channel: string, body: object = {}): Promise<Reply> {
    return this.#ingest('PUT', `${this.#pipePath('')}/channels/${channel}`, JSON.stringify(body))
  }

  async append(channel: string, token: string, rows: readonly Row[] | Sent, end: string): Promise<Reply> {
    const query = { continuationToken: token, startOffsetToken: end, endOffsetToken: end, requestId: randomUUID() }
    return this.#rows(`${this.#pipePath('data/')}/channels/${channel}/rows?${new URLSearchParams(query)}`, rows)
  }

  async appendElastic(rows: readonly Row[], requestId: string, retryCount: number): Promise<Reply> {
    const query = new URLSearchParams({ requestId, retryCount: String(retryCount) })
    return this.#rows(`${this.#pipePath('data/')}/channels/ELASTIC/rows?${query}`, rows)
  }

  async status(...names: string[]): Promise<Reply> {
    return this.#ingest('POST', `${this.#pipePath('')}:bulk-channel-status`, JSON.stringify({ channel_names: names }))
  }

  async drop(channel: string): Promise<Reply> {
    return this.#ingest('DELETE', `${this.#pipePath('')}/channels/${channel}`)
  }

  /** What the status says of one channel once its committed offset token is this one. */
  async committed(channel: string, end: string): Promise<Row> {
    const look = async () => {
      const status = (await this.status(channel)).json.channel_statuses[channel]
      return status?.last_committed_offset_token === end && (status as Row)
    }
    return eventually(`${channel} has committed ${end}`, look, 90_000)
  }

  /** Rows whose uuid begins so; text. */
  async rowCount(prefix: string): Promise<number> {
    return Number(await this.value(`SELECT COUNT(*) FROM ${this.table} WHERE uuid LIKE '${prefix}%'`))
  }

  /** Resolves when so many can be queried. */
  async holdsRows(prefix: string, count: number): Promise<void> {
    await eventually(`${count} rows of ${prefix}`, async () => (await this.rowCount(prefix)) === count, 90_000)
  }

  /** The first value of the first row. */
  async value(statement: string): Promise<unknown> {
    const { role, warehouse } = this.place
    const body = JSON.stringify({ statement, timeout: 60, role, warehouse })
    const headers = { 'content-type': 'application/json' }
    const reply = await this.account('POST', '/api/v2/statements', { body, headers })
    if (reply.status !== 200) throw new Error(`${statement}: ${reply.status} ${reply.text}`)
    return reply.json.data[0][0]
  }

  get table(): string {
    const { database, schema, name } = this.place.table
    return `${database}.${schema}.${name}`
  }

  /**
   * Nothing commits until the function that this gives is called. An account takes some seconds to commit, which has to be enough
   * there.
   */
  async holdCommits(): Promise<() => Promise<void>> {
    await this.disturb([{ operation: 'commit', action: 'freeze' }])
    return () => this.disturb([])
  }

  /** Faults of the emulator, in the place of those before; an account has none. */
  async disturb(faults: readonly object[]): Promise<void> {
    if (!this.place.isEmulator) return
    const reply = await this.#call('POST', `${this.place.url}/emulator/faults`, { body: JSON.stringify(faults) })
    if (reply.status !== 200) throw new Error(reply.text)
  }

  /** CREATE OR REPLACE of the table, with what it held. */
  async replaceTable(): Promise<void> {
    if (!this.place.mayReplace) throw new Error('SNOWHAT_FIDELITY_MAY_REPLACE is not 1')
    if (this.place.isEmulator) await this.disturb([{ action: 'replace-table', table: this.place.table.name }])
    else await this.value(`CREATE OR REPLACE TABLE ${this.table} COPY GRANTS AS SELECT * FROM ${this.table}`)
  }

  /** The service's clock has changed, or its tokens have: signs in again with the next call. */
  signOut(): void {
    this.#token = undefined
  }

  async #ingest(method: 'PUT' | 'POST' | 'DELETE', path: string, body?: string): Promise<Reply> {
    return this.#signed(method, path, {
      ...(body === undefined ? {} : { body }),
      headers: { 'content-type': 'application/json' },
    })
  }

  async #rows(path: string, rows: readonly Row[] | Sent): Promise<Reply> {
    const sent = 'length' in rows ? { body: rows.map((row) => `${JSON.stringify(row)}\n`).join('') } : rows
    return this.#signed('POST', path, { ...sent, headers: { 'content-type': 'application/x-ndjson', ...sent.headers } })
  }

  async #signed(method: string, path: string, sent: Sent): Promise<Reply> {
    this.#ingestUrl ??= this.#discover()
    this.#token ??= this.#signIn()
    return this.#call(method, `${await this.#ingestUrl}${path}`, {
      ...sent,
      headers: { authorization: `Bearer ${await this.#token}`, accept: 'application/json', ...sent.headers },
    })
  }

  async #discover(): Promise<string> {
    const url = new URL(this.place.url)
    url.hostname = (await this.account('GET', '/v2/streaming/hostname')).text.trim().replaceAll('_', '-')
    return url.origin
  }

  async #signIn(): Promise<string> {
    this.#ingestUrl ??= this.#discover()
    return (await this.exchange(new URL(await this.#ingestUrl).hostname)).text.trim()
  }

  /** `POST /oauth/token`. */
  async exchange(host: string): Promise<Reply> {
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' }
    const scope = this.place.role === undefined ? host : `${host} session:role:${this.place.role}`
    return this.account('POST', '/oauth/token', {
      body: new URLSearchParams({ ...grant, scope }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  }

  #pipePath(data: '' | 'data/'): string {
    const { database, schema, name } = this.place.pipe
    return `/v2/streaming/${data}databases/${database}/schemas/${schema}/pipes/${encodeURIComponent(name)}`
  }

  /** By the service's clock, which may be another than ours. */
  async #jwt(): Promise<string> {
    const { account, user, key, url } = this.place
    const { headers, body } = await request(`${url}/v2/streaming/hostname`, {
      headers: { accept: '*/*' },
      dispatcher: this.#agent,
    })
    await body.dump()
    const now = Math.floor(Date.parse(String(headers.date)) / 1000)
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
    return new SignJWT()
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(`${account}.${user}.SHA256:${createHash('sha256').update(publicKey).digest('base64')}`)
      .setSubject(`${account}.${user}`)
      .setIssuedAt(now)
      .setExpirationTime(now + 3000)
      .sign(key)
  }

  async #call(method: string, url: string, { body, headers }: Sent): Promise<Reply> {
    const answer = await request(url, {
      method: method as 'GET',
      body: body ?? null,
      dispatcher: this.#agent,
      ...(headers ? { headers } : {}),
    })
    const text = await answer.body.text()
    const type = String(answer.headers['content-type'] ?? '')
    return { status: answer.statusCode, type, text, json: type.includes('json') ? JSON.parse(text) : undefined }
  }
}
