import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, SnowhatError } from '../src/errors.ts'
import { type Account, isRole, OMNIPOTENT, Session } from './access/session.ts'
import type { Execution } from './execution/execution.ts'
import { statementsOf } from './statement-text.ts'
import type { Definition, NameContext } from './statements/definition.ts'
import { definitionOf } from './statements/read.ts'

/** A file of set-up statements. */
export interface Script {
  readonly file: string
  readonly text: string
}

/** What the emulator does not run at start. */
const NOT_AT_START = new Set(['alerts.sql', 'retention.sql', 'teardown.sql', 'token.sql', 'upgrade.sql'])

/** `setup.sql` first, then the others by name. */
export async function readScripts(directory: string): Promise<Script[]> {
  const from = directory === '' ? packageSqlDirectory() : directory
  try {
    const files = (await readdir(from)).filter((file) => file.endsWith('.sql') && !NOT_AT_START.has(file))
    files.sort((a, b) => Number(b === 'setup.sql') - Number(a === 'setup.sql') || (a < b ? -1 : 1))
    return await Promise.all(files.map(async (file) => ({ file, text: await readFile(join(from, file), 'utf8') })))
  } catch (error) {
    throw new SnowhatError('E_FILE_UNREADABLE', `cannot read the set-up SQL in ${from}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** `sql/` of the package, from the source as well as from `dist/`. */
function packageSqlDirectory(): string {
  const places = ['../sql', '../../sql'].map((place) => fileURLToPath(new URL(place, import.meta.url)))
  return places.find((place) => existsSync(join(place, 'setup.sql'))) ?? (places[0] as string)
}

/** The first database the scripts create; its name is what the DuckDB file is attached as. */
export function databaseOf(scripts: readonly Script[]): string {
  for (const { definition } of located(scripts)) if (definition.kind === 'database') return definition.database
  throw new SnowhatError('E_CONFIG_INVALID', 'the set-up SQL creates no database')
}

interface Located {
  readonly definition: Definition
  /** As it is where the statement stands. */
  readonly context: Readonly<NameContext>
  readonly place: string
}

function located(scripts: readonly Script[]): Located[] {
  return scripts.flatMap(({ file, text }) => {
    const context: NameContext = { database: '', schema: 'PUBLIC' }
    return statementsOf(text).map((statement) => {
      const place = `${file}, line ${statement.line}`
      try {
        return { definition: definitionOf(statement, context), context: { ...context }, place }
      } catch (error) {
        throw new SnowhatError('E_CONFIG_INVALID', `${place}: ${messageOf(error)}`, { cause: error })
      }
    })
  })
}

/**
 * Runs the scripts as a person would who may use every role: what exists stays, USE ROLE decides who owns what, and a role
 * that may not do what follows is refused.
 */
export async function applyScripts(
  scripts: readonly Script[],
  deps: { readonly account: Account; readonly execution: Execution },
): Promise<void> {
  for (const { context, definition, place } of located(scripts)) {
    const { database, role = OMNIPOTENT, schema } = context
    const session = new Session(deps.account, '', role, isRole(deps.account, role))
    try {
      await deps.execution.run(definition, { session, database, schema, atStart: true })
    } catch (error) {
      throw new SnowhatError('E_CONFIG_INVALID', `${place}: ${messageOf(error)}`, { cause: error })
    }
  }
}
