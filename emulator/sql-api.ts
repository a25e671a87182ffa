import { randomUUID } from 'node:crypto'
import type { DuckDBResultReader, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type { Clock } from '../src/clock.ts'
import { messageOf } from '../src/errors.ts'
import { type Answer, type Call, jsonBody, Refusal } from './answer.ts'
import type { Catalog } from './catalog.ts'
import { completed, translated } from './dialect.ts'
import { foldIdentifier, literal, qualified, quoted } from './names.ts'
import { isWord, type Statement, statementsOf, type Token } from './statement-text.ts'
import { OWN_SCHEMA, type Warehouse } from './warehouse.ts'

/** One statement that reads; the shape of answers and errors is the SQL REST API's [documented]. */
export class SqlApi {
  readonly #warehouse: Warehouse
  readonly #catalog: Catalog
  readonly #clock: Clock
  readonly #schema: string

  constructor(deps: { warehouse: Warehouse; catalog: Catalog; clock: Clock; schema: string }) {
    this.#warehouse = deps.warehouse
    this.#catalog = deps.catalog
    this.#clock = deps.clock
    this.#schema = deps.schema
  }

  /** `POST /api/v2/statements`. */
  async statement(call: Call): Promise<Answer> {
    const statementHandle = randomUUID()
    const body = jsonBody(call)
    if (typeof body.statement !== 'string') throw new Refusal(400, '391911', 'statement must be a string')
    const schema = typeof body.schema === 'string' && body.schema !== '' ? foldIdentifier(body.schema) : this.#schema
    let reader: DuckDBResultReader
    try {
      reader = await this.read(body.statement, schema)
    } catch (error) {
      if (error instanceof Refusal)
        throw new Refusal(422, error.code, error.message, { ...error.extra, statementHandle })
      throw sqlRefusal(messageOf(error), statementHandle)
    }
    const rows = reader.getRows()
    return {
      status: 200,
      body: {
        resultSetMetaData: {
          numRows: rows.length,
          format: 'jsonv2',
          partitionInfo: [{ rowCount: rows.length, uncompressedSize: 0 }],
          rowType: rowTypes(reader, body.statement),
        },
        data: rows.map((row) => row.map(textOf)),
        code: '090001',
        statementStatusUrl: `/api/v2/statements/${statementHandle}`,
        requestId: call.query.get('requestId') ?? randomUUID(),
        sqlState: '00000',
        statementHandle,
        message: 'Statement executed successfully.',
        createdOn: this.#clock.now(),
      },
    }
  }

  async read(text: string, schema = this.#schema): Promise<DuckDBResultReader> {
    const [statement, ...more] = statementsOf(text)
    if (statement === undefined) throw new Refusal(422, '000900', 'Empty SQL statement.', { sqlState: '42601' })
    if (more.length > 0)
      throw new Refusal(422, '000008', 'Actual statement count did not match the desired statement count 1.', {
        sqlState: '0A000',
      })
    return this.#warehouse.read(this.#duckDbQuery(statement, schema), schema)
  }

  #duckDbQuery({ tokens }: Statement, schema: string): string {
    const [first, second] = tokens
    if (isWord(first, 'SHOW')) return this.#show(second)
    if (isWord(first, 'DESCRIBE') || isWord(first, 'DESC')) {
      const rest = tokens.slice(isWord(second, 'TABLE') || isWord(second, 'VIEW') ? 2 : 1)
      return `DESCRIBE ${this.#translated(rest, schema)}`
    }
    if (isWord(first, 'SELECT') || isWord(first, 'WITH') || isWord(first, '(')) return this.#translated(tokens, schema)
    throw new Refusal(
      422,
      '000002',
      `Unsupported feature: the emulator only reads (SELECT, WITH, SHOW, DESCRIBE), and the statement begins with ${first?.text}.`,
      { sqlState: '0A000' },
    )
  }

  #translated(tokens: readonly Token[], schema: string): string {
    const { database } = this.#warehouse
    return translated(tokens, {
      rename: (parts) => {
        const name = completed(parts, database, schema)
        const isObject = parts.length === 3 || this.#catalog.schemas.has(`${name.database}.${name.schema}`)
        return isObject ? [name.database, name.schema, name.name].map(quoted).join('.') : undefined
      },
      errorTable: (parts) =>
        `(SELECT * EXCLUDE (table_name) FROM ${quoted(database)}.${OWN_SCHEMA}.ERROR_ROWS
          WHERE table_name = ${literal(qualified(completed(parts, database, schema)))})`,
    })
  }

  /** SHOW CHANNELS with its documented columns; of other objects, their names. */
  #show(what: Token | undefined): string {
    const own = `${quoted(this.#warehouse.database)}.${OWN_SCHEMA}`
    const database = literal(this.#warehouse.database)
    switch (what?.text.toUpperCase()) {
      case 'CHANNELS':
        return `SELECT make_timestamp(created_on_ms * 1000) AS created_on, channel_name AS name, database_name, schema_name,
          client_sequencer, row_sequencer, offset_token, pipe_name AS parent_name, 'PIPE' AS parent_domain
          FROM ${own}.CHANNELS ORDER BY database_name, schema_name, pipe_name, channel_name`
      case 'TABLES':
        return `SELECT table_name AS name, database_name, schema_name FROM duckdb_tables()
          WHERE database_name = ${database} AND schema_name <> '${OWN_SCHEMA}' ORDER BY schema_name, name`
      case 'VIEWS':
        return `SELECT view_name AS name, database_name, schema_name FROM duckdb_views()
          WHERE database_name = ${database} AND NOT internal ORDER BY schema_name, name`
      default:
        throw new Refusal(422, '000002', `Unsupported feature: SHOW ${what?.text ?? ''}.`, { sqlState: '0A000' })
    }
  }
}

/** Snowflake's codes by kind of DuckDB's error; the kinds without a counterpart share one [assumed]. */
function sqlRefusal(message: string, statementHandle: string): Refusal {
  const [code, sqlState] = /^Parser Error/.test(message)
    ? ['001003', '42000']
    : /^Catalog Error/.test(message)
      ? ['002003', '42S02']
      : /^Binder Error/.test(message)
        ? ['000904', '42000']
        : ['000603', 'XX000']
  return new Refusal(422, code, `SQL compilation error: ${message}`, { sqlState, statementHandle })
}

/** Unquoted names come back in upper case [documented]. */
function rowTypes(reader: DuckDBResultReader, statement: string): Record<string, unknown>[] {
  const types = reader.columnTypes()
  return reader.columnNames().map((name, i) => ({
    name: statement.includes(`"${name}"`) ? name : name.toUpperCase(),
    database: '',
    schema: '',
    table: '',
    nullable: true,
    ...snowflakeType(types[i] as DuckDBType),
  }))
}

function snowflakeType(type: DuckDBType): Record<string, unknown> {
  const none = { scale: null, precision: null, length: null, byteLength: null, collation: null }
  const name = type.alias ?? String(type)
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(name) ?? []
  if (precision !== undefined) return { type: 'fixed', ...none, precision: Number(precision), scale: Number(scale) }
  if (/INT(EGER)?$/.test(name)) return { type: 'fixed', ...none, precision: 38, scale: 0 }
  if (name === 'DOUBLE' || name === 'FLOAT') return { type: 'real', ...none }
  if (name === 'BOOLEAN') return { type: 'boolean', ...none }
  if (name === 'DATE') return { type: 'date', ...none }
  if (name === 'TIME') return { type: 'time', ...none, precision: 0, scale: 9 }
  if (name === 'TIMESTAMP WITH TIME ZONE') return { type: 'timestamp_ltz', ...none, precision: 0, scale: 9 }
  if (name.startsWith('TIMESTAMP')) return { type: 'timestamp_ntz', ...none, precision: 0, scale: 9 }
  if (name === 'JSON') return { type: 'variant', ...none }
  return { type: 'text', ...none, length: 16_777_216, byteLength: 16_777_216 }
}

/** Everything is text: times in seconds since 1970 with nine decimals, dates in days [documented]. */
function textOf(value: DuckDBValue): string | null {
  if (value === null) return null
  if (typeof value === 'object' && 'micros' in value) return secondsText(value.micros)
  if (typeof value === 'object' && 'days' in value && !('months' in value)) return String(value.days)
  return String(value)
}

function secondsText(micros: bigint): string {
  const size = micros < 0n ? -micros : micros
  const fraction = String(size % 1_000_000n).padStart(6, '0')
  return `${micros < 0n ? '-' : ''}${size / 1_000_000n}.${fraction}000`
}
