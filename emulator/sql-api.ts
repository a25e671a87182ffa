import { randomUUID } from 'node:crypto'
import type { DuckDBResultReader } from '@duckdb/node-api'
import type { Clock } from '../src/clock.ts'
import { messageOf } from '../src/errors.ts'
import { type Account, OMNIPOTENT, Session, sessionOf } from './access/session.ts'
import { type Answer, type Call, jsonBody, Refusal } from './answer.ts'
import type { Caller } from './auth.ts'
import { bound } from './bindings.ts'
import type { Execution } from './execution/execution.ts'
import { foldIdentifier, quoted } from './names.ts'
import { duckDbText } from './query-text.ts'
import { requireSelect } from './select-privileges.ts'
import { describe } from './show/describe.ts'
import { type ChannelRow, show } from './show/show.ts'
import { sqlRefusal, unreadable, unsupported } from './sql-refusal.ts'
import { resultOfOutcome, resultOfQuery, resultOfShow, type SqlResult } from './sql-result.ts'
import { isWord, type Statement, statementsOf, type Token, TokenReader } from './statement-text.ts'
import type { Definition, NameContext } from './statements/definition.ts'
import { definitionOf } from './statements/read.ts'
import { OWN_SCHEMA, type Warehouse } from './warehouse.ts'

export interface SqlApiDeps {
  readonly warehouse: Warehouse
  readonly account: Account
  readonly execution: Execution
  readonly clock: Clock
  /** Where a request that names no schema is. */
  readonly home: { readonly database: string; readonly schema: string }
  /** Keeps what a statement has changed. */
  readonly save: () => Promise<void>
}

/** Statements change one thing after the other; queries do not wait for them. */
interface Surroundings extends NameContext {
  readonly session: Session
}

/** One statement; the shape of answers and errors is the SQL REST API's [documented]. */
export class SqlApi {
  readonly #deps: SqlApiDeps
  #changes: Promise<unknown> = Promise.resolve()

  constructor(deps: SqlApiDeps) {
    this.#deps = deps
  }

  /** `POST /api/v2/statements`. */
  async statement(call: Call, caller: Caller): Promise<Answer> {
    const statementHandle = randomUUID()
    const body = jsonBody(call)
    if (typeof body.statement !== 'string') throw new Refusal(400, '391911', 'statement must be a string')
    let result: SqlResult
    try {
      result = await this.#run(body.statement, this.#surroundings(body, caller), body.bindings)
    } catch (error) {
      const refusal = asRefusal(error)
      throw new Refusal(422, refusal.code, refusal.message, { ...refusal.extra, statementHandle })
    }
    return {
      status: 200,
      body: {
        resultSetMetaData: {
          numRows: result.data.length,
          format: 'jsonv2',
          partitionInfo: [{ rowCount: result.data.length, uncompressedSize: 0 }],
          rowType: result.rowType,
        },
        data: result.data,
        code: '090001',
        statementStatusUrl: `/api/v2/statements/${statementHandle}`,
        requestId: call.query.get('requestId') ?? randomUUID(),
        sqlState: '00000',
        statementHandle,
        message: 'Statement executed successfully.',
        createdOn: this.#deps.clock.now(),
      },
    }
  }

  /** A query of this process: nobody is asked for privileges. */
  async read(text: string): Promise<DuckDBResultReader> {
    const { account, home } = this.#deps
    const session = new Session(account, '', OMNIPOTENT, true)
    return this.#query(single(text).tokens, { ...home, session })
  }

  #surroundings(body: Readonly<Record<string, unknown>>, caller: Caller): Surroundings {
    const { account, home } = this.#deps
    const named = (key: string) => {
      const value = body[key]
      return typeof value === 'string' && value !== '' ? foldIdentifier(value) : undefined
    }
    const session = sessionOf(caller, account, named('role') ?? caller.role)
    if (!session.mayUseRole)
      throw sqlRefusal('390189', '08001', `Role '${session.role}' specified does not exist or not authorized.`)
    return { database: named('database') ?? home.database, schema: named('schema') ?? home.schema, session }
  }

  async #run(text: string, around: Surroundings, bindings: unknown): Promise<SqlResult> {
    const { account, clock } = this.#deps
    const written = single(text)
    const tokens = bound(written.tokens, bindings)
    const [first] = tokens
    const reader = new TokenReader(tokens.slice(1))
    const { session, ...context } = around
    if (isWord(first, 'SHOW'))
      return resultOfShow(
        await show(reader, { account, session, context, now: clock.now(), channels: () => this.#channels() }),
      )
    if (isWord(first, 'DESCRIBE') || isWord(first, 'DESC'))
      return resultOfShow(await describe(reader, account, session, context, (name) => this.#columnsOf(name, around)))
    if (isWord(first, 'SELECT') || isWord(first, 'WITH') || isWord(first, '('))
      return resultOfQuery(await this.#query(tokens, around), text)
    return this.#change({ ...written, tokens }, around)
  }

  async #query(tokens: readonly Token[], around: Surroundings): Promise<DuckDBResultReader> {
    const { account, warehouse } = this.#deps
    const sql = duckDbText(tokens, { ...around, warehouse, account })
    if (!around.session.mayDoEverything) requireSelect(await warehouse.tablesIn(sql), around, account, warehouse)
    return warehouse.read(sql, around)
  }

  async #change(statement: Statement, { session, ...context }: Surroundings): Promise<SqlResult> {
    const { execution, save } = this.#deps
    const definition = definitionOf(statement, { ...context })
    if (definition.kind === 'use' || definition.kind === 'skipped') throw unsupported(headOf(statement, definition))
    const work = this.#changes.then(async () => {
      try {
        return await execution.run(definition, {
          session,
          database: context.database,
          schema: context.schema,
          atStart: false,
        })
      } finally {
        await save()
      }
    })
    this.#changes = work.catch(() => undefined)
    return resultOfOutcome(await work)
  }

  async #columnsOf(name: { database: string; schema: string; name: string }, around: Surroundings) {
    const { warehouse } = this.#deps
    const reader = await warehouse.read(`SELECT * FROM ${warehouse.at(name)} LIMIT 0`, around)
    const { rowType } = resultOfQuery(reader, '')
    return rowType.map((column) => ({ name: String(column.name), type: String(column.type).toUpperCase() }))
  }

  async #channels(): Promise<ChannelRow[]> {
    const { home, warehouse } = this.#deps
    const reader = await warehouse.read(
      `SELECT * FROM ${quoted(warehouse.database)}.${OWN_SCHEMA}.CHANNELS ORDER BY database_name, schema_name, pipe_name, channel_name`,
      home,
    )
    return reader.getRowObjectsJS().map((row) => ({
      createdOn: Number(row.created_on_ms),
      name: String(row.channel_name),
      database: String(row.database_name),
      schema: String(row.schema_name),
      pipe: String(row.pipe_name),
      clientSequencer: String(row.client_sequencer),
      rowSequencer: String(row.row_sequencer),
      offsetToken: row.offset_token === null ? null : String(row.offset_token),
    }))
  }
}

function single(text: string): Statement {
  const [statement, ...more] = statementsOf(text)
  if (statement === undefined) throw sqlRefusal('000900', '42601', 'Empty SQL statement.')
  if (more.length > 0)
    throw sqlRefusal('000008', '0A000', 'Actual statement count did not match the desired statement count 1.')
  return statement
}

/** A statement without a lasting effect over this API [documented for USE], or one that only Snowflake has. */
function headOf({ text }: Statement, { kind }: Definition): string {
  const head = text.split(/\s+/).slice(0, 3).join(' ')
  return kind === 'use' ? `${head}: a request has its own role, database and schema.` : `the emulator has no ${head}.`
}

/** Snowflake's codes by kind of DuckDB's error; the kinds without a counterpart share one [assumed]. */
function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const message = messageOf(error)
  if (error instanceof SyntaxError || /^Parser Error/.test(message)) return unreadable(message)
  const [code, sqlState] = /^Catalog Error/.test(message)
    ? ['002003', '42S02']
    : /^Binder Error/.test(message)
      ? ['000904', '42000']
      : ['000603', 'XX000']
  return sqlRefusal(code, sqlState, `SQL compilation error: ${message}`)
}
