import { listOf } from '../access/network.ts'
import { SYSTEM_ROLES } from '../access/roles.ts'
import { defaultPipeOf } from '../catalog.ts'
import { completed, translated } from '../dialect.ts'
import { duckDbSchema, type ObjectName, qualified, quoted } from '../names.ts'
import { alreadyThere, noSuch, sqlRefusal, unsupported } from '../sql-refusal.ts'
import type { AccountKind, Creation, Definition, ObjectKind, SchemaKind } from '../statements/definition.ts'
import { propertyList, propertyText } from '../statements/properties.ts'
import { OWN_SCHEMA } from '../warehouse.ts'
import { Authority } from './authority.ts'
import { changeGrants, changeMembership, containersOf } from './grants.ts'
import type { Circumstances, Ground, Outcome } from './ground.ts'
import { changeRows, jobOf, runJob } from './jobs.ts'
import { changeTable, makeTable } from './tables.ts'
import { changeUser, makeUser } from './users.ts'

const DONE = 'Statement executed successfully.'

/** Carries out statements that are no queries, with the privileges of a session. */
export class Execution {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  async run(definition: Definition, around: Circumstances): Promise<Outcome> {
    const { account } = this.#ground
    const refusal = new Authority(around.session, (kind, key) => this.#exists(kind, key)).refusalOf(definition)
    if (refusal !== undefined) throw refusal
    switch (definition.kind) {
      case 'database':
        return this.#makeContainer(definition, around)
      case 'schema':
        return this.#makeContainer(definition, around)
      case 'table':
        return this.#makeTable(definition, around)
      case 'alter-table':
        return this.#alterTable(definition)
      case 'view':
        return this.#makeView(definition, around)
      case 'pipe':
        return this.#makePipe(definition, around)
      case 'job':
        return this.#makeJob(definition, around)
      case 'switch-job':
        return this.#switchJob(definition)
      case 'execute-job':
        return runJob(this.#ground, definition.what, definition.name, around)
      case 'drop':
        return this.#drop(definition)
      case 'drop-container':
        return this.#dropContainer(definition)
      case 'drop-account-object':
        return this.#dropAccountObject(definition.what, definition.name, definition.ifExists)
      case 'user':
        return this.#makeNamed('USER', definition.user, definition.creation, around, () =>
          makeUser(this.#ground, definition.user, definition.properties, around),
        )
      case 'alter-user':
        if (account.users.get(definition.user) === undefined && definition.ifExists) return DONE
        return changeUser(this.#ground, definition.user, definition.change, around)
      case 'role':
        return this.#makeNamed('ROLE', definition.role, definition.creation, around, () => undefined)
      case 'account-object':
        return this.#makeAccountObject(definition, around)
      case 'grant':
      case 'revoke':
        changeGrants(this.#ground, definition, around)
        return DONE
      case 'grant-role':
      case 'revoke-role':
        changeMembership(this.#ground, definition, around)
        return DONE
      case 'change-rows':
        return changeRows(this.#ground, definition, around)
      case 'use':
      case 'skipped':
        return DONE
    }
  }

  #exists(kind: ObjectKind, key: string): boolean {
    const { catalog, users } = this.#ground.account
    if (kind === 'USER') return users.get(key)?.created === true
    if (kind === 'ROLE' && (SYSTEM_ROLES as readonly string[]).includes(key)) return true
    return catalog.record(kind, key) !== undefined
  }

  /** What is to be done about an object of this name: make it, or leave the one there is. */
  #isDue(kind: ObjectKind, key: string, creation: Creation): boolean {
    if (!this.#exists(kind, key) || creation === 'replace') return true
    if (creation === 'new') throw alreadyThere(key)
    return false
  }

  /** Enters a new object: it belongs to the role that made it, and nobody has been given anything on it. */
  #enter(
    kind: ObjectKind,
    key: string,
    around: Circumstances,
    more: { name?: ObjectName; text?: string; comment?: string | undefined } = {},
  ): void {
    const { account, clock } = this.#ground
    const { name, text = '', comment = '' } = more
    const owner = around.session.role
    account.catalog.addRecord({ kind, key, name, owner, createdOn: clock.now(), comment, text })
    account.roles.objectMade(kind, key, name === undefined ? [] : containersOf(name))
  }

  async #makeContainer(
    definition: Extract<Definition, { kind: 'database' | 'schema' }>,
    around: Circumstances,
  ): Promise<string> {
    const { account, exclusively, warehouse } = this.#ground
    const { creation, database } = definition
    if (creation === 'replace') throw unsupported(`CREATE OR REPLACE ${definition.kind.toUpperCase()}`)
    const schema = definition.kind === 'schema' ? definition.schema : 'PUBLIC'
    if (schema === OWN_SCHEMA) throw unsupported(`the schema ${OWN_SCHEMA} is the emulator's own`)
    if (definition.kind === 'schema' && !account.catalog.databases.has(database)) throw noSuch('DATABASE', database)
    const kind = definition.kind === 'schema' ? 'SCHEMA' : 'DATABASE'
    const key = kind === 'SCHEMA' ? `${database}.${schema}` : database
    if (!this.#isDue(kind, key, creation)) return `${key} already exists, statement succeeded.`
    await exclusively(() => warehouse.run(`CREATE SCHEMA IF NOT EXISTS ${warehouse.schemaAt(database, schema)}`))
    account.catalog.addSchema(database, schema)
    if (kind === 'DATABASE') this.#enter('DATABASE', database, around)
    this.#enter('SCHEMA', `${database}.${schema}`, around, { name: { database, schema, name: schema } })
    return `${kind[0]}${kind.slice(1).toLowerCase()} ${key} successfully created.`
  }

  #requireSchema({ database, schema }: ObjectName): void {
    if (!this.#ground.account.catalog.schemas.has(`${database}.${schema}`))
      throw noSuch('SCHEMA', `${database}.${schema}`)
  }

  async #makeTable(definition: Extract<Definition, { kind: 'table' }>, around: Circumstances): Promise<string> {
    const { account, exclusively, warehouse } = this.#ground
    const { columns, creation, name, properties } = definition
    this.#requireSchema(name)
    const key = qualified(name)
    const isDue = this.#isDue('TABLE', key, creation)
    // A newer set-up file brings a table of an older one up to date.
    if (!isDue && !around.atStart) return `${key} already exists, statement succeeded.`
    if (creation === 'replace') await this.#dropTable(name)
    const logging = propertyText(properties, 'ERROR_LOGGING')
    const before = account.catalog.table(name)?.errorLogging ?? false
    await exclusively(() =>
      makeTable(
        { warehouse, catalog: account.catalog },
        name,
        columns,
        logging === undefined ? before : /^true$/i.test(logging),
      ),
    )
    if (isDue) this.#enter('TABLE', key, around, { name, comment: propertyText(properties, 'COMMENT') })
    return `Table ${name.name} successfully created.`
  }

  async #alterTable({ changes, ifExists, name }: Extract<Definition, { kind: 'alter-table' }>): Promise<string> {
    const { account, exclusively, warehouse } = this.#ground
    if (account.catalog.table(name) === undefined) {
      if (ifExists) return DONE
      throw noSuch('TABLE', qualified(name))
    }
    for (const change of changes)
      await exclusively(() => changeTable({ warehouse, catalog: account.catalog }, name, change))
    return DONE
  }

  /** Names in a view are stored without the database: the file has another name when it is opened by itself. */
  async #makeView(
    { creation, name, query, text }: Extract<Definition, { kind: 'view' }>,
    around: Circumstances,
  ): Promise<string> {
    const { account, exclusively, warehouse } = this.#ground
    this.#requireSchema(name)
    if (!this.#isDue('VIEW', qualified(name), creation))
      return `${qualified(name)} already exists, statement succeeded.`
    const rename = (parts: readonly string[]) => {
      const object = completed(parts, name.database, name.schema)
      if (parts.length !== 3 && !account.catalog.isReadable(object)) return undefined
      if (object.database === name.database && object.schema === name.schema) return quoted(object.name)
      const schema = duckDbSchema(warehouse.database, object.database, object.schema)
      // A schema of the file's own name cannot be named without the file.
      return schema === warehouse.database ? warehouse.at(object) : `${quoted(schema)}.${quoted(object.name)}`
    }
    await exclusively(async () => {
      await warehouse.run(`USE ${warehouse.schemaAt(name.database, name.schema)}`)
      try {
        await warehouse.run(`CREATE OR REPLACE VIEW ${warehouse.at(name)} AS ${translated(query, { rename })}`)
      } finally {
        await warehouse.run(`USE ${quoted(warehouse.database)}`)
      }
    })
    this.#enter('VIEW', qualified(name), around, { name, text })
    return `View ${name.name} successfully created.`
  }

  async #makePipe(definition: Extract<Definition, { kind: 'pipe' }>, around: Circumstances): Promise<string> {
    const { account, loseChannels } = this.#ground
    const { creation, name, streaming, table, text } = definition
    this.#requireSchema(name)
    if (account.catalog.table(table) === undefined) throw noSuch('TABLE', qualified(table))
    if (!this.#isDue('PIPE', qualified(name), creation))
      return `${qualified(name)} already exists, statement succeeded.`
    // A replaced pipe has lost its channels and their offset tokens [documented].
    await loseChannels([name])
    account.catalog.addPipe({ name, table, streaming })
    this.#enter('PIPE', qualified(name), around, { name, text })
    return `Pipe ${name.name} successfully created.`
  }

  #makeJob(definition: Extract<Definition, { kind: 'job' }>, around: Circumstances): string {
    const { creation, name, properties, what } = definition
    this.#requireSchema(name)
    if (!this.#isDue(what, qualified(name), creation)) return `${qualified(name)} already exists, statement succeeded.`
    this.#ground.account.catalog.addJob(jobOf(definition))
    this.#enter(what, qualified(name), around, { name, comment: propertyText(properties, 'COMMENT') })
    return `${what[0]}${what.slice(1).toLowerCase()} ${name.name} successfully created.`
  }

  #switchJob({ name, on, what }: Extract<Definition, { kind: 'switch-job' }>): string {
    const { catalog } = this.#ground.account
    const job = catalog.job(what, name)
    if (job === undefined) throw noSuch(what, qualified(name))
    catalog.addJob({ ...job, on })
    return DONE
  }

  async #drop({ ifExists, name, what }: Extract<Definition, { kind: 'drop' }>): Promise<string> {
    const dropped = `${name.name} successfully dropped.`
    if (!this.#exists(what, qualified(name))) {
      if (ifExists) return `Drop statement executed successfully (${name.name} already dropped).`
      throw noSuch(what, qualified(name))
    }
    await this.#remove(what, name)
    return dropped
  }

  async #remove(what: SchemaKind, name: ObjectName): Promise<void> {
    const { account, exclusively, loseChannels, warehouse } = this.#ground
    if (what === 'TABLE') await this.#dropTable(name)
    if (what === 'VIEW') await exclusively(() => warehouse.run(`DROP VIEW IF EXISTS ${warehouse.at(name)}`))
    if (what === 'PIPE') await loseChannels([name])
    account.catalog.remove(what, name)
    account.roles.objectGone(what, qualified(name))
  }

  /** Its rows, and the channels of every pipe into it; the pipes themselves stay, and lead nowhere until it is back. */
  async #dropTable(name: ObjectName): Promise<void> {
    const { account, exclusively, loseChannels, warehouse } = this.#ground
    await loseChannels([defaultPipeOf(name), ...account.catalog.pipesInto(name).map((pipe) => pipe.name)])
    await exclusively(() => warehouse.run(`DROP TABLE IF EXISTS ${warehouse.at(name)}`))
    account.catalog.remove('TABLE', name)
  }

  async #dropContainer({
    database,
    ifExists,
    schema,
    what,
  }: Extract<Definition, { kind: 'drop-container' }>): Promise<string> {
    const { account, exclusively, warehouse } = this.#ground
    const { catalog } = account
    const key = schema === undefined ? database : `${database}.${schema}`
    if (!this.#exists(what, key)) {
      if (ifExists) return `Drop statement executed successfully (${key} already dropped).`
      throw noSuch(what, key)
    }
    for (const { name } of catalog.records('SCHEMA')) {
      if (name === undefined || name.database !== database || (schema !== undefined && name.schema !== schema)) continue
      for (const kind of ['ALERT', 'TASK', 'VIEW', 'PIPE', 'TABLE'] as const)
        for (const record of catalog.records(kind))
          if (record.name?.database === database && record.name.schema === name.schema)
            await this.#remove(kind, record.name)
      await exclusively(() =>
        warehouse.run(`DROP SCHEMA IF EXISTS ${warehouse.schemaAt(database, name.schema)} CASCADE`),
      )
      catalog.removeSchema(database, name.schema)
    }
    if (schema === undefined) catalog.removeDatabase(database)
    return `${key} successfully dropped.`
  }

  #makeNamed(kind: 'USER' | 'ROLE', name: string, creation: Creation, around: Circumstances, make: () => void): string {
    if (!this.#isDue(kind, name, creation)) return `${name} already exists, statement succeeded.`
    if (this.#exists(kind, name)) this.#dropAccountObject(kind, name, true)
    make()
    this.#enter(kind, name, around)
    return `${kind[0]}${kind.slice(1).toLowerCase()} ${name} successfully created.`
  }

  #makeAccountObject(
    { creation, name, properties, what }: Extract<Definition, { kind: 'account-object' }>,
    around: Circumstances,
  ): string {
    const { policies } = this.#ground.account
    if (creation === 'alter') {
      if (!this.#exists(what, name)) throw noSuch(what, name)
    } else if (!this.#isDue(what, name, creation)) return `${name} already exists, statement succeeded.`
    if (what === 'NETWORK POLICY') {
      const before = policies.get(name) ?? { allowed: [], blocked: [] }
      const allowed = propertyList(properties, 'ALLOWED_IP_LIST') ?? before.allowed
      const blocked = propertyList(properties, 'BLOCKED_IP_LIST') ?? before.blocked
      for (const range of [...allowed, ...blocked]) listOf([range])
      policies.set(name, { allowed, blocked })
    }
    if (creation !== 'alter') this.#enter(what, name, around, { comment: propertyText(properties, 'COMMENT') })
    return DONE
  }

  #dropAccountObject(kind: AccountKind, name: string, ifExists: boolean): string {
    const { catalog, policies, roles, users } = this.#ground.account
    if (!this.#exists(kind, name)) {
      if (ifExists) return `Drop statement executed successfully (${name} already dropped).`
      throw noSuch(kind, name)
    }
    if (kind === 'ROLE' && (SYSTEM_ROLES as readonly string[]).includes(name)) throw unsupported(`DROP ROLE ${name}`)
    if (kind === 'NETWORK POLICY') {
      const holder = users.all.find(({ properties }) => properties.NETWORK_POLICY === name)
      if (holder !== undefined)
        throw sqlRefusal('003531', '23001', `Network policy ${name} is in use by user ${holder.name}; unset it first.`)
      policies.delete(name)
    }
    if (kind === 'USER') users.remove(name)
    if (kind === 'USER' || kind === 'ROLE') roles.forget(kind, name)
    catalog.removeRecord(kind, name)
    roles.objectGone(kind, name)
    return `${name} successfully dropped.`
  }
}
