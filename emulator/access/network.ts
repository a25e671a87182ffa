import { BlockList, isIP } from 'node:net'
import { Refusal } from '../answer.ts'
import { wrongValue } from '../sql-refusal.ts'

/** A network policy: addresses and ranges, IPv4 [documented: ALLOWED_IP_LIST, BLOCKED_IP_LIST]. */
export interface NetworkPolicy {
  readonly allowed: readonly string[]
  readonly blocked: readonly string[]
}

/** Whether the policy lets this address in. An empty list of allowed ones lets nobody in [documented]. */
export function isAllowed(policy: NetworkPolicy, address: string): boolean {
  const plain = address.replace(/^::ffff:/, '')
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
  return listOf(policy.allowed).check(plain, family) && !listOf(policy.blocked).check(plain, family)
}

export function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits = '32'] = range.split('/')
    if (isIP(address) !== 4 || !/^\d+$/.test(bits) || Number(bits) > 32)
      throw wrongValue(`invalid IP address or range: ${range}`)
    list.addSubnet(address, Number(bits), 'ipv4')
  }
  return list
}

/** Code of the drivers; its HTTP status is documented for the streaming API. */
export function notFromHere(address: string): Refusal {
  return new Refusal(403, '390422', `Incoming request with IP/Token ${address} is not allowed to access Snowflake.`)
}
