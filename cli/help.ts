import { styleText } from 'node:util'
import { envName } from '../src/config.ts'
import type { Setting, SettingKind } from '../src/setting.ts'
import { VERSION } from '../src/version.ts'
import { COMMON_FLAGS, type SettingFlag, settingFlags } from './arguments.ts'
import type { Command, Flag } from './command.ts'

const WIDTH = 34

export function overview(commands: readonly Command[]): string {
  return [
    `snowhat ${VERSION}: Sense HAT fleets on MQTT, in Home Assistant at once and in Snowflake for good`,
    '',
    heading('Commands'),
    ...commands.map(({ name, summary }) => `  snowhat ${name.padEnd(12)}${summary}`),
    '',
    'snowhat COMMAND --help shows options and examples. Start with: snowhat demo',
  ].join('\n')
}

export function commandHelp(command: Command): string {
  const flags = settingFlags(command)
  const own = flags.filter(({ path }) => path.split('.')[0] === command.own)
  const shared = flags.filter((flag) => !own.includes(flag))
  const show = (flag: SettingFlag) => settingLine(flag, command.defaults?.[flag.path] ?? flag.setting.default)
  return [
    `snowhat ${command.name}${command.positionals === undefined ? '' : ` ${command.positionals}`} [options]: ${command.summary}`,
    '',
    heading('Examples'),
    ...command.examples.flatMap(([line, what]) => [`  ${line}`, `      ${what}`]),
    '',
    heading('Options'),
    ...own.map(show),
    ...Object.entries({ ...command.flags, ...COMMON_FLAGS }).map(flagLine),
    ...(shared.length === 0 ? [] : ['', heading('Options it shares with other commands'), ...shared.map(show)]),
    '',
    `Each option is also a setting: in a file given by --config, and in the environment, such as ${envName((own[0] ?? flags[0])?.path ?? 'mqtt.url')}.`,
    'The command line wins over the environment, the environment over the file.',
  ].join('\n')
}

function settingLine({ names, off, setting }: SettingFlag, byDefault: Setting['default']): string {
  const [long = '', ...others] = names
  const value = setting.kind === 'boolean' ? '' : ` ${placeholder(setting)}`
  const left = `  ${[...others.filter((n) => n.length === 1).map((n) => `-${n}`), `--${long}`, ...others.filter((n) => n.length > 1).map((n) => `--${n}`), ...(off === undefined ? [] : [`--${off}`])].join(', ')}${value}`
  return line(left, `${setting.doc}${defaultNote(setting.kind, byDefault)}`)
}

function flagLine([name, flag]: [string, Flag]): string {
  const left = `  ${flag.short === undefined ? '' : `-${flag.short}, `}--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`
  return line(left, flag.doc)
}

/** What is too long for its column has its meaning on the next line. */
function line(left: string, doc: string): string {
  return left.length > WIDTH ? `${left}\n${' '.repeat(WIDTH)} ${doc}` : `${left.padEnd(WIDTH)} ${doc}`
}

function placeholder({ kind, choices }: Setting): string {
  if (choices !== undefined) return choices.join('|')
  return { string: 'TEXT', port: 'PORT', count: 'N', number: 'N', duration: 'TIME', list: 'A,B', boolean: '' }[kind]
}

function defaultNote(kind: SettingKind, value: Setting['default']): string {
  const text = kind === 'duration' && typeof value === 'number' && value > 0 ? `${value / 1000}s` : String(value)
  return ['', 'false', '0'].includes(text) ? '' : ` (default ${text})`
}

function heading(text: string): string {
  return styleText('bold', text, { stream: process.stdout })
}
