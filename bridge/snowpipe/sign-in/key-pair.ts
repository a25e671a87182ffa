import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock } from '../../../src/clock.ts'
import { hintOf, messageOf } from '../../../src/errors.ts'
import type { Log } from '../../../src/log.ts'
import type { SnowflakeSettings } from '../../config.ts'
import { accountHint, accountInJwt, userInJwt } from '../account.ts'
import type { Credential, Identity } from '../credentials.ts'
import { readPrivateKey } from './private-key.ts'
import { SecretFile } from './secret-file.ts'
import { ServerTime } from './server-time.ts'

/** An hour is the longest a JWT may live [documented]; less, so that a clock a little off does no harm. */
const JWT_LIFE_S = 50 * 60
/** Signed a little in the past, for servers whose clock is behind ours. */
const BACKDATE_S = 30
const RENEW_BEFORE_END_S = 5 * 60

interface SignedJwt {
  readonly credential: Credential
  /** By the server's clock. */
  readonly from: number
  readonly renewAt: number
}

/**
 * Signs in with a JWT of its own making. The key's file is looked at before each one, so that a key can be replaced while the
 * program runs. Throws `E_KEY_INVALID`.
 */
export function keyPairIdentity(settings: SnowflakeSettings, deps: { clock: Clock; log: Log }): Identity {
  return new KeyPairIdentity(settings, deps)
}

/** For an emulator, which takes any key until one is registered. */
export function throwAwayKey(): string {
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

class KeyPairIdentity implements Identity {
  readonly exchanged = true
  readonly expiresAt = null
  readonly #settings: SnowflakeSettings
  readonly #log: Log
  readonly #pem: SecretFile
  readonly #passphrase: SecretFile
  readonly #serverTime: ServerTime
  #key: ReturnType<typeof readPrivateKey>
  #jwt: SignedJwt | undefined

  constructor(settings: SnowflakeSettings, { clock, log }: { clock: Clock; log: Log }) {
    this.#settings = settings
    this.#log = log
    this.#pem = new SecretFile(settings.private_key, settings.private_key_file, log)
    this.#passphrase = new SecretFile(settings.private_key_passphrase, settings.private_key_passphrase_file, log)
    this.#serverTime = new ServerTime(clock, log)
    this.#key = readPrivateKey(this.#pem.text, this.#passphrase.text)
  }

  get hint(): string {
    const { user, account } = this.#settings
    return `compare ${this.#key.fingerprint} with DESC USER ${user}, and look whether the user is disabled; ${accountHint(account)}`
  }

  get clockSkewMs(): number {
    return this.#serverTime.skewMs
  }

  async credential(): Promise<Credential> {
    await this.#look()
    const now = this.#serverTime.now() / 1000
    if (this.#jwt !== undefined && this.#jwt.from <= now && now < this.#jwt.renewAt) return this.#jwt.credential
    this.#jwt = await this.#sign(now)
    return this.#jwt.credential
  }

  async refused(answer: Parameters<Identity['refused']>[0]): Promise<boolean> {
    this.#jwt = undefined
    const isOtherTime = this.#serverTime.refused(answer)
    return (await this.#look()) || isOtherTime
  }

  async #sign(now: number): Promise<SignedJwt> {
    const { account, user } = this.#settings
    const subject = `${accountInJwt(account)}.${userInJwt(user)}`
    const from = Math.floor(now) - BACKDATE_S
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(`${subject}.${this.#key.fingerprint}`)
      .setSubject(subject)
      .setIssuedAt(from)
      .setExpirationTime(from + JWT_LIFE_S)
      .sign(this.#key.key)
    return { credential: { token, kind: 'KEYPAIR_JWT' }, from, renewAt: from + JWT_LIFE_S - RENEW_BEFORE_END_S }
  }

  /** True when there is another key. One that cannot be used may be half of a change: the old one is used on. */
  async #look(): Promise<boolean> {
    const changed = [await this.#pem.look(), await this.#passphrase.look()]
    if (!changed.includes(true)) return false
    try {
      const next = readPrivateKey(this.#pem.text, this.#passphrase.text)
      if (next.fingerprint === this.#key.fingerprint) return false
      this.#key = next
    } catch (error) {
      this.#log.warn(
        { reason: messageOf(error), hint: hintOf(error) },
        'the private key was replaced by one that cannot be used; signing in with the old one',
      )
      return false
    }
    this.#jwt = undefined
    this.#log.info({ fingerprint: this.#key.fingerprint }, 'the private key was replaced; signing in with the new one')
    return true
  }
}
