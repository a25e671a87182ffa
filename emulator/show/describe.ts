import type { Account, Session } from '../access/session.ts'
import { KEY_SLOTS, type User } from '../access/users.ts'
import { qualified } from '../names.ts'
import { insufficient, noSuch } from '../sql-refusal.ts'
import type { TokenReader } from '../statement-text.ts'
import type { NameContext } from '../statements/definition.ts'
import { takeIdentifier, takeName } from '../statements/names.ts'
import { PIPE_COLUMNS, pipeRow } from './objects.ts'
import { type Shown, shown } from './table-of.ts'
import { typeName } from './type-name.ts'

const COLUMNS = [
  'name',
  'type',
  'kind',
  'null?',
  'default',
  'primary key',
  'unique key',
  'check',
  'expression',
  'comment',
  'policy name',
]

/** What a view or table DuckDB knows looks like. */
export type ColumnsOf = (name: {
  database: string
  schema: string
  name: string
}) => Promise<{ name: string; type: string }[]>

/** `DESC | DESCRIBE [TABLE | VIEW | PIPE | USER] name`, behind its first word. */
export async function describe(
  reader: TokenReader,
  account: Account,
  session: Session,
  context: NameContext,
  columnsOf: ColumnsOf,
): Promise<Shown> {
  if (reader.skip('USER')) return describeUser(takeIdentifier(reader), account, session)
  if (reader.skip('PIPE')) {
    const name = takeName(reader, context)
    const record = account.catalog.record('PIPE', qualified(name))
    if (record === undefined || !session.sees('PIPE', record.key)) throw noSuch('PIPE', qualified(name))
    return shown(PIPE_COLUMNS, [pipeRow(record, account)])
  }
  if (!reader.skip('TABLE')) reader.skip('VIEW')
  const name = takeName(reader, context)
  const key = qualified(name)
  const table = account.catalog.table(name)
  const kind = table === undefined ? 'VIEW' : 'TABLE'
  if (account.catalog.record(kind, key) === undefined || !session.sees(kind, key)) throw noSuch(kind, key)
  if (table === undefined)
    return shown(
      COLUMNS,
      (await columnsOf(name)).map((column) => ({ name: column.name, type: column.type, kind: 'COLUMN', 'null?': 'Y' })),
    )
  return shown(
    COLUMNS,
    table.columns.map((column) => ({
      name: column.name.toUpperCase(),
      type: typeName(column.type),
      kind: 'COLUMN',
      'null?': column.notNull ? 'N' : 'Y',
      default: column.defaultText ?? null,
      'primary key': 'N',
      'unique key': 'N',
    })),
  )
}

/** Property, value, default, description; what is not set is the text `null` [documented]. One may describe oneself. */
function describeUser(name: string, account: Account, session: Session): Shown {
  const user = account.users.get(name)
  if (user?.created !== true) throw noSuch('USER', name)
  if (session.user !== name && !session.owns('USER', name)) throw insufficient('USER', name)
  const rows = Object.entries(userProperties(user)).map(([property, value]) => ({
    property,
    value: value ?? 'null',
    default: 'null',
    description: '',
  }))
  return shown(['property', 'value', 'default', 'description'], rows)
}

function userProperties(user: User): Record<string, string | undefined> {
  const { properties } = user
  return {
    NAME: user.name,
    COMMENT: properties.COMMENT,
    DISPLAY_NAME: properties.DISPLAY_NAME ?? user.name,
    TYPE: properties.TYPE,
    LOGIN_NAME: properties.LOGIN_NAME ?? user.name,
    EMAIL: properties.EMAIL,
    DISABLED: properties.DISABLED?.toLowerCase() ?? 'false',
    DEFAULT_WAREHOUSE: properties.DEFAULT_WAREHOUSE,
    DEFAULT_NAMESPACE: properties.DEFAULT_NAMESPACE,
    DEFAULT_ROLE: properties.DEFAULT_ROLE,
    ...Object.fromEntries(
      KEY_SLOTS.flatMap((slot, i) => {
        const key = user.keys[i]
        return [
          [slot, key?.text],
          [`${slot}_FP`, key?.fingerprint],
          [`${slot}_LAST_SET_TIME`, key && new Date(key.setOn).toISOString().replace('T', ' ').replace('Z', '')],
        ]
      }),
    ),
  }
}
