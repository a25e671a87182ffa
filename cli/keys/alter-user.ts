import type { KeyObject } from 'node:crypto'
import { userInJwt } from '../../bridge/snowpipe/account.ts'
import { quoted } from '../setup-sql/identifier.ts'

/** A user has two places for public keys, so that one can be replaced while the other is in use [documented]. */
export const SLOTS = ['RSA_PUBLIC_KEY', 'RSA_PUBLIC_KEY_2'] as const

export type Slot = (typeof SLOTS)[number]

export function setKey(user: string, slot: Slot, publicKey: KeyObject): string {
  return `ALTER USER ${userName(user)} SET ${slot}='${publicKeyBody(publicKey)}';`
}

export function unsetKey(user: string, slot: Slot): string {
  return `ALTER USER ${userName(user)} UNSET ${slot};`
}

export function describeUser(user: string): string {
  return `DESC USER ${userName(user)}`
}

/** The Base64 between BEGIN and END, in one line [documented]. */
function publicKeyBody(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
}

/** As it stands in the JWT; quoted where it has to be. Throws `E_CONFIG_INVALID`. */
export function userName(user: string): string {
  return quoted(userInJwt(user))
}
