import { createHash } from 'node:crypto'
import { isHostname } from './hostname.ts'

/**
 * The name of a device in everything the bridge keeps and says of it: its spool, its channel, its ledger. A device of the
 * first route, a Pi, goes by its hostname. One of another route goes by `<route>.<device>`: a dot can stand in no
 * hostname, so no two of them are ever taken for one another.
 */
export type DeviceKey = string

/** Names of routes end up in topics and channels, as hostnames do, and they are for people to read: short. */
const ROUTE_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/

export function isRouteName(text: string): boolean {
  return ROUTE_NAME.test(text)
}

export function deviceKey(route: string, device: string): DeviceKey {
  return `${route}.${device}`
}

/** The route of a key; `undefined` for a Pi's, which is its hostname. */
export function routeOfKey(key: DeviceKey): string | undefined {
  const dot = key.indexOf('.')
  return dot < 0 ? undefined : key.slice(0, dot)
}

export function isDeviceKey(text: string): boolean {
  const route = routeOfKey(text)
  return route === undefined ? isHostname(text) : isRouteName(route) && isHostname(text.slice(route.length + 1))
}

/** Characters of a hash that keep two names apart which look alike once they are made into names: one in 16 million. */
const HASH_LENGTH = 6
const LONGEST_NAME = 63

/**
 * Any text that others call a device by, made into a name that can stand in topics and channels. One that is such a name
 * already stays as it is; of any other what is allowed stays, and a hash of the text follows, so that no two share a name.
 */
export function deviceName(text: string): string {
  if (isHostname(text)) return text
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH)
  const readable = text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, LONGEST_NAME - HASH_LENGTH - 1)
  return readable === '' ? hash : `${readable}-${hash}`
}
