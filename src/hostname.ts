/**
 * The device key: one name for the topic level, the channel, the Home Assistant node and the MQTT user.
 */
const HOSTNAME = /^[a-z0-9][a-z0-9_-]{0,62}$/

/** `bridge` is a topic of our own; `elastic` is Snowflake's name for the channel without a name. */
const RESERVED: ReadonlySet<string> = new Set(['bridge', 'elastic'])

export function isHostname(text: string): boolean {
  return HOSTNAME.test(text) && !RESERVED.has(text)
}

/**
 * A host name made into a device key: lower case, what is not allowed becomes `-`. The name every new
 * Raspberry Pi OS bears gets the last four digits of the serial number, so that two fresh Pis differ.
 * Gives `undefined` when nothing usable remains or the name is reserved.
 */
export function toHostname(hostName: string, serial: string | null): string | undefined {
  const cleaned = hostName
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63)
  const name = cleaned === 'raspberrypi' && serial !== null ? `${cleaned}-${serial.slice(-4).toLowerCase()}` : cleaned
  return isHostname(name) ? name : undefined
}
