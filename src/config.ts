import { readFile } from 'node:fs/promises'
import convict from 'convict'
import { parseDuration } from './duration.ts'
import { messageOf, SnowhatError } from './errors.ts'
import { didYouMean } from './nearest.ts'
import type { Section, Setting, SettingKind, ValuesOf } from './setting.ts'

/**
 * Reads settings: command line over environment over file over default. One file serves every command,
 * so it is checked against all sections there are, whichever of them a command uses.
 */
export type Sections = Readonly<Record<string, Section>>

export type SettingsOf<S extends Sections> = { readonly [K in keyof S]: ValuesOf<S[K]> }

export interface SettingSources {
  /** `section.key` to what one command takes as its default. */
  readonly defaults?: ReadonlyMap<string, unknown>
  /** Path of a YAML or JSON file. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Values that rank with the file's but come from elsewhere (the first system's own file). */
  readonly imported?: ReadonlyMap<string, unknown>
  /** From the command line: `section.key` to the text given. */
  readonly args: ReadonlyMap<string, unknown>
  /** Told of everything that is wrong, which is then left out, instead of the first thing ending it. */
  readonly onProblem?: (problem: SnowhatError) => void
}

const ENV_PREFIX = 'SNOWHAT_'

export function envName(path: string): string {
  return ENV_PREFIX + path.replace('.', '_').toUpperCase()
}

/** Every setting as `section.key`. */
export function settingPaths(sections: Sections): Map<string, Setting> {
  const paths = new Map<string, Setting>()
  for (const [section, settings] of Object.entries(sections))
    for (const [key, setting] of Object.entries(settings)) paths.set(`${section}.${key}`, setting)
  return paths
}

/** Throws `E_CONFIG_INVALID` with one sentence for the first thing that is wrong, unless somebody wants to hear of all. */
export async function loadSettings<S extends Sections>(sections: S, sources: SettingSources): Promise<SettingsOf<S>> {
  const paths = settingPaths(sections)
  const refuse = sources.onProblem ?? fail
  for (const problem of unknownEnvironment(sources.env, paths)) refuse(problem)
  const config = convict(schemaOf(sections, sources.defaults ?? new Map()), { env: definedOnly(sources.env), args: [] })
  try {
    if (sources.file !== undefined) config.load(await readSettingsFile(sources.file, sections, refuse))
    // Imported values rank with the file, below the environment: convict reads that again at each load.
    for (const [path, value] of sources.imported ?? []) config.load(nested(path, value))
    for (const [path, value] of sources.args) config.set(path, value)
    checkValues(config, refuse)
  } catch (error) {
    if (error instanceof SnowhatError) throw error
    throw new SnowhatError('E_CONFIG_INVALID', messageOf(error), { cause: error })
  }
  const values = config.getProperties() as Record<string, Record<string, unknown>>
  await readSecretFiles(values, paths, refuse)
  return values as SettingsOf<S>
}

type Refuse = (problem: SnowhatError) => void

function fail(problem: SnowhatError): never {
  throw problem
}

/** What is wrong takes its default, when whoever is told goes on. Convict has one line per problem: `section.key: reason: value was …`. */
function checkValues(config: convict.Config<Record<string, unknown>>, refuse: Refuse): void {
  try {
    config.validate({ allowed: 'strict' })
  } catch (error) {
    for (const line of messageOf(error).split('\n')) {
      const problem = line.trim()
      const [, path] = /^(\w+\.\w+): /.exec(problem) ?? []
      if (path !== undefined && config.has(path)) config.reset(path)
      refuse(new SnowhatError('E_CONFIG_INVALID', problem, { cause: error }))
    }
  }
}

/** The checks and conversions behind each kind; convict wants them by name. */
const FORMATS: Readonly<
  Record<SettingKind, { validate: (value: unknown) => void; coerce?: (text: unknown) => unknown }>
> = {
  // A bare number in a file is refused, not made into text: 0123 has lost its zero by then.
  string: { validate: (v) => must(typeof v === 'string', 'must be text') },
  port: { validate: (v) => must(isCount(v) && v <= 65_535, 'must be a port, 0 to 65535'), coerce: toNumber },
  count: { validate: (v) => must(isCount(v), 'must be a whole number, 0 or more'), coerce: toNumber },
  number: {
    validate: (v) => must(typeof v === 'number' && Number.isFinite(v) && v >= 0, 'must be a number, 0 or more'),
    coerce: toNumber,
  },
  boolean: { validate: (v) => must(typeof v === 'boolean', 'must be true or false'), coerce: toBoolean },
  duration: {
    validate: (v) => must(typeof v === 'number' && Number.isFinite(v), 'must be a time such as 500ms, 20s, 5m or 1h'),
    coerce: (v) => (typeof v === 'string' ? (parseDuration(v) ?? v) : v),
  },
  list: {
    validate: (v) => must(Array.isArray(v) && v.every((item) => typeof item === 'string'), 'must be a list'),
    coerce: (v) =>
      typeof v === 'string'
        ? v
            .split(',')
            .map((item) => item.trim())
            .filter((item) => item !== '')
        : v,
  },
}

function schemaOf(sections: Sections, defaults: ReadonlyMap<string, unknown>): convict.Schema<Record<string, unknown>> {
  for (const [kind, format] of Object.entries(FORMATS))
    convict.addFormat({
      name: `snowhat ${kind}`,
      validate: format.validate,
      coerce: format.coerce ?? ((v: unknown) => v),
    })
  const schema: Record<string, Record<string, convict.SchemaObj>> = {}
  for (const [path, setting] of settingPaths(sections)) {
    const [section = '', key = ''] = path.split('.')
    const target = schema[section] ?? {}
    target[key] = {
      doc: setting.doc,
      default: defaults.get(path) ?? setting.default,
      format: setting.choices ? [...setting.choices] : (`snowhat ${setting.kind}` as never),
      env: envName(path),
      sensitive: setting.secret ?? false,
    }
    schema[section] = target
  }
  return schema as convict.Schema<Record<string, unknown>>
}

async function readSettingsFile(file: string, sections: Sections, refuse: Refuse): Promise<object> {
  let content: unknown
  try {
    // Most start without a file, and a Pi has little memory.
    const { parse } = await import('yaml')
    content = parse(await readFile(file, 'utf8'))
  } catch (error) {
    // The YAML parser draws a picture of the place below its sentence.
    const [reason = ''] = messageOf(error).split(/:?\n/)
    refuse(
      new SnowhatError('E_CONFIG_INVALID', `cannot read the configuration file ${file}: ${reason}`, {
        cause: error,
        hint: 'is the path of --config right, may this user read it, and is it YAML or JSON? docs/settings.md shows what belongs in it',
      }),
    )
    return {}
  }
  if (content === null || content === undefined) return {}
  if (typeof content === 'object' && !Array.isArray(content))
    return knownSections(content as Record<string, unknown>, file, sections, refuse)
  refuse(new SnowhatError('E_CONFIG_INVALID', `the configuration file ${file} must hold sections, such as "mqtt:"`))
  return {}
}

/** Of a file's content, what there is a setting for. */
function knownSections(
  content: Readonly<Record<string, unknown>>,
  file: string,
  sections: Sections,
  refuse: Refuse,
): Record<string, object> {
  const known: Record<string, object> = {}
  for (const [name, values] of Object.entries(content)) {
    const section = sections[name]
    if (section === undefined) refuse(unknownKey(`section "${name}" in ${file}`, name, Object.keys(sections)))
    else if (typeof values !== 'object' || values === null)
      refuse(
        new SnowhatError(
          'E_CONFIG_INVALID',
          `section "${name}" in ${file} must hold settings, such as "${name}: { … }"`,
        ),
      )
    else {
      for (const key of Object.keys(values))
        if (!(key in section)) refuse(unknownKey(`setting "${name}.${key}" in ${file}`, key, Object.keys(section)))
      known[name] = Object.fromEntries(Object.entries(values).filter(([key]) => key in section))
    }
  }
  return known
}

function unknownEnvironment(env: SettingSources['env'], paths: ReadonlyMap<string, Setting>): SnowhatError[] {
  const known = new Set([...paths.keys()].map(envName))
  return Object.keys(env)
    .filter((name) => name.startsWith(ENV_PREFIX) && !known.has(name))
    .map((name) => unknownKey(`environment variable ${name}`, name, known))
}

function unknownKey(what: string, word: string, known: Iterable<string>): SnowhatError {
  const hint = didYouMean(word, known)
  return new SnowhatError('E_CONFIG_INVALID', `unknown ${what}`, hint === undefined ? {} : { hint })
}

/** Fills each secret from its `_file`; the newline editors leave at the end is not part of it. */
async function readSecretFiles(
  values: Record<string, Record<string, unknown>>,
  paths: ReadonlyMap<string, Setting>,
  refuse: Refuse,
): Promise<void> {
  for (const [path, setting] of paths) {
    if (!setting.secret) continue
    const [section = '', key = ''] = path.split('.')
    const group = values[section] ?? {}
    const file = group[`${key}_file`]
    if (typeof file !== 'string' || file === '') continue
    if (group[key] !== '') {
      refuse(
        new SnowhatError('E_CONFIG_INVALID', `${path} and ${path}_file are both set`, { hint: 'keep one of them' }),
      )
      continue
    }
    try {
      group[key] = (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
    } catch (error) {
      refuse(
        new SnowhatError('E_CONFIG_INVALID', `cannot read ${file} (${path}_file): ${messageOf(error)}`, {
          cause: error,
          hint: `is the path right, and may this user read it? It is set by ${envName(`${path}_file`)} or --config`,
        }),
      )
    }
  }
}

function must(holds: boolean, reason: string): void {
  if (!holds) throw new Error(reason)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
}

function toBoolean(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const text = value.toLowerCase()
  if (['true', 'yes', 'on', '1'].includes(text)) return true
  return ['false', 'no', 'off', '0', ''].includes(text) ? false : value
}

function nested(path: string, value: unknown): object {
  const [section = '', key = ''] = path.split('.')
  return { [section]: { [key]: value } }
}

function definedOnly(env: SettingSources['env']): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
}
