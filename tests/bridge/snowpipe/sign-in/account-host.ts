import { createHmac, verify } from 'node:crypto'
import { decodeJwt } from 'jose'
import { MockAgent } from 'undici'
import { onTestFinished } from 'vitest'
import { connectSnowpipe, type Snowpipe } from '../../../../bridge/snowpipe/client.ts'
import { createIdentity, type Identity } from '../../../../bridge/snowpipe/credentials.ts'
import { fingerprint } from '../../../../bridge/snowpipe/sign-in/private-key.ts'
import { createLog } from '../../../../src/log.ts'
import { snowflakeSettings } from '../../../support/bridge-settings.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

const HOST = 'https://acme-prod1.snowflakecomputing.com'
const INGEST = 'https://acme-prod1.ingest.example'

/** An account with a clock of its own that looks at signatures, times and tokens, by rules of the specification alone. */
export class AccountHost {
  readonly clock = new ManualClock()
  readonly logged: Record<string, unknown>[] = []
  /** Public keys by fingerprint: a user has two places. */
  readonly keys = new Map<string, Parameters<typeof verify>[2]>()
  /** Access tokens that are taken as they are. */
  readonly tokens = new Set<string>()
  /** How far the account's clock is ahead of the one of the machine that signs in. */
  aheadMs = 0
  tokenLifeS = 3_600
  /** A proxy may take it away. */
  saysDate = true
  readonly issued: string[] = []
  /** Every refusal. */
  refusals = 0
  readonly #agent = new MockAgent()

  constructor() {
    this.#agent.disableNetConnect()
    onTestFinished(() => this.#agent.close())
    for (const origin of [HOST, INGEST])
      for (const method of ['GET', 'PUT', 'POST'])
        this.#agent
          .get(origin)
          .intercept({ path: () => true, method })
          .reply((call) => {
            const bearer = (call.headers as Record<string, string>).authorization?.slice('Bearer '.length) ?? ''
            const { status, body } = this.#answer(call.path, bearer)
            const date = new Date(this.now).toUTCString()
            return { statusCode: status, data: body, responseOptions: { headers: this.saysDate ? { date } : {} } }
          })
          .persist()
  }

  get now(): number {
    return this.clock.now() + this.aheadMs
  }

  connect(over: Parameters<typeof snowflakeSettings>[0]): { snowpipe: Snowpipe; identity: Identity } {
    const settings = snowflakeSettings({ account: 'ACME-PROD1', ...over })
    const log = createLog('test', { level: 'debug', format: 'json' }, { write: (l) => this.logged.push(JSON.parse(l)) })
    const identity = createIdentity(settings, this.clock, log)
    return { snowpipe: connectSnowpipe(settings, { clock: this.clock, identity, dispatcher: this.#agent }), identity }
  }

  #answer(path: string, bearer: string): { status: number; body: string } {
    const isTaken =
      path.startsWith('/v2/streaming/databases') && this.tokens.size === 0
        ? this.#isScopedToken(bearer)
        : this.tokens.has(bearer) || this.#isSigned(bearer)
    if (!isTaken) {
      this.refusals++
      return { status: 401, body: JSON.stringify({ code: '390144', message: 'JWT token is invalid.' }) }
    }
    if (path.startsWith('/v2/streaming/hostname')) return { status: 200, body: new URL(INGEST).host }
    if (path.startsWith('/oauth/token')) return { status: 200, body: this.#issue() }
    return { status: 200, body: JSON.stringify({ next_continuation_token: '1_0', channel_status: {} }) }
  }

  #isSigned(jwt: string): boolean {
    const [head, claims, signature] = jwt.split('.')
    if (signature === undefined) return false
    const { iss = '', iat = 0, exp = 0 } = decodeJwt(jwt)
    const key = this.keys.get(iss.slice(iss.indexOf('SHA256:')))
    const now = this.now / 1000
    if (key === undefined || exp <= now || iat > now + 60 || exp - iat > 3_600) return false
    return verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))
  }

  #issue(): string {
    const exp = Math.floor(this.now / 1000) + this.tokenLifeS
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg: 'HS256' })}.${part({ exp, number: this.issued.length })}`
    const token = `${text}.${createHmac('sha256', 'account').update(text).digest('base64url')}`
    this.issued.push(token)
    return token
  }

  #isScopedToken(token: string): boolean {
    return this.issued.includes(token) && (decodeJwt(token).exp ?? 0) * 1000 > this.now
  }

  register(publicKey: Parameters<typeof fingerprint>[0]): void {
    this.keys.set(fingerprint(publicKey), publicKey)
  }
}
