import type { CatalogState } from '../catalog.ts'
import { literal, quoted } from '../names.ts'
import { OWN_SCHEMA, type Warehouse } from '../warehouse.ts'
import type { NetworkPolicy } from './network.ts'
import type { RolesState } from './roles.ts'
import type { Account } from './session.ts'
import type { UsersState } from './users.ts'

interface AccountState {
  readonly catalog: CatalogState
  readonly users: UsersState
  readonly roles: RolesState
  readonly policies: readonly (readonly [string, NetworkPolicy])[]
}

/** Keeps what SQL has made of the account in the DuckDB file, beside the rows. */
export class AccountStore {
  readonly #warehouse: Warehouse
  readonly #table: string

  constructor(warehouse: Warehouse) {
    this.#warehouse = warehouse
    this.#table = `${quoted(warehouse.database)}.${OWN_SCHEMA}.ACCOUNT`
  }

  async load({ catalog, policies, roles, users }: Account): Promise<void> {
    const [row] = await this.#warehouse.rows(`SELECT content FROM ${this.#table}`)
    if (row === undefined) return
    const state = JSON.parse(String(row.content)) as AccountState
    catalog.load(state.catalog)
    users.load(state.users)
    roles.load(state.roles)
    for (const [name, policy] of state.policies) policies.set(name, policy)
  }

  async save({ catalog, policies, roles, users }: Account): Promise<void> {
    const state: AccountState = {
      catalog: catalog.state,
      users: users.state,
      roles: roles.state,
      policies: [...policies],
    }
    await this.#warehouse.transaction(async () => {
      await this.#warehouse.run(`DELETE FROM ${this.#table}`)
      await this.#warehouse.run(`INSERT INTO ${this.#table} VALUES (${literal(JSON.stringify(state))})`)
    })
  }
}
