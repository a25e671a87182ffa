import type { ObjectKind } from '../statements/definition.ts'

/** What may be granted on what, as far as the emulator has use for it [documented: access control privileges]. */
const PRIVILEGES: Readonly<Record<ObjectKind | 'ACCOUNT', readonly string[]>> = {
  ACCOUNT: [
    'CREATE DATABASE',
    'CREATE NETWORK POLICY',
    'CREATE ROLE',
    'CREATE USER',
    'CREATE WAREHOUSE',
    'CREATE INTEGRATION',
    'EXECUTE ALERT',
    'EXECUTE MANAGED ALERT',
    'EXECUTE TASK',
    'EXECUTE MANAGED TASK',
    'MANAGE GRANTS',
    'MONITOR USAGE',
  ],
  DATABASE: ['CREATE SCHEMA', 'MODIFY', 'MONITOR', 'USAGE'],
  SCHEMA: ['CREATE ALERT', 'CREATE PIPE', 'CREATE TABLE', 'CREATE TASK', 'CREATE VIEW', 'MODIFY', 'MONITOR', 'USAGE'],
  TABLE: ['DELETE', 'EVOLVE SCHEMA', 'INSERT', 'REFERENCES', 'SELECT', 'SELECT ERROR TABLE', 'TRUNCATE', 'UPDATE'],
  VIEW: ['REFERENCES', 'SELECT'],
  PIPE: ['MONITOR', 'OPERATE'],
  ALERT: ['MONITOR', 'OPERATE'],
  TASK: ['MONITOR', 'OPERATE'],
  WAREHOUSE: ['MODIFY', 'MONITOR', 'OPERATE', 'USAGE'],
  'NETWORK POLICY': ['USAGE'],
  USER: ['MODIFY PROGRAMMATIC AUTHENTICATION METHODS', 'MONITOR'],
  ROLE: ['USAGE'],
}

/** The privileges a GRANT names on this kind, ALL spelled out. Throws a `SyntaxError` for one that the kind does not have. */
export function privilegesOn(kind: ObjectKind | 'ACCOUNT', named: readonly string[]): readonly string[] {
  const known = PRIVILEGES[kind]
  return named.flatMap((privilege) => {
    if (privilege === 'ALL') return known
    if (privilege === 'OWNERSHIP' || known.includes(privilege)) return [privilege]
    throw new SyntaxError(`${privilege} cannot be granted on ${kind}`)
  })
}
