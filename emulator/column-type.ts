/** A column's type, in Snowflake's terms, and how DuckDB stores it. */
export type ColumnType =
  | { readonly kind: 'text'; readonly length: number | undefined }
  /** Scale 0 and at most 18 digits, or NUMBER without a precision: a 64-bit integer. */
  | { readonly kind: 'integer' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'float' | 'boolean' | 'date' | 'time' | 'variant' | 'binary' }
  /** `zoned`: TIMESTAMP_LTZ and _TZ; else TIMESTAMP_NTZ. */
  | { readonly kind: 'timestamp'; readonly zoned: boolean }

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly notNull: boolean
  /** The expression of its DEFAULT, as written. */
  readonly defaultText: string | undefined
}

/** The kinds whose name alone tells the type [documented: summary of data types, synonyms included]. */
const BY_NAME: Readonly<Record<string, ColumnType['kind'] | 'number' | 'zoned'>> = {
  STRING: 'text',
  TEXT: 'text',
  VARCHAR: 'text',
  CHAR: 'text',
  CHARACTER: 'text',
  NVARCHAR: 'text',
  NCHAR: 'text',
  NUMBER: 'number',
  DECIMAL: 'number',
  DEC: 'number',
  NUMERIC: 'number',
  INT: 'number',
  INTEGER: 'number',
  BIGINT: 'number',
  SMALLINT: 'number',
  TINYINT: 'number',
  BYTEINT: 'number',
  FLOAT: 'float',
  FLOAT4: 'float',
  FLOAT8: 'float',
  DOUBLE: 'float',
  REAL: 'float',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIME: 'time',
  BINARY: 'binary',
  VARBINARY: 'binary',
  BLOB: 'binary',
  TIMESTAMP_NTZ: 'timestamp',
  TIMESTAMPNTZ: 'timestamp',
  DATETIME: 'timestamp',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_LTZ: 'zoned',
  TIMESTAMPLTZ: 'zoned',
  TIMESTAMP_TZ: 'zoned',
  TIMESTAMPTZ: 'zoned',
  'TIMESTAMP WITH TIME ZONE': 'zoned',
  VARIANT: 'variant',
  OBJECT: 'variant',
  ARRAY: 'variant',
  JSON: 'variant',
}

/** The type behind a name and its numbers in parentheses; `undefined` when the emulator has no such type. */
export function columnType(name: string, numbers: readonly number[] = []): ColumnType | undefined {
  const kind = BY_NAME[name.toUpperCase()]
  if (kind === undefined) return undefined
  if (kind === 'text') return { kind, length: numbers[0] }
  if (kind === 'zoned' || kind === 'timestamp') return { kind: 'timestamp', zoned: kind === 'zoned' }
  if (kind !== 'number') return { kind } as ColumnType
  const [precision = 18, scale = 0] = numbers
  return scale === 0 && precision <= 18 ? { kind: 'integer' } : { kind: 'decimal', precision, scale }
}

/** The DuckDB type that holds it. */
export function storedAs(type: ColumnType): string {
  switch (type.kind) {
    case 'text':
      return 'VARCHAR'
    case 'integer':
      return 'BIGINT'
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'float':
      return 'DOUBLE'
    case 'boolean':
      return 'BOOLEAN'
    case 'date':
      return 'DATE'
    case 'time':
      return 'TIME'
    case 'timestamp':
      return type.zoned ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP'
    case 'variant':
      return 'JSON'
    case 'binary':
      return 'BLOB'
  }
}

/** The type of a column that is in the DuckDB file but in no set-up file (an older or a user's own). */
export function typeStoredAs(stored: string): ColumnType | undefined {
  const [, name = '', numbers = ''] = /^([A-Z0-9 ]+?)(?:\(([\d,]+)\))?$/.exec(stored) ?? []
  return columnType(name, numbers === '' ? [] : numbers.split(',').map(Number))
}
