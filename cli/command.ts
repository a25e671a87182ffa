import type { Clock } from '../src/clock.ts'
import type { SettingsOf } from '../src/config.ts'
import type { SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { Notify } from '../src/notify.ts'
import type { allSections } from './sections.ts'

export type AllSettings = SettingsOf<typeof allSections>
export type SectionName = keyof typeof allSections

/** A flag of one command that is no setting of its own. */
export interface Flag {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly doc: string
  /** What the value stands for in the usage text. */
  readonly value?: string
  /** Sets a setting: its path, and what the text means there. */
  readonly sets?: { readonly path: string; readonly value: (text: string) => unknown }
}

/** The part of `process.stdout` that is used. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface Invocation {
  readonly settings: AllSettings
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
  /** What is wrong with the configuration, for a command that runs with the rest of it; others do not begin. */
  readonly problems: readonly SnowhatError[]
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /** Aborted at the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal
  /** The service manager that started it, where there is one. */
  readonly notify: Notify
  /** Writes a line to stdout. */
  readonly print: (line: string) => void
  /** stdout itself, for lines that change. */
  readonly output: Output
}

/** One command of `snowhat`. */
export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** The section whose settings need no prefix on this command line (`--port` for `emulator.port`); all bear theirs without it. */
  readonly own?: SectionName
  /** Further sections it reads. */
  readonly uses: readonly SectionName[]
  readonly flags?: Readonly<Record<string, Flag>>
  /** Defaults that differ from the settings' own: `section.key` to value. */
  readonly defaults?: Readonly<Record<string, string | number>>
  /** Runs whatever is wrong with the configuration, and is told of it. */
  readonly forgiving?: boolean
  /** Words after the command; `undefined` when it takes none. */
  readonly positionals?: string
  readonly examples: readonly (readonly [command: string, what: string])[]
  /** Loads what the command is made of: the others need not wait for it. */
  load(): Promise<(invocation: Invocation) => Promise<number>>
}
