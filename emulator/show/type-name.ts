import type { ColumnType } from '../column-type.ts'

/** A column's type as DESCRIBE writes it [documented]. */
export function typeName(type: ColumnType): string {
  switch (type.kind) {
    case 'text':
      return `VARCHAR(${type.length ?? 16_777_216})`
    case 'integer':
      return 'NUMBER(38,0)'
    case 'decimal':
      return `NUMBER(${type.precision},${type.scale})`
    case 'timestamp':
      return type.zoned ? 'TIMESTAMP_LTZ(9)' : 'TIMESTAMP_NTZ(9)'
    case 'time':
      return 'TIME(9)'
    case 'binary':
      return 'BINARY(8388608)'
    case 'float':
    case 'boolean':
    case 'date':
    case 'variant':
      return type.kind.toUpperCase()
  }
}
