/**
 * How a part of the program declares its settings. One declaration gives the default, the checks, the
 * name in a configuration file (`mqtt.url`), the environment (`SNOWHAT_MQTT_URL`), the command line
 * (`--mqtt-url`), the `--help` text and the table in the docs. `src/config.ts` does the reading.
 */
export type SettingKind =
  | 'string'
  | 'port'
  /** An integer ≥ 0. */
  | 'count'
  /** A finite number ≥ 0. */
  | 'number'
  | 'boolean'
  /** `250ms`, `20s`, `5m`, `1h`, or a bare number of seconds; held as milliseconds. */
  | 'duration'
  /** A comma-separated list in the environment and on the command line, an array in a file. */
  | 'list'

interface Common<K extends SettingKind, D> {
  readonly kind: K
  readonly default: D
  /** One sentence; the unit belongs in it. */
  readonly doc: string
  /** Never printed, never taken from the command line (other users see process arguments). */
  readonly secret?: boolean
  /** Further names on the command line, a single letter for a short one. */
  readonly flags?: readonly string[]
  /** For `string`: the values allowed. */
  readonly choices?: readonly string[]
}

export type Setting =
  | Common<'string', string>
  | Common<'port' | 'count' | 'number' | 'duration', number>
  | Common<'boolean', boolean>
  | Common<'list', readonly string[]>

export type Section = Readonly<Record<string, Setting>>

/** The values a section gives once it is read: one plain value per setting. */
export type ValuesOf<S extends Section> = {
  readonly [K in keyof S]: S[K] extends { choices: readonly (infer C)[] } ? C : Widen<S[K]['default']>
}

type Widen<D> = D extends string
  ? string
  : D extends number
    ? number
    : D extends boolean
      ? boolean
      : D extends readonly unknown[]
        ? readonly string[]
        : never

/**
 * A secret: the value itself (environment or file only) and, under `<name>_file`, the path of a file
 * that holds it, which is how Docker and systemd hand secrets over.
 */
export function secret<N extends string>(
  name: N,
  doc: string,
): { readonly [K in N]: Common<'string', string> } & { readonly [K in `${N}_file`]: Common<'string', string> } {
  const value: Common<'string', string> = { kind: 'string', default: '', doc, secret: true }
  const file: Common<'string', string> = { kind: 'string', default: '', doc: `${doc}: a file that holds it` }
  return { [name]: value, [`${name}_file`]: file } as never
}
