import { type ParseArgsConfig, parseArgs } from 'node:util'
import { settingPaths } from '../src/config.ts'
import { messageOf, SnowhatError, systemCode } from '../src/errors.ts'
import { didYouMean } from '../src/nearest.ts'
import type { Setting } from '../src/setting.ts'
import type { Command, Flag } from './command.ts'
import { allSections } from './sections.ts'

/** Flags every command has. */
export const COMMON_FLAGS: Readonly<Record<string, Flag>> = {
  config: { type: 'string', value: 'FILE', doc: 'read settings from this YAML or JSON file' },
  help: { type: 'boolean', short: 'h', doc: 'show this help' },
  verbose: {
    type: 'boolean',
    short: 'v',
    doc: 'also log what happens per batch',
    sets: { path: 'log.level', value: () => 'debug' },
  },
}

/** A setting under one of its names on the command line. */
export interface SettingFlag {
  /** Long name first. */
  readonly names: readonly string[]
  /** Switches off what is on by default. */
  readonly off?: string
  readonly path: string
  readonly setting: Setting
}

/** The settings a command takes, by the names they have there: those of its own section bear no prefix. */
export function settingFlags(command: Command): SettingFlag[] {
  const named = command.own === undefined ? command.uses : [command.own, ...command.uses]
  const sections = Object.fromEntries(named.map((name) => [name, allSections[name]]))
  return [...settingPaths(sections)].flatMap(([path, setting]) => {
    if (setting.secret) return []
    const [section, key = ''] = path.split('.')
    const long = (section === command.own ? key : `${section}_${key}`).replaceAll('_', '-')
    const others = section === command.own ? (setting.flags ?? []) : []
    return [
      { names: [...new Set([long, ...others])], ...(setting.default === true && { off: `no-${long}` }), path, setting },
    ]
  })
}

export interface ParsedArguments {
  /** `section.key` to the text given. */
  readonly settings: Map<string, unknown>
  readonly flags: Record<string, string | boolean | undefined>
  readonly positionals: string[]
}

/** Throws `E_USAGE`. */
export function parseArguments(command: Command, argv: readonly string[]): ParsedArguments {
  const own = settingFlags(command)
  const flags: Record<string, Flag> = { ...COMMON_FLAGS, ...command.flags }
  const options = optionsOf(own, flags)
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({ args: [...argv], options, strict: true, allowPositionals: command.positionals !== undefined })
  } catch (error) {
    throw usageError(command, error, options)
  }
  const settings = new Map<string, unknown>()
  const given: Record<string, string | boolean | undefined> = {}
  for (const [name, value] of Object.entries(parsed.values)) {
    if (Array.isArray(value) || value === undefined) continue
    const setting = own.find((flag) => flag.names.includes(name))
    const switchedOff = own.find(({ off }) => off === name)
    const sets = flags[name]?.sets
    if (setting !== undefined) settings.set(setting.path, value)
    else if (switchedOff !== undefined) settings.set(switchedOff.path, false)
    else if (sets !== undefined) settings.set(sets.path, sets.value(String(value)))
    else given[name] = value
  }
  return { settings, flags: given, positionals: parsed.positionals }
}

type Options = NonNullable<ParseArgsConfig['options']>

function optionsOf(own: readonly SettingFlag[], flags: Readonly<Record<string, Flag>>): Options {
  const options: Options = {}
  for (const { names, off, setting } of own) {
    const [long = '', ...others] = names
    const type = setting.kind === 'boolean' ? 'boolean' : 'string'
    const short = others.find((name) => name.length === 1)
    options[long] = { type, ...(short !== undefined && { short }) }
    if (off !== undefined) options[off] = { type }
    for (const other of others) if (other.length > 1) options[other] = { type }
  }
  for (const [name, { type, short }] of Object.entries(flags))
    options[name] = { type, ...(short !== undefined && { short }) }
  return options
}

/** The secret somebody means by an option there is not: `--pat`, `--snowflake.private_key`. Under its own name, without dashes. */
function secretNamed(command: Command, word: string): string | undefined {
  const meant = word.replace(/^-*/, '').replace(/[._]/g, '-').toLowerCase()
  return settingFlags(command)
    .filter(({ path }) => path.endsWith('_file'))
    .map(({ names: [name = ''], path }) => ({ name: name.replace(/-file$/, ''), path: path.replace(/_file$/, '') }))
    .filter(({ path }) => isSecret(path))
    .find(({ name, path }) => [name, path, path.split('.')[1]].some((one) => one?.replace(/[._]/g, '-') === meant))
    ?.name
}

function isSecret(path: string): boolean {
  return [...settingPaths(allSections)].some(([known, setting]) => known === path && setting.secret === true)
}

function usageError(command: Command, error: unknown, options: Options): SnowhatError {
  const seeHelp = `see snowhat ${command.name} --help`
  if (systemCode(error) === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const word = /'(-{1,2}[^' ]+)'?/.exec(messageOf(error))?.[1] ?? ''
    const secret = secretNamed(command, word)
    if (secret !== undefined)
      return new SnowhatError(
        'E_USAGE',
        `snowhat ${command.name} takes no secret on the command line, where others see it`,
        {
          hint: `put it into a file, and name that: --${secret}-file FILE`,
        },
      )
    const guess = didYouMean(
      word.replace(/^-*/, '--'),
      Object.keys(options).map((name) => `--${name}`),
    )
    return new SnowhatError('E_USAGE', `snowhat ${command.name} has no option ${word}`, { hint: guess ?? seeHelp })
  }
  const text = messageOf(error)
  // `Option '-b, --batch-size <value>' argument missing` and its like [observed, Node 20 to 24].
  const option = /^Option '(?:-\w, )?(-{1,2}[^ ']+)/.exec(text)?.[1]
  if (option !== undefined && /does not take/.test(text))
    return new SnowhatError('E_USAGE', `${option} takes no value`, { hint: seeHelp })
  if (option !== undefined && /ambiguous/.test(text))
    return new SnowhatError('E_USAGE', `${option} wants a value, and what follows begins with a dash`, {
      hint: option.startsWith('--') ? `if it is the value, write ${option}=VALUE` : seeHelp,
    })
  if (option !== undefined) return new SnowhatError('E_USAGE', `${option} wants a value`, { hint: seeHelp })
  const word = /^Unexpected argument '(.*)'\./s.exec(text)?.[1]
  if (word !== undefined)
    return new SnowhatError('E_USAGE', `snowhat ${command.name} takes no ${word}`, { hint: seeHelp })
  return new SnowhatError('E_USAGE', text.split('\n')[0] ?? text, { hint: seeHelp })
}
