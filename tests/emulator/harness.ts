import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { request } from 'undici'
import { onTestFinished } from 'vitest'
import { type EmulatorSettings, emulatorSection } from '../../emulator/config.ts'
import { type Emulator, startEmulator } from '../../emulator/emulator.ts'
import type { Clock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { ManualClock } from '../support/manual-clock.ts'

export const PIPE = 'databases/DEMO/schemas/DEMO/pipes/SENSEHAT_STREAMING_PIPE'
export const TABLE = 'DEMO.DEMO.SENSEHAT_SENSOR_DATA'

export interface Reply {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the service answered
  readonly json: any
}

export interface Call {
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** `''` for none. */
  readonly credential?: string
}

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })

export function newKeys(): { privateKey: KeyObject; pem: string } {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { privateKey: pair.privateKey, pem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'snowhat-emulator-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export function settingsFor(overrides: Partial<EmulatorSettings> = {}): EmulatorSettings {
  const defaults = Object.fromEntries(Object.entries(emulatorSection).map(([key, setting]) => [key, setting.default]))
  return { ...(defaults as unknown as EmulatorSettings), port: 0, ...overrides }
}

/** An emulator on a free port with a directory and a manual clock of its own, and a client that is signed in. */
export async function emulated(overrides: Partial<EmulatorSettings> = {}, clock: Clock = new ManualClock()) {
  const settings = settingsFor({ data: overrides.data ?? temporaryDirectory(), ...overrides })
  const emulator = await startEmulator(settings, { clock, log: silentLog() })
  onTestFinished(() => emulator.close())
  return { emulator, clock: clock as ManualClock, client: new Client(emulator, await keyPairJwt(clock)), settings }
}

export interface JwtOptions {
  readonly privateKey?: KeyObject
  readonly publicKey?: KeyObject
  readonly subject?: string
  readonly lifeSeconds?: number
  readonly fingerprint?: string
}

export function keyPairJwt(clock: Clock, options: JwtOptions = {}): Promise<string> {
  const subject = options.subject ?? 'ACME-PROD.SENSEHAT_STREAMING_USER'
  const publicKey = options.publicKey ?? keys.publicKey
  const hash = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }))
  const now = Math.floor(clock.now() / 1000)
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(`${subject}.SHA256:${options.fingerprint ?? hash.digest('base64')}`)
    .setSubject(subject)
    .setIssuedAt(now)
    .setExpirationTime(now + (options.lifeSeconds ?? 3000))
    .sign(options.privateKey ?? keys.privateKey)
}

/** Plain calls over HTTP, one method per operation, nothing clever. */
export class Client {
  readonly #emulator: Emulator
  readonly #credential: string

  constructor(emulator: Emulator, credential: string) {
    this.#emulator = emulator
    this.#credential = credential
  }

  async call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, call: Call = {}): Promise<Reply> {
    const credential = call.credential ?? this.#credential
    const answer = await request(`${this.#emulator.url}${path}`, {
      method,
      body: call.body ?? null,
      headers: {
        ...(credential === '' ? {} : { authorization: `Bearer ${credential}` }),
        accept: 'application/json',
        ...call.headers,
      },
    })
    const text = await answer.body.text()
    const json = String(answer.headers['content-type']).includes('json') ? JSON.parse(text) : undefined
    return { status: answer.statusCode, text, headers: answer.headers, json }
  }

  open(channel: string, body: object = {}, pipe = PIPE): Promise<Reply> {
    const path = `/v2/streaming/${pipe}/channels/${encodeURIComponent(channel)}`
    return this.call('PUT', path, { body: JSON.stringify(body) })
  }

  append(
    channel: string,
    token: string,
    body: string | Buffer | object[],
    options: AppendOptions = {},
  ): Promise<Reply> {
    const query = new URLSearchParams({ continuationToken: token, ...options.query })
    const path = `/v2/streaming/data/${options.pipe ?? PIPE}/channels/${encodeURIComponent(channel)}/rows?${query}`
    const bytes = Array.isArray(body) ? body.map((row) => `${JSON.stringify(row)}\n`).join('') : body
    const headers = { 'content-type': 'application/x-ndjson', ...options.headers }
    return this.call('POST', path, { body: bytes, headers })
  }

  status(names: readonly string[], pipe = PIPE): Promise<Reply> {
    return this.call('POST', `/v2/streaming/${pipe}:bulk-channel-status`, {
      body: JSON.stringify({ channel_names: names }),
    })
  }

  drop(channel: string, body: object = {}): Promise<Reply> {
    return this.call('DELETE', `/v2/streaming/${PIPE}/channels/${encodeURIComponent(channel)}`, {
      body: JSON.stringify(body),
    })
  }

  sql(statement: string): Promise<Reply> {
    return this.call('POST', '/api/v2/statements', { body: JSON.stringify({ statement }) })
  }

  faults(faults: readonly object[]): Promise<Reply> {
    return this.disturb({ faults })
  }

  /** A whole document. */
  disturb(document: unknown): Promise<Reply> {
    return this.call('POST', '/emulator/faults', { body: JSON.stringify(document) })
  }

  /** The `k` of a channel, and what else its status says. */
  async statusOf(channel: string): Promise<Record<string, unknown> | undefined> {
    return (await this.status([channel])).json.channel_statuses[channel]
  }

  /** Opens it; the token for the first append. */
  async opened(channel: string): Promise<string> {
    return (await this.open(channel)).json.next_continuation_token
  }
}

export interface AppendOptions {
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly pipe?: string
}

/** `endOffsetToken`. */
export function upTo(end: string, start = end): AppendOptions {
  return { query: { startOffsetToken: start, endOffsetToken: end } }
}

export async function rowCount(emulator: Emulator): Promise<unknown> {
  const [row] = await emulator.query(`SELECT COUNT(*) AS n FROM ${TABLE}`)
  return row?.n
}
