import type { Session } from '../access/session.ts'
import type { Refusal } from '../answer.ts'
import { type ObjectName, qualified } from '../names.ts'
import { insufficient } from '../sql-refusal.ts'
import type { Creation, Definition, ObjectKind } from '../statements/definition.ts'

type Verdict = Refusal | undefined

const KEYS = ['RSA_PUBLIC_KEY', 'RSA_PUBLIC_KEY_2']

/** Whether the session's role may run a statement. What is not there is nobody's: that it is not there is found later. */
export class Authority {
  readonly #session: Session
  readonly #exists: (kind: ObjectKind, key: string) => boolean

  constructor(session: Session, exists: (kind: ObjectKind, key: string) => boolean) {
    this.#session = session
    this.#exists = exists
  }

  /** The refusal of a statement that may not be run [documented: access control privileges]. */
  refusalOf(definition: Definition): Verdict {
    switch (definition.kind) {
      case 'database':
        return this.#exists('DATABASE', definition.database) ? undefined : this.#onAccount('CREATE DATABASE')
      case 'schema':
        return this.#newSchema(definition)
      case 'table':
        return this.#newObject('TABLE', definition.name, definition.creation)
      case 'view':
        return this.#newObject('VIEW', definition.name, definition.creation)
      case 'pipe':
        return this.#newObject('PIPE', definition.name, definition.creation)
      case 'job':
        return (
          this.#newObject(definition.what, definition.name, definition.creation) ??
          this.#onAccount(`EXECUTE ${managed(definition)}${definition.what}`)
        )
      case 'alter-table':
        return this.#owned('TABLE', qualified(definition.name))
      case 'switch-job':
      case 'execute-job':
        return this.#holds(definition.what, qualified(definition.name), 'OPERATE')
      case 'drop':
        return this.#owned(definition.what, qualified(definition.name))
      case 'drop-container': {
        const { database, schema } = definition
        return schema === undefined ? this.#owned('DATABASE', database) : this.#owned('SCHEMA', `${database}.${schema}`)
      }
      case 'drop-account-object':
        return this.#owned(definition.what, definition.name)
      case 'user':
        return this.#exists('USER', definition.user)
          ? this.#replaced('USER', definition.user, definition.creation)
          : this.#onAccount('CREATE USER')
      case 'alter-user':
        return this.#userChange(definition)
      case 'role':
        return this.#exists('ROLE', definition.role)
          ? this.#replaced('ROLE', definition.role, definition.creation)
          : this.#onAccount('CREATE ROLE')
      case 'account-object':
        return this.#exists(definition.what, definition.name)
          ? this.#owned(definition.what, definition.name)
          : this.#onAccount(`CREATE ${definition.what}`)
      case 'grant':
      case 'revoke':
        return this.#grant(definition)
      case 'grant-role':
      case 'revoke-role':
        return this.#onAccount('MANAGE GRANTS') && this.#owned('ROLE', definition.role)
      case 'change-rows':
        return this.#holds('TABLE', qualified(definition.name), definition.verb)
      case 'use':
      case 'skipped':
        return undefined
    }
  }

  #owned(kind: ObjectKind, key: string): Verdict {
    return this.#exists(kind, key) && !this.#session.owns(kind, key) ? insufficient(kind, key) : undefined
  }

  #holds(kind: ObjectKind, key: string, privilege: string): Verdict {
    return this.#exists(kind, key) && !this.#session.has(kind, key, privilege) ? insufficient(kind, key) : undefined
  }

  #onAccount(privilege: string): Verdict {
    return this.#session.has('ACCOUNT', '', privilege) ? undefined : insufficient('ACCOUNT', '')
  }

  #replaced(kind: ObjectKind, key: string, creation: Creation): Verdict {
    return creation === 'replace' ? this.#owned(kind, key) : undefined
  }

  #newSchema({ database, schema }: Extract<Definition, { kind: 'schema' }>): Verdict {
    if (this.#exists('SCHEMA', `${database}.${schema}`)) return undefined
    return this.#holds('DATABASE', database, 'CREATE SCHEMA')
  }

  #newObject(kind: ObjectKind, name: ObjectName, creation: Creation): Verdict {
    const key = qualified(name)
    if (this.#exists(kind, key)) return this.#replaced(kind, key, creation)
    return this.#holds('SCHEMA', `${name.database}.${name.schema}`, `CREATE ${kind}`)
  }

  #grant({ target }: Extract<Definition, { kind: 'grant' | 'revoke' }>): Verdict {
    const general = this.#onAccount('MANAGE GRANTS')
    if (general === undefined || target.scope === 'account') return general
    if (target.scope === 'object') return this.#owned(target.kind, target.name)
    return this.#owned(target.container.kind, target.container.name)
  }

  /** Users may make and drop tokens of their own; keys are for the owner, or for whoever was given that right [documented]. */
  #userChange({ change, user }: Extract<Definition, { kind: 'alter-user' }>): Verdict {
    const isToken = change.change !== 'set' && change.change !== 'unset'
    if (isToken && this.#session.user === user) return undefined
    const names = change.change === 'set' ? [...change.properties.keys()] : change.change === 'unset' ? change.keys : []
    const isKeys = isToken || (names.length > 0 && names.every((name) => KEYS.includes(name)))
    if (isKeys && this.#session.has('USER', user, 'MODIFY PROGRAMMATIC AUTHENTICATION METHODS')) return undefined
    return this.#owned('USER', user)
  }
}

/** Without a warehouse Snowflake finds the computers itself, and that is a privilege of its own [documented]. */
function managed({ properties }: Extract<Definition, { kind: 'job' }>): string {
  return properties.has('WAREHOUSE') ? '' : 'MANAGED '
}
