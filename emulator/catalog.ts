import type { Column } from './column-type.ts'
import { type ObjectName, qualified } from './names.ts'
import type { ObjectKind, SchemaKind } from './statements/definition.ts'

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

/** An alert or a task: kept and shown, and run when somebody says EXECUTE. */
export interface Job {
  readonly what: 'ALERT' | 'TASK'
  readonly name: ObjectName
  readonly schedule: string
  readonly warehouse: string
  readonly condition: string | undefined
  readonly action: string
  /** Resumed; they are made suspended [documented]. */
  readonly on: boolean
}

/** What SHOW tells of any object. */
export interface ObjectRecord {
  readonly kind: ObjectKind
  /** Its name with all its parts. */
  readonly key: string
  /** Where it is, for what lives in a schema. */
  readonly name: ObjectName | undefined
  /** The role that owns it. */
  readonly owner: string
  /** Epoch ms. */
  readonly createdOn: number
  readonly comment: string
  /** Of a view its statement, of a pipe its COPY INTO. */
  readonly text: string
}

/** What the catalog says, as it is kept over restarts. */
export interface CatalogState {
  readonly records: readonly ObjectRecord[]
  readonly tables: readonly Table[]
  readonly pipes: readonly Pipe[]
  readonly jobs: readonly Job[]
}

/** Every table has an implicit pipe of this name [documented]. */
export const DEFAULT_PIPE_SUFFIX = '-STREAMING'

/** The databases, schemas and what is in them. */
export class Catalog {
  readonly schemas = new Set<string>()
  readonly databases = new Set<string>()
  readonly #tables = new Map<string, Table>()
  readonly #pipes = new Map<string, Pipe>()
  readonly #jobs = new Map<string, Job>()
  readonly #records = new Map<string, ObjectRecord>()

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

  addJob(job: Job): void {
    this.#jobs.set(`${job.what} ${qualified(job.name)}`, job)
  }

  addRecord(record: ObjectRecord): void {
    this.#records.set(`${record.kind} ${record.key}`, record)
  }

  record(kind: ObjectKind, key: string): ObjectRecord | undefined {
    return this.#records.get(`${kind} ${key}`)
  }

  records(kind: ObjectKind): ObjectRecord[] {
    return [...this.#records.values()]
      .filter((record) => record.kind === kind)
      .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
  }

  removeRecord(kind: ObjectKind, key: string): void {
    this.#records.delete(`${kind} ${key}`)
  }

  /** Takes an object of a schema out, and what SHOW tells of it. */
  remove(kind: SchemaKind, name: ObjectName): void {
    const key = qualified(name)
    if (kind === 'TABLE') this.#tables.delete(key)
    if (kind === 'PIPE') this.#pipes.delete(key)
    if (kind === 'ALERT' || kind === 'TASK') this.#jobs.delete(`${kind} ${key}`)
    this.removeRecord(kind, key)
  }

  removeSchema(database: string, schema: string): void {
    this.schemas.delete(`${database}.${schema}`)
    this.removeRecord('SCHEMA', `${database}.${schema}`)
  }

  removeDatabase(database: string): void {
    this.databases.delete(database)
    this.removeRecord('DATABASE', database)
  }

  table(name: ObjectName): Table | undefined {
    return this.#tables.get(qualified(name))
  }

  /** Whether there is a table or a view of that name: `a.hostname` may be a column, also where there is a schema A. */
  isReadable(name: ObjectName): boolean {
    return this.table(name) !== undefined || this.record('VIEW', qualified(name)) !== undefined
  }

  get tables(): Table[] {
    return [...this.#tables.values()]
  }

  get pipes(): Pipe[] {
    return [...this.#pipes.values()]
  }

  job(what: Job['what'], name: ObjectName): Job | undefined {
    return this.#jobs.get(`${what} ${qualified(name)}`)
  }

  /** The pipe of this name, the default pipe of a table included: it is there as soon as somebody asks for it [assumed]. */
  pipe(name: ObjectName): Pipe | undefined {
    const known = this.#pipes.get(qualified(name))
    if (known || !name.name.endsWith(DEFAULT_PIPE_SUFFIX)) return known
    const table = defaultPipeTable(name)
    return this.table(table) && { name, table, streaming: true }
  }

  /** Nobody made it with CREATE PIPE: it is a table's own. */
  isDefaultPipe(name: ObjectName): boolean {
    return !this.#pipes.has(qualified(name)) && name.name.endsWith(DEFAULT_PIPE_SUFFIX)
  }

  pipesInto(table: ObjectName): Pipe[] {
    const wanted = qualified(table)
    return [...this.#pipes.values()].filter((pipe) => qualified(pipe.table) === wanted)
  }

  get state(): CatalogState {
    return {
      records: [...this.#records.values()],
      tables: this.tables,
      pipes: this.pipes,
      jobs: [...this.#jobs.values()],
    }
  }

  load({ records, tables, pipes, jobs }: CatalogState): void {
    for (const record of records) {
      this.addRecord(record)
      if (record.kind === 'DATABASE') this.databases.add(record.key)
      if (record.kind === 'SCHEMA' && record.name) this.addSchema(record.name.database, record.name.schema)
    }
    for (const table of tables) this.addTable(table)
    for (const pipe of pipes) this.addPipe(pipe)
    for (const job of jobs) this.addJob(job)
  }
}

/** The pipe that a table has by itself. */
export function defaultPipeOf(table: ObjectName): ObjectName {
  return { ...table, name: `${table.name}${DEFAULT_PIPE_SUFFIX}` }
}

function defaultPipeTable(pipe: ObjectName): ObjectName {
  return { ...pipe, name: pipe.name.slice(0, -DEFAULT_PIPE_SUFFIX.length) }
}
