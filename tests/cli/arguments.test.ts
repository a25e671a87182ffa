import { describe, expect, it } from 'vitest'
import { COMMON_FLAGS, parseArguments, settingFlags } from '../../cli/arguments.ts'
import type { Command } from '../../cli/command.ts'
import { commandHelp, overview } from '../../cli/help.ts'
import { COMMANDS } from '../../cli/main.ts'
import type { SnowhatError } from '../../src/errors.ts'

function commandOf(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name)
  if (command === undefined) throw new Error(`no command ${name}`)
  return command
}

const parsed = (name: string, ...argv: string[]) => {
  const { settings, flags, positionals } = parseArguments(commandOf(name), argv)
  return { settings: Object.fromEntries(settings), flags, positionals }
}

function refusal(name: string, ...argv: string[]): SnowhatError {
  try {
    parseArguments(commandOf(name), argv)
  } catch (error) {
    return error as SnowhatError
  }
  throw new Error('it was taken')
}

describe('the command line', () => {
  it("takes the settings of the command's own section without a prefix, the others with theirs", () => {
    expect(parsed('emulator', '--port', '9085', '--log-level', 'debug').settings).toEqual({
      'emulator.port': '9085',
      'log.level': 'debug',
    })
    expect(parsed('bridge', '--client-id', 'b2', '--mqtt-url', 'mqtt://nas', '--http-port=8081').settings).toEqual({
      'bridge.client_id': 'b2',
      'mqtt.url': 'mqtt://nas',
      'http.port': '8081',
    })
    expect(
      parsed('demo', '--pis', '5', '--for', '20s', '--mqtt-port', '1', '--snowpipe-port', '2', '--port', '3').settings,
    ).toEqual({
      'demo.pis': '5',
      'demo.for': '20s',
      'demo.mqtt_port': '1',
      'demo.snowpipe_port': '2',
      'demo.port': '3',
    })
  })

  it.each([
    [
      'publisher',
      ['-s', '-r', '0.5', '-v'],
      { 'publisher.simulate': true, 'publisher.reading_interval': '0.5', 'log.level': 'debug' },
    ],
    [
      'publisher',
      ['--simulate', '--reading-interval=2', '--verbose'],
      { 'publisher.simulate': true, 'publisher.reading_interval': '2', 'log.level': 'debug' },
    ],
    ['publisher', ['--max-batches', '3'], { 'publisher.max_batches': '3' }],
    ['bridge', ['-b', '10', '-i', '2.5'], { 'batch.max_rows': '10', 'batch.max_age_ms': 2_500 }],
    [
      'demo',
      ['--batch-size', '10', '--interval', '5', '--max-batches', '2'],
      { 'batch.max_rows': '10', 'batch.max_age_ms': 5_000, 'demo.max_batches': '2' },
    ],
    ['bridge', ['-i', 'soon'], { 'batch.max_age_ms': 'soon' }],
  ])("of %s takes the first system's options %j", (name, argv, settings) => {
    expect(parsed(name, ...argv).settings).toEqual(settings)
  })

  it('switches off with --no- what is on by default, and has no such option for what is off', () => {
    expect(parsed('bridge', '--no-guard').settings).toEqual({ 'bridge.guard': false })
    expect(parsed('bridge', '--guard').settings).toEqual({ 'bridge.guard': true })
    expect(commandHelp(commandOf('bridge'))).toContain('--guard, --no-guard ')
    expect(refusal('publisher', '--no-simulate').message).toBe('snowhat publisher has no option --no-simulate')
  })

  it('takes all settings with their prefix where a command has no section of its own', () => {
    expect(parsed('ledger', '--log-level', 'debug').settings).toEqual({ 'log.level': 'debug' })
    expect(refusal('ledger', '--level', 'debug').code).toBe('E_USAGE')
  })

  it('gives words to a command that takes them, and to no other', () => {
    expect(parsed('query', '--json', 'select 1').positionals).toEqual(['select 1'])
    expect(parsed('query', '--json', 'select 1').flags).toEqual({ json: true })
    expect(refusal('bridge', 'now').code).toBe('E_USAGE')
  })

  it.each([
    ['bridge', '--mqtt-ulr', 'did you mean --mqtt-url?'],
    ['publisher', '--simulated', 'did you mean --simulate?'],
    ['demo', '--pi', 'did you mean --pis?'],
  ])('of %s names the option nearest to %s', (name, option, hint) => {
    const error = refusal(name, option, 'x')
    expect(error).toMatchObject({ code: 'E_USAGE', hint })
    expect(error.message).toContain(option)
  })

  it('sends to the help who is near to none', () => {
    expect(refusal('bridge', '--kubernetes')).toMatchObject({ code: 'E_USAGE', hint: 'see snowhat bridge --help' })
  })

  it.each([
    ['an option without its value', ['--client-id'], '--client-id wants a value'],
    ['a short one without its value', ['-b'], '--batch-size wants a value'],
    [
      'one whose value looks like an option',
      ['--client-id', '--guard'],
      '--client-id wants a value, and what follows begins with a dash',
    ],
    ['a value for what takes none', ['--help=yes'], '--help takes no value'],
    ['a word where none belongs', ['now'], 'snowhat bridge takes no now'],
    ['an unknown letter', ['-z'], 'snowhat bridge has no option -z'],
  ])('refuses %s in one line of its own', (_what, argv, message) => {
    expect(refusal('bridge', ...argv)).toMatchObject({ code: 'E_USAGE', message })
  })

  it('takes no secret: other users see the arguments of a process', () => {
    for (const option of ['snowflake-private-key', 'snowflake-pat', 'mqtt-password'])
      for (const written of [
        `--${option}`,
        `--${option.replace('-', '.')}`,
        `--${option.replace(/^\w+-/, '')}=hunter2`,
      ]) {
        const { code, message, hint } = refusal('bridge', ...written.split(' '), 'hunter2')
        expect([code, hint]).toEqual(['E_USAGE', `put it into a file, and name that: --${option}-file FILE`])
        expect(message).not.toContain('hunter2')
      }
    expect(parsed('bridge', '--mqtt-password-file', '/run/pw').settings).toEqual({ 'mqtt.password_file': '/run/pw' })
  })

  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    'of %s has no option twice',
    (_name, command) => {
      const names = [
        ...settingFlags(command).flatMap((flag) => flag.names),
        ...Object.entries({ ...COMMON_FLAGS, ...command.flags }).flatMap(([name, flag]) => [
          name,
          ...(flag.short ? [flag.short] : []),
        ]),
      ]
      expect([...names].sort()).toEqual([...new Set(names)].sort())
    },
  )
})

describe('the help', () => {
  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    'of %s lists every option it takes, and its examples',
    (_name, command) => {
      const text = commandHelp(command)
      for (const { names, setting } of settingFlags(command)) {
        for (const name of names) expect(text).toContain(name.length === 1 ? `-${name},` : `--${name}`)
        expect(text).toContain(setting.doc)
      }
      for (const [name, flag] of Object.entries({ ...COMMON_FLAGS, ...command.flags })) {
        expect(text).toContain(`--${name}`)
        if (flag.short) expect(text).toContain(`-${flag.short}, --${name}`)
      }
      for (const [example] of command.examples) expect(text).toContain(example)
      expect(text).toContain('SNOWHAT_')
    },
  )

  it.each(COMMANDS.flatMap((command) => command.examples.map(([example]) => [example, command] as const)))(
    'has an example that works: %s',
    (example, command) => {
      const argv = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
      expect(argv.slice(0, 2)).toEqual(['snowhat', command.name])
      expect(() => parseArguments(command, argv.slice(2))).not.toThrow()
    },
  )

  it("of the demo shows the demo's own defaults", () => {
    expect(commandHelp(commandOf('demo'))).toMatch(/--batch-max-age-ms N .*default 1000/)
    expect(commandHelp(commandOf('bridge'))).toMatch(/--batch-max-age-ms N .*default 5000/)
  })

  it('lists every command', () => {
    for (const { name, summary } of COMMANDS)
      expect(overview(COMMANDS)).toMatch(new RegExp(`snowhat ${name}\\s+${summary.slice(0, 20)}`))
  })

  it('has no secret in it', () => {
    for (const command of COMMANDS) expect(commandHelp(command)).not.toMatch(/--(snowflake-)?(private-key|pat)\s/)
  })
})
