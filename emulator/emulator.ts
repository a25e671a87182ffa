import { readFile } from 'node:fs/promises'
import type { Clock } from '../src/clock.ts'
import { messageOf, SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import { AccountStore } from './access/account-store.ts'
import { Roles } from './access/roles.ts'
import { type Account, policyOf } from './access/session.ts'
import { Users } from './access/users.ts'
import { defaultDialect } from './answer-dialect.ts'
import { Auth, newSecret } from './auth.ts'
import { Catalog } from './catalog.ts'
import { ChannelStore } from './channel-store.ts'
import { Channels } from './channels.ts'
import { Committer } from './committer.ts'
import type { EmulatorSettings } from './config.ts'
import { ElasticChannels } from './elastic.ts'
import { ElasticStore } from './elastic-store.ts'
import { Execution } from './execution/execution.ts'
import type { Ground } from './execution/ground.ts'
import { Disturber } from './faults/disturber.ts'
import { readDocument, readFaultFile } from './faults/document.ts'
import { Faults, type Undisturbed } from './faults/faults.ts'
import { IngestHost } from './ingest-host.ts'
import { literal, type ObjectName, quoted } from './names.ts'
import { answerCall, type Control } from './routes.ts'
import { RowWriter } from './row-writer.ts'
import { serve } from './server.ts'
import { applyScripts, databaseOf, readScripts } from './setup.ts'
import { skewedClock } from './skewed-clock.ts'
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

/** Counters of all channels there are, and of this run; rows of Elastic Channels are counted since its start. */
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
  readonly elasticAppends: number
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
    const account: Account = { catalog, users: new Users(), roles: new Roles(), policies: new Map() }
    const accounts = new AccountStore(warehouse)
    await accounts.load(account)
    const store = new ChannelStore(warehouse)
    const elasticStore = new ElasticStore(warehouse)
    const ground = { account, warehouse, clock }
    const loseAtStart = async (pipes: readonly ObjectName[]) => {
      await store.removeAllOf(pipes)
      await elasticStore.removeAllOf(pipes)
    }
    const execution = new Execution({ ...ground, loseChannels: loseAtStart, exclusively: now })
    await applyScripts(scripts, { account, execution })
    await accounts.save(account)
    log.debug({ scripts: scripts.map((script) => script.file) }, 'set-up SQL applied')
    const faults = new Faults(undisturbed(settings), { clock })
    const ownClock = skewedClock(clock, () => faults.clockSkewMs)
    const writer = new RowWriter({ warehouse, catalog, clock: ownClock })
    const isFrozen = (channel: string) => faults.isFrozen(channel)
    const committer = new Committer({ warehouse, store, elasticStore, writer, clock, log, isFrozen })
    undo.push(() => committer.close())
    const channels = new Channels({ catalog, committer, clock: ownClock, terms: faults })
    await channels.load(store)
    const elastic = new ElasticChannels({ store: elasticStore, committer, clock: ownClock, terms: faults })
    await elastic.load(catalog)
    const secret = await tokenSecret(warehouse)
    const auth = new Auth(
      { secret, pat: settings.pat, account: settings.account, tokenLifetimeMs: settings.token_lifetime },
      { clock: ownClock, users: account.users, policyOf: (user) => policyOf(account, user) },
    )
    for (const entry of settings.user_key) await registerKeyFile(entry, auth)
    const ingestHost = new IngestHost(() => faults.dialect.ingestHost)
    const disturber = new Disturber({ faults, channels, elastic, committer, auth, ingestHost, catalog, clock, log })
    undo.push(() => disturber.close())
    if (settings.faults !== '') await disturber.set(await readFaultFile(settings.faults, catalog), settings.host)
    const exclusively: Ground['exclusively'] = (work) => committer.between(work)
    const loseChannels: Ground['loseChannels'] = async (pipes) => {
      await elastic.loseAllOf(pipes)
      await channels.loseAllOf(pipes)
    }
    const sqlApi = new SqlApi({
      ...ground,
      execution: new Execution({ ...ground, exclusively, loseChannels }),
      home: { database: warehouse.database, schema: homeSchema(catalog, warehouse.database) },
      save: () => committer.between(() => accounts.save(account)),
    })
    const stats = () => statsOf(channels, elastic)
    const control: Control = {
      stats,
      faults: () => faults.view,
      setFaults: (json, host) => disturber.set(readDocument(json, catalog), host),
    }
    const parts = { account, auth, channels, clock: ownClock, control, disturber, elastic, faults, ingestHost, sqlApi }
    const server = await serve(
      { host: settings.host, port: settings.port, tlsCert: settings.tls_cert, tlsKey: settings.tls_key },
      { answer: (call) => answerCall(call, parts), clock: ownClock, log },
    )
    undo.push(async () => {
      // The server waits for requests under way: none may wait for a fault any more.
      await disturber.close()
      await server.close()
    })
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

/** Nobody else writes yet. */
function now<T>(work: () => Promise<T>): Promise<T> {
  return work()
}

/** The schema of the first table of the file's own database. */
function homeSchema({ tables }: Catalog, database: string): string {
  return tables.find(({ name }) => name.database === database)?.name.schema ?? 'PUBLIC'
}

function undisturbed(settings: EmulatorSettings): Undisturbed {
  return {
    dialect: defaultDialect(settings.answers),
    limits: {
      requestsPerSecond: settings.requests_per_second,
      bytesPerSecond: 0,
      channelsPerPipe: settings.channel_limit,
      namesPerStatus: 0,
    },
    commitDelayMs: settings.commit_delay,
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
  const table = `${quoted(warehouse.database)}.${OWN_SCHEMA}.SECRETS`
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

function statsOf(channels: Channels, elastic: ElasticChannels): EmulatorStats {
  const sum = { rowsPending: 0, rowsParsed: 0, rowsInserted: 0, rowsRejected: 0 }
  const { all, counters } = channels
  for (const { pending, record } of [...all, ...elastic.lanes]) {
    for (const rowset of pending) sum.rowsPending += rowset.lines.length
    sum.rowsParsed += record.rowsParsed
    sum.rowsInserted += record.rowsInserted
    sum.rowsRejected += record.rowsErrorCount
  }
  return { channels: all.length, ...sum, ...counters, ...elastic.counters }
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
