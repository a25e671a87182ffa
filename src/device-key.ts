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
