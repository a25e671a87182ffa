import type { Column } from '../column-type.ts'
import type { ObjectName } from '../names.ts'
import type { Token } from '../statement-text.ts'

/** CREATE, CREATE OR REPLACE, CREATE IF NOT EXISTS. */
export type Creation = 'new' | 'replace' | 'if-absent'

/** `KEY = value` of a statement: keys in upper case, texts without their quotes, identifiers as written. */
export type Properties = ReadonlyMap<string, string | readonly string[]>

/** What can be owned, granted, shown and dropped. */
export type ObjectKind =
  | 'DATABASE'
  | 'SCHEMA'
  | 'TABLE'
  | 'VIEW'
  | 'PIPE'
  | 'ALERT'
  | 'TASK'
  | 'WAREHOUSE'
  | 'NETWORK POLICY'
  | 'USER'
  | 'ROLE'

/** Kinds that live in a schema. */
export const IN_SCHEMA = ['TABLE', 'VIEW', 'PIPE', 'ALERT', 'TASK'] as const
/** Kinds that live in the account itself. */
export const IN_ACCOUNT = ['WAREHOUSE', 'NETWORK POLICY', 'USER', 'ROLE'] as const

export type SchemaKind = (typeof IN_SCHEMA)[number]
export type AccountKind = (typeof IN_ACCOUNT)[number]

/** What a privilege is granted on: one object, the account, or all present or future objects of a kind in a container. */
export type GrantTarget =
  | { readonly scope: 'account' }
  | { readonly scope: 'object'; readonly kind: ObjectKind; readonly name: string }
  | {
      readonly scope: 'all' | 'future'
      readonly kind: ObjectKind
      readonly container: { readonly kind: 'DATABASE' | 'SCHEMA'; readonly name: string }
    }

/** What is to be done to a table. */
export type TableChange =
  | { readonly change: 'add'; readonly columns: readonly Column[]; readonly ifAbsent: boolean }
  | { readonly change: 'drop'; readonly columns: readonly string[] }
  | { readonly change: 'drop-default' | 'drop-not-null'; readonly column: string }
  | { readonly change: 'error-logging'; readonly on: boolean }
  /** Snowflake's own business: clustering, comments, tags. */
  | { readonly change: 'none' }

/** What is to be done to a user. */
export type UserChange =
  | { readonly change: 'set'; readonly properties: Properties }
  | { readonly change: 'unset'; readonly keys: readonly string[] }
  | { readonly change: 'add-token'; readonly token: string; readonly properties: Properties }
  | { readonly change: 'modify-token'; readonly token: string; readonly properties: Properties }
  | { readonly change: 'remove-token' | 'rotate-token'; readonly token: string }

/** What a statement that is no query asks for. */
export type Definition =
  | { readonly kind: 'database'; readonly database: string; readonly creation: Creation }
  | { readonly kind: 'schema'; readonly database: string; readonly schema: string; readonly creation: Creation }
  | {
      readonly kind: 'table'
      readonly name: ObjectName
      readonly creation: Creation
      readonly columns: readonly Column[]
      readonly properties: Properties
    }
  | {
      readonly kind: 'alter-table'
      readonly name: ObjectName
      readonly ifExists: boolean
      readonly changes: readonly TableChange[]
    }
  | {
      readonly kind: 'view'
      readonly name: ObjectName
      readonly creation: Creation
      readonly query: readonly Token[]
      readonly text: string
    }
  | {
      readonly kind: 'pipe'
      readonly name: ObjectName
      readonly creation: Creation
      readonly table: ObjectName
      readonly streaming: boolean
      /** COPY INTO …, as written. */
      readonly text: string
    }
  | {
      readonly kind: 'job'
      readonly what: 'ALERT' | 'TASK'
      readonly name: ObjectName
      readonly creation: Creation
      readonly properties: Properties
      /** Of an alert: the query behind IF (EXISTS (…)), as written. */
      readonly condition: string | undefined
      /** The statement it runs, as written. */
      readonly action: string
    }
  | { readonly kind: 'switch-job'; readonly what: 'ALERT' | 'TASK'; readonly name: ObjectName; readonly on: boolean }
  | { readonly kind: 'execute-job'; readonly what: 'ALERT' | 'TASK'; readonly name: ObjectName }
  | { readonly kind: 'drop'; readonly what: SchemaKind; readonly name: ObjectName; readonly ifExists: boolean }
  | {
      readonly kind: 'drop-container'
      readonly what: 'DATABASE' | 'SCHEMA'
      readonly database: string
      /** Undefined for the database as a whole. */
      readonly schema: string | undefined
      readonly ifExists: boolean
    }
  | {
      readonly kind: 'drop-account-object'
      readonly what: AccountKind
      readonly name: string
      readonly ifExists: boolean
    }
  | { readonly kind: 'user'; readonly user: string; readonly creation: Creation; readonly properties: Properties }
  | { readonly kind: 'alter-user'; readonly user: string; readonly ifExists: boolean; readonly change: UserChange }
  | { readonly kind: 'role'; readonly role: string; readonly creation: Creation; readonly properties: Properties }
  | {
      readonly kind: 'account-object'
      readonly what: 'WAREHOUSE' | 'NETWORK POLICY'
      readonly name: string
      /** `alter` changes what is there. */
      readonly creation: Creation | 'alter'
      readonly properties: Properties
    }
  | {
      readonly kind: 'grant' | 'revoke'
      readonly privileges: readonly string[]
      readonly target: GrantTarget
      readonly role: string
      readonly grantOption: boolean
    }
  | {
      readonly kind: 'grant-role' | 'revoke-role'
      readonly role: string
      readonly to: { readonly kind: 'USER' | 'ROLE'; readonly name: string }
    }
  /** INSERT, UPDATE, DELETE, TRUNCATE. */
  | {
      readonly kind: 'change-rows'
      readonly verb: 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'
      readonly name: ObjectName
      readonly tokens: readonly Token[]
    }
  /** USE: it has changed the context. */
  | { readonly kind: 'use' }
  /** Only Snowflake has it: queries in a script, properties, procedures. */
  | { readonly kind: 'skipped' }

/** The database, schema and role that statements without them mean; USE changes it. */
export interface NameContext {
  database: string
  schema: string
  role?: string
}
