import type { Column } from './column-type.ts'
import { type ObjectName, qualified } from './names.ts'

export interface Table {
  readonly name: ObjectName
  /** In the order DuckDB stores them. */
  readonly columns: readonly Column[]
  /** `ERROR_LOGGING = TRUE`: rows that cannot be converted are kept. */
  readonly errorLogging: boolean
}

export interface Pipe {
  readonly name: ObjectName
  readonly table: ObjectName
  /** Reads from `DATA_SOURCE(TYPE => 'STREAMING')`. */
  readonly streaming: boolean
}

/** Every table has an implicit pipe of this name [documented]. */
export const DEFAULT_PIPE_SUFFIX = '-STREAMING'

/** The databases, schemas, tables and pipes there are. */
export class Catalog {
  readonly schemas = new Set<string>()
  readonly databases = new Set<string>()
  readonly #tables = new Map<string, Table>()
  readonly #pipes = new Map<string, Pipe>()

  addSchema(database: string, schema: string): void {
    this.databases.add(database)
    this.schemas.add(`${database}.${schema}`)
  }

  addTable(table: Table): void {
    this.#tables.set(qualified(table.name), table)
  }

  addPipe(pipe: Pipe): void {
    this.#pipes.set(qualified(pipe.name), pipe)
  }

  remove(name: ObjectName): void {
    this.#tables.delete(qualified(name))
    this.#pipes.delete(qualified(name))
  }

  table(name: ObjectName): Table | undefined {
    return this.#tables.get(qualified(name))
  }

  get tables(): Table[] {
    return [...this.#tables.values()]
  }

  /** The pipe of this name, the default pipe of a table included: it is there as soon as somebody asks for it [assumed]. */
  pipe(name: ObjectName): Pipe | undefined {
    const known = this.#pipes.get(qualified(name))
    if (known || !name.name.endsWith(DEFAULT_PIPE_SUFFIX)) return known
    const table = { ...name, name: name.name.slice(0, -DEFAULT_PIPE_SUFFIX.length) }
    return this.table(table) && { name, table, streaming: true }
  }

  pipesInto(table: ObjectName): Pipe[] {
    const wanted = qualified(table)
    return [...this.#pipes.values()].filter((pipe) => qualified(pipe.table) === wanted)
  }
}
