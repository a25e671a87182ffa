import { readFile } from 'node:fs/promises'
import type { Clock } from '../src/clock.ts'
import { messageOf, SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import { Auth, newSecret } from './auth.ts'
import { Catalog } from './catalog.ts'
import { ChannelStore } from './channel-store.ts'
import { Channels } from './channels.ts'
import { Committer } from './committer.ts'
import type { EmulatorSettings } from './config.ts'
import { Faults, readFaultFile } from './faults.ts'
import { literal } from './names.ts'
import { answerCall } from './routes.ts'
import { RowWriter } from './row-writer.ts'
import { serve } from './server.ts'
import { applyScripts, databaseOf, readScripts } from './setup.ts'
import { SqlApi } from './sql-api.ts'
import { OWN_SCHEMA, Warehouse } from './warehouse.ts'

/** Snowpipe Streaming on this machine: account host, ingest host and SQL REST API in one, rows in DuckDB. */
export interface Emulator {
  readonly port: number
  readonly url: string
  /** From now on this user must sign with a registered key. PEM, or the Base64 alone. */
  registerUserKey(user: string, publicKeyPem: string): void
  /** One statement that reads, in this process; whole numbers come as `number` where they fit. */
  query(sql: string): Promise<Record<string, unknown>[]>
  stats(): EmulatorStats
  /** Commits what was accepted, then lets go of port and file. */
  close(): Promise<void>
}

/** Counters of all channels there are, and of this run. */
export interface EmulatorStats {
  readonly channels: number
  /** Accepted, not yet committed. */
  readonly rowsPending: number
  readonly rowsParsed: number
  readonly rowsInserted: number
  readonly rowsRejected: number
  readonly opens: number
  readonly appends: number
  /** Answered 200 with nothing stored: the continuation token had been used. */
  readonly ignoredAppends: number
}

export async function startEmulator(
  settings: EmulatorSettings,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<Emulator> {
  const { clock } = deps
  const log = deps.log.child({ component: 'emulator' })
  const scripts = await readScripts(settings.sql_dir)
  const warehouse = await Warehouse.open(settings.data, databaseOf(scripts))
  const undo: (() => Promise<void>)[] = [() => warehouse.close()]
  try {
    const catalog = new Catalog()
    await applyScripts(scripts, { warehouse, catalog, log })
    const store = new ChannelStore(warehouse)
    const writer = new RowWriter({ warehouse, catalog, clock })
    const committer = new Committer(settings.commit_delay, { warehouse, store, writer, clock, log })
    undo.push(() => committer.close())
    const channels = new Channels(
      {
        commitDelayMs: settings.commit_delay,
        channelLimit: settings.channel_limit,
        requestsPerSecond: settings.requests_per_second,
      },
      { catalog, committer, clock },
    )
    await channels.load(store)
    const secret = await tokenSecret(warehouse)
    const auth = new Auth({ secret, pat: settings.pat, tokenLifetimeMs: settings.token_lifetime }, { clock })
    for (const entry of settings.user_key) await registerKeyFile(entry, auth)
    const faults = new Faults((frozen) => committer.freeze(frozen))
    if (settings.faults !== '') await readFaultFile(settings.faults, faults)
    const sqlApi = new SqlApi({ warehouse, catalog, clock, schema: catalog.tables[0]?.name.schema ?? 'PUBLIC' })
    const stats = () => statsOf(channels)
    const parts = { auth, channels, faults, sqlApi, clock, answers: settings.answers, stats }
    const server = await serve(
      { host: settings.host, port: settings.port, tlsCert: settings.tls_cert, tlsKey: settings.tls_key },
      { answer: (call) => answerCall(call, parts), log },
    )
    undo.push(() => server.close())
    return {
      port: server.port,
      url: server.url,
      registerUserKey: (user, publicKeyPem) => auth.registerUserKey(user, publicKeyPem),
      query: async (sql) => (await sqlApi.read(sql)).getRowObjectsJS().map(withNumbers),
      stats,
      close: once(() => closeAll(undo)),
    }
  } catch (error) {
    await closeAll(undo).catch(() => undefined)
    throw error
  }
}

/** Last opened, first closed; all of it, even if something fails. */
async function closeAll(undo: (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = []
  for (const close of undo.reverse()) await close().catch((error) => errors.push(error))
  if (errors.length > 0) throw new AggregateError(errors, 'the emulator did not close cleanly')
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined
  return () => {
    closing ??= close()
    return closing
  }
}

/** What scoped tokens are signed with; kept, so that they outlive a restart as they do in the service. */
async function tokenSecret(warehouse: Warehouse): Promise<Uint8Array> {
  const table = `"${warehouse.database}".${OWN_SCHEMA}.SECRETS`
  const [kept] = await warehouse.rows(`SELECT value FROM ${table} WHERE name = 'scoped_token'`)
  const secret = typeof kept?.value === 'string' ? kept.value : newSecret()
  if (kept === undefined) await warehouse.run(`INSERT INTO ${table} VALUES ('scoped_token', ${literal(secret)})`)
  return new Uint8Array(Buffer.from(secret, 'base64'))
}

async function registerKeyFile(entry: string, auth: Auth): Promise<void> {
  const at = entry.indexOf('=')
  if (at < 1) throw new SnowhatError('E_CONFIG_INVALID', `a user key is written USER=FILE, not ${entry}`)
  const file = entry.slice(at + 1)
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new SnowhatError('E_FILE_UNREADABLE', `cannot read the public key ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  })
  auth.registerUserKey(entry.slice(0, at), text)
}

function statsOf(channels: Channels): EmulatorStats {
  const sum = { rowsPending: 0, rowsParsed: 0, rowsInserted: 0, rowsRejected: 0 }
  const { all, counters } = channels
  for (const { pending, record } of all) {
    for (const rowset of pending) sum.rowsPending += rowset.lines.length
    sum.rowsParsed += record.rowsParsed
    sum.rowsInserted += record.rowsInserted
    sum.rowsRejected += record.rowsErrorCount
  }
  return { channels: all.length, ...sum, ...counters }
}

function withNumbers(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' && BigInt(Number(value)) === value && Number.isSafeInteger(Number(value))
        ? Number(value)
        : value,
    ]),
  )
}
