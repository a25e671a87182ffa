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

/** `plane`: rows have a path of their own [documented]. */
export function pipeAddress(plane: '' | '/data', { database, schema, pipe }: PipePath): string {
  const [db, sc, pi] = [database, schema, pipe].map((name) => encodeURIComponent(identifier(name)))
  return `/v2/streaming${plane}/databases/${db}/schemas/${sc}/pipes/${pi}`
}

export function channelAddress(plane: '' | '/data', { pipe, channel }: ChannelPath): string {
  return `${pipeAddress(plane, pipe)}/channels/${encodeURIComponent(channel)}`
}

/**
 * A configured name as Snowflake stores it: one that needs no quotes in SQL in capitals [documented], any other as it is
 * written, such as `SENSOR_DATA-STREAMING`, a default pipe. Who writes double quotes around it means exactly what is in them.
 */
export function storedName(configured: string): string {
  if (configured.length >= 2 && configured.startsWith('"') && configured.endsWith('"'))
    return configured.slice(1, -1).replaceAll('""', '"')
  return /^[A-Za-z_][A-Za-z0-9_$]*$/.test(configured) ? configured.toUpperCase() : configured
}

/** As it stands in paths, in quotes where it has to be. Official clients do so; names in another case were refused [observed]. */
export function identifier(configured: string): string {
  const name = storedName(configured)
  return /^[A-Z_][A-Z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
