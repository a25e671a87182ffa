/**
 * Identifiers. Unquoted ones are case-insensitive and stored in upper case, quoted ones are exact
 * [documented: identifiers, and names in the paths of the streaming API].
 */
export interface ObjectName {
  readonly database: string
  readonly schema: string
  readonly name: string
}

/** An identifier as written in SQL or in a path segment (after percent decoding), in stored form. */
export function foldIdentifier(written: string): string {
  if (written.length >= 2 && written.startsWith('"') && written.endsWith('"'))
    return written.slice(1, -1).replaceAll('""', '"')
  return written.toUpperCase()
}

/** The text between double quotes, as it is, else as sent: channel names keep their case [observed]. */
export function channelNameOf(written: string): string {
  return written.startsWith('"') ? foldIdentifier(written) : written
}

/** Channel names in paths are compared without regard to case [documented: names in the path]. */
export function channelKey(name: string): string {
  return name.toUpperCase()
}

/** The implicit channel of every pipe; no Named Channel may be called so [documented]. */
export const ELASTIC = 'ELASTIC'

export function isElastic(channelName: string): boolean {
  return channelKey(channelName) === ELASTIC
}

export function qualified({ database, schema, name }: ObjectName): string {
  return `${database}.${schema}.${name}`
}

/**
 * The DuckDB schema that holds a schema of Snowflake's. All databases are in the one DuckDB file, because a transaction of
 * DuckDB writes to one file only and rows must commit together with their channels. Schemas of the file's own database have
 * their own names; those of others bear their database's name before a dot. Dots in names are escaped.
 */
export function duckDbSchema(home: string, database: string, schema: string): string {
  const [outer, inner] = [database, schema].map((part) => part.replaceAll('%', '%25').replaceAll('.', '%2E'))
  return database === home ? `${inner}` : `${outer}.${inner}`
}

/** An identifier for DuckDB. */
export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** A text literal for DuckDB, `NULL` for null. */
export function literal(text: string | null): string {
  return text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`
}
