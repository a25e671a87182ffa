import { SYSTEM_ROLES } from '../access/roles.ts'
import { type Account, policyOf, type Session } from '../access/session.ts'
import type { ObjectRecord } from '../catalog.ts'
import { typeName } from './type-name.ts'

export type Row = Readonly<Record<string, string | number | null>>

export const PIPE_COLUMNS = [
  'created_on',
  'name',
  'database_name',
  'schema_name',
  'definition',
  'owner',
  'notification_channel',
  'comment',
  'integration',
  'pattern',
  'error_integration',
  'owner_role_type',
  'invalid_reason',
  'kind',
]

/** What all objects of a schema have in common. */
function common({ comment, createdOn, key, name, owner }: ObjectRecord): Row {
  return {
    created_on: createdOn,
    name: name?.name ?? key,
    database_name: name?.database ?? null,
    schema_name: name?.schema ?? null,
    owner,
    comment,
    owner_role_type: 'ROLE',
  }
}

export function pipeRow(record: ObjectRecord, { catalog }: Account): Row {
  const pipe = record.name && catalog.pipe(record.name)
  const isBroken = pipe === undefined || catalog.table(pipe.table) === undefined
  return {
    ...common(record),
    definition: record.text,
    invalid_reason: isBroken ? 'the table of the pipe does not exist' : null,
    kind: pipe?.streaming ? 'STREAMING' : 'STAGE',
  }
}

/** One list of SHOW: its columns in their order [documented; the less used ones left out], and a row for each object. */
export interface Listing {
  readonly columns: readonly string[]
  readonly rows: (account: Account, session: Session) => readonly Row[]
}

function listing(
  kind: 'TABLE' | 'VIEW' | 'PIPE' | 'ALERT' | 'TASK',
  columns: readonly string[],
  more: (record: ObjectRecord, account: Account) => Row = () => ({}),
): Listing {
  return {
    columns,
    rows: (account, session) =>
      account.catalog
        .records(kind)
        .filter(({ key }) => session.sees(kind, key))
        .map((record) => ({ ...common(record), ...more(record, account) })),
  }
}

const HEAD = ['created_on', 'name', 'database_name', 'schema_name']

function jobRow(what: 'ALERT' | 'TASK') {
  return ({ name }: ObjectRecord, { catalog }: Account): Row => {
    const job = name && catalog.job(what, name)
    return {
      warehouse: job?.warehouse ?? null,
      schedule: job?.schedule ?? null,
      state: job?.on ? 'started' : 'suspended',
      condition: job?.condition ?? null,
      action: job?.action ?? null,
      definition: job?.action ?? null,
    }
  }
}

export const LISTINGS: Readonly<Record<string, Listing>> = {
  TABLES: listing('TABLE', [...HEAD, 'kind', 'comment', 'owner', 'error_logging'], ({ name }, { catalog }) => ({
    kind: 'TABLE',
    error_logging: name && catalog.table(name)?.errorLogging ? 'ON' : 'OFF',
  })),
  VIEWS: listing(
    'VIEW',
    ['created_on', 'name', 'reserved', 'database_name', 'schema_name', 'owner', 'comment', 'text'],
    ({ text }) => ({ text }),
  ),
  PIPES: listing('PIPE', PIPE_COLUMNS, pipeRow),
  ALERTS: listing(
    'ALERT',
    [...HEAD, 'owner', 'comment', 'warehouse', 'schedule', 'state', 'condition', 'action'],
    jobRow('ALERT'),
  ),
  TASKS: listing(
    'TASK',
    [...HEAD, 'owner', 'comment', 'warehouse', 'schedule', 'state', 'definition', 'condition'],
    jobRow('TASK'),
  ),
  COLUMNS: {
    columns: [
      'table_name',
      'schema_name',
      'column_name',
      'data_type',
      'null?',
      'default',
      'kind',
      'expression',
      'comment',
      'database_name',
      'autoincrement',
    ],
    rows: ({ catalog }, session) =>
      catalog.tables
        .filter(({ name }) => session.sees('TABLE', `${name.database}.${name.schema}.${name.name}`))
        .flatMap(({ columns, name }) =>
          columns.map((column) => ({
            name: column.name.toUpperCase(),
            table_name: name.name,
            schema_name: name.schema,
            column_name: column.name.toUpperCase(),
            data_type: JSON.stringify({ type: typeName(column.type).replace(/\(.*/, ''), nullable: !column.notNull }),
            'null?': column.notNull ? 'false' : 'true',
            default: column.defaultText ?? '',
            kind: 'COLUMN',
            database_name: name.database,
          })),
        ),
  },
  SCHEMAS: {
    columns: ['created_on', 'name', 'is_default', 'is_current', 'database_name', 'owner', 'comment'],
    rows: ({ catalog }, session) =>
      catalog
        .records('SCHEMA')
        .filter(({ key }) => session.sees('SCHEMA', key))
        .map((record) => ({ ...common(record), is_default: 'N', is_current: 'N' })),
  },
  DATABASES: {
    columns: ['created_on', 'name', 'is_default', 'is_current', 'origin', 'owner', 'comment'],
    rows: ({ catalog }, session) =>
      catalog
        .records('DATABASE')
        .filter(({ key }) => session.sees('DATABASE', key))
        .map((record) => ({ ...common(record), is_default: 'N', is_current: 'N', origin: '' })),
  },
  WAREHOUSES: {
    columns: ['name', 'state', 'owner', 'comment', 'created_on'],
    rows: ({ catalog }, session) =>
      catalog
        .records('WAREHOUSE')
        .filter(({ key }) => session.sees('WAREHOUSE', key))
        .map((record) => ({ ...common(record), state: 'SUSPENDED' })),
  },
  'NETWORK POLICIES': {
    columns: ['created_on', 'name', 'comment', 'entries_in_allowed_ip_list', 'entries_in_blocked_ip_list'],
    rows: ({ catalog, policies }, session) =>
      catalog
        .records('NETWORK POLICY')
        .filter(({ key }) => session.sees('NETWORK POLICY', key))
        .map((record) => ({
          ...common(record),
          entries_in_allowed_ip_list: String(policies.get(record.key)?.allowed.length ?? 0),
          entries_in_blocked_ip_list: String(policies.get(record.key)?.blocked.length ?? 0),
        })),
  },
  ROLES: {
    columns: [
      'created_on',
      'name',
      'is_default',
      'is_current',
      'is_inherited',
      'assigned_to_users',
      'granted_to_roles',
      'granted_roles',
      'owner',
      'comment',
    ],
    rows: ({ catalog, roles }, session) => {
      const names = [...SYSTEM_ROLES, ...catalog.records('ROLE').map(({ key }) => key)]
      const count = (name: string, kind: 'USER' | 'ROLE') =>
        String(roles.memberships.filter(({ role, to }) => role === name && to.kind === kind).length)
      return names.map((name) => ({
        created_on: catalog.record('ROLE', name)?.createdOn ?? 0,
        name,
        is_default: 'N',
        is_current: session.role === name ? 'Y' : 'N',
        is_inherited: session.role !== name && session.roles.has(name) ? 'Y' : 'N',
        assigned_to_users: count(name, 'USER'),
        granted_to_roles: count(name, 'ROLE'),
        granted_roles: String(roles.memberships.filter(({ to }) => to.kind === 'ROLE' && to.name === name).length),
        owner: catalog.record('ROLE', name)?.owner ?? '',
        comment: '',
      }))
    },
  },
  USERS: {
    columns: [
      'name',
      'created_on',
      'login_name',
      'display_name',
      'disabled',
      'default_role',
      'type',
      'has_rsa_public_key',
      'network_policy',
      'owner',
      'comment',
    ],
    rows: (account, session) =>
      account.catalog
        .records('USER')
        .filter(({ key }) => session.owns('USER', key) || session.user === key)
        .map((record) => {
          const user = account.users.get(record.key)
          const hasPolicy = user !== undefined && policyOf(account, user) !== undefined
          return {
            ...common(record),
            login_name: record.key,
            display_name: user?.properties.DISPLAY_NAME ?? record.key,
            disabled: user?.properties.DISABLED?.toLowerCase() ?? 'false',
            default_role: user?.properties.DEFAULT_ROLE ?? '',
            type: user?.properties.TYPE ?? '',
            has_rsa_public_key: String(user?.keys.some((key) => key !== undefined) ?? false),
            network_policy: hasPolicy ? (user.properties.NETWORK_POLICY ?? '') : '',
            comment: user?.properties.COMMENT ?? '',
          }
        }),
  },
}
