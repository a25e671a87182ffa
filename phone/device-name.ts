import { createHash } from 'node:crypto'
import { isHostname } from '../src/hostname.ts'

/** Fits with a route's name before it wherever a device key must fit. */
const LONGEST = 54
const HASH = 8

/** Names in our own topics that are no phone's. */
const RESERVED: ReadonlySet<string> = new Set(['receiver'])

/**
 * The name of a phone in topics, channels and Home Assistant: its `deviceId` where that can be one. Where it had to be
 * changed, the beginning of its hash stands behind it, so that two phones never share a name.
 */
export function deviceName(deviceId: string): string {
  if (deviceId.length <= LONGEST && isHostname(deviceId) && !RESERVED.has(deviceId)) return deviceId
  const hash = createHash('sha256').update(deviceId).digest('hex').slice(0, HASH)
  const cleaned = deviceId
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, LONGEST - HASH - 1)
  return cleaned === '' ? `phone-${hash}` : `${cleaned}-${hash}`
}
