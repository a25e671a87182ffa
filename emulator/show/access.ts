import type { Grant } from '../access/roles.ts'
import { type Account, policyOf, type Session } from '../access/session.ts'
import { insufficient, noSuch, unsupported } from '../sql-refusal.ts'
import type { TokenReader } from '../statement-text.ts'
import { takeKind, takeObjectKey } from '../statements/access.ts'
import type { NameContext, ObjectKind } from '../statements/definition.ts'
import { takeIdentifier } from '../statements/names.ts'
import { type Shown, shown } from './table-of.ts'

const GRANTS = [
  'created_on',
  'privilege',
  'granted_on',
  'name',
  'granted_to',
  'grantee_name',
  'grant_option',
  'granted_by',
]

/** Privileges of the kind `OWNERSHIP` come from the catalog: an owner needs no grant. */
function allGrants({ catalog, roles }: Account): Grant[] {
  const kinds: readonly ObjectKind[] = [
    'DATABASE',
    'SCHEMA',
    'TABLE',
    'VIEW',
    'PIPE',
    'ALERT',
    'TASK',
    'WAREHOUSE',
    'NETWORK POLICY',
    'USER',
    'ROLE',
  ]
  const owned = kinds.flatMap((kind) =>
    catalog.records(kind).map(({ createdOn, key, owner }) => ({
      privilege: 'OWNERSHIP',
      kind,
      key,
      role: owner,
      grantOption: true,
      grantedBy: owner,
      createdOn,
    })),
  )
  return [...owned, ...roles.grants]
}

function grantRow(grant: Grant) {
  return {
    created_on: grant.createdOn,
    privilege: grant.privilege,
    granted_on: grant.kind.replace(' ', '_'),
    name: grant.kind === 'ACCOUNT' ? 'EMULATOR' : grant.key,
    granted_to: 'ROLE',
    grantee_name: grant.role,
    grant_option: String(grant.grantOption),
    granted_by: grant.grantedBy,
  }
}

/** `SHOW GRANTS TO ROLE r | TO USER u | OF ROLE r | ON object | ON ACCOUNT`, behind these two words [documented]. */
export function showGrants(reader: TokenReader, account: Account, session: Session, context: NameContext): Shown {
  const { roles } = account
  if (reader.skip('TO', 'USER')) {
    const user = takeIdentifier(reader)
    if (account.users.get(user)?.created !== true) throw noSuch('USER', user)
    const rows = roles.memberships.filter(({ to }) => to.kind === 'USER' && to.name === user)
    return shown(
      ['created_on', 'role', 'granted_to', 'grantee_name', 'granted_by'],
      rows.map((each) => ({
        created_on: each.createdOn,
        role: each.role,
        granted_to: 'USER',
        grantee_name: user,
        granted_by: each.grantedBy,
      })),
    )
  }
  if (reader.skip('OF', 'ROLE')) {
    const role = takeIdentifier(reader)
    return shown(
      ['created_on', 'role', 'granted_to', 'grantee_name', 'granted_by'],
      roles.memberships
        .filter((each) => each.role === role)
        .map((each) => ({
          created_on: each.createdOn,
          role,
          granted_to: each.to.kind,
          grantee_name: each.to.name,
          granted_by: each.grantedBy,
        })),
    )
  }
  if (reader.skip('ON')) {
    const isAccount = reader.skip('ACCOUNT')
    const kind = isAccount ? 'ACCOUNT' : takeKind(reader, '')
    const key = kind === 'ACCOUNT' ? '' : takeObjectKey(reader, context, kind)
    if (kind !== 'ACCOUNT' && (account.catalog.record(kind, key) === undefined || !session.sees(kind, key)))
      throw noSuch(kind, key)
    return shown(
      GRANTS,
      allGrants(account)
        .filter((grant) => grant.kind === kind && grant.key === key)
        .map(grantRow),
    )
  }
  const role = reader.skip('TO', 'ROLE') ? takeIdentifier(reader) : session.role
  const memberships = roles.memberships
    .filter(({ to }) => to.kind === 'ROLE' && to.name === role)
    .map((each) => ({
      privilege: 'USAGE',
      kind: 'ROLE' as const,
      key: each.role,
      role,
      grantOption: false,
      grantedBy: each.grantedBy,
      createdOn: each.createdOn,
    }))
  return shown(GRANTS, [...allGrants(account), ...memberships].filter((grant) => grant.role === role).map(grantRow))
}

const TOKENS = ['name', 'user_name', 'role_restriction', 'expires_at', 'status', 'comment', 'created_on', 'created_by']

/** `SHOW USER PROGRAMMATIC ACCESS TOKENS [FOR USER u]`, behind these words [documented]. */
export function showTokens(reader: TokenReader, account: Account, session: Session, now: number): Shown {
  const name = reader.skip('FOR', 'USER') ? takeIdentifier(reader) : session.user
  const user = account.users.get(name)
  if (user?.created !== true) throw noSuch('USER', name)
  if (session.user !== name && !session.owns('USER', name)) throw insufficient('USER', name)
  return shown(
    TOKENS,
    user.tokens.map((token) => ({
      name: token.name,
      user_name: name,
      role_restriction: token.role ?? null,
      expires_at: token.expiresAt,
      status: token.disabled ? 'DISABLED' : token.expiresAt <= now ? 'EXPIRED' : 'ACTIVE',
      comment: token.comment,
      created_on: token.createdOn,
      created_by: name,
    })),
  )
}

/** `SHOW PARAMETERS … [IN | FOR] USER u`: of all parameters the emulator has NETWORK_POLICY alone. */
export function showParameters(reader: TokenReader, account: Account, session: Session): Shown {
  if (!reader.skip('IN')) reader.skip('FOR')
  if (!reader.done && !reader.skip('USER')) throw unsupported('SHOW PARAMETERS other than those of a user')
  const name = reader.done ? session.user : takeIdentifier(reader)
  const user = account.users.get(name)
  const isSet = user !== undefined && policyOf(account, user) !== undefined
  return shown(
    ['key', 'value', 'default', 'level', 'description', 'type'],
    [
      {
        name: 'NETWORK_POLICY',
        key: 'NETWORK_POLICY',
        value: isSet ? (user.properties.NETWORK_POLICY ?? '') : '',
        default: '',
        level: isSet ? 'USER' : '',
        description: 'Network policy assigned for the given target.',
        type: 'STRING',
      },
    ],
  )
}
