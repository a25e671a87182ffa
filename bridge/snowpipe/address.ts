/** A pipe by its whole name. */
export interface PipePath {
  readonly database: string
  readonly schema: string
  readonly pipe: string
}

/** Where a channel is. */
export interface ChannelPath {
  readonly pipe: PipePath
  readonly channel: string
}

/** What needs no quotes in SQL [documented]. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_$]*$/

/** `plane`: rows have a path of their own [documented]. */
export function pipeAddress(plane: '' | '/data', { database, schema, pipe }: PipePath): string {
  const [db, sc, pi] = [database, schema, pipe].map((name) => encodeURIComponent(identifier(name)))
  return `/v2/streaming${plane}/databases/${db}/schemas/${sc}/pipes/${pi}`
}

export function channelAddress(plane: '' | '/data', { pipe, channel }: ChannelPath): string {
  return `${pipeAddress(plane, pipe)}/channels/${encodeURIComponent(channel)}`
}

/**
 * An identifier as it is stored: plain ones in capitals, all others in double quotes, like the default pipe
 * `"SENSOR_DATA-STREAMING"`. Official clients do so, and names in another case were refused [observed]. Who writes the quotes
 * means the name exactly as it is.
 */
export function identifier(name: string): string {
  if (/^".+"$/.test(name)) return name
  return PLAIN.test(name) ? name.toUpperCase() : `"${name.replaceAll('"', '""')}"`
}
