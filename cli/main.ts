import { systemClock } from '../src/clock.ts'
import { loadSettings } from '../src/config.ts'
import { SnowhatError } from '../src/errors.ts'
import { createLog } from '../src/log.ts'
import { didYouMean } from '../src/nearest.ts'
import { openNotify } from '../src/notify.ts'
import { type SignalSource, stopOnSignals } from '../src/signals.ts'
import { VERSION } from '../src/version.ts'
import { parseArguments } from './arguments.ts'
import { bridgeCommand } from './bridge.ts'
import type { Command, Output } from './command.ts'
import { deadLettersCommand } from './deadletters/command.ts'
import { demoCommand } from './demo/command.ts'
import { doctorCommand } from './doctor/command.ts'
import { emulatorCommand } from './emulator.ts'
import { exitCodeOf, explain } from './failure.ts'
import { forgetCommand } from './forget/command.ts'
import { commandHelp, overview } from './help.ts'
import { keysCommand } from './keys/command.ts'
import { ledgerCommand } from './ledger/command.ts'
import { phoneCommand } from './phone/command.ts'
import { publisherCommand } from './publisher.ts'
import { queryCommand } from './query/query.ts'
import { allSections } from './sections.ts'
import { setupSqlCommand } from './setup-sql/command.ts'
import { importedSettings } from './snowflake-config-flag.ts'

export const COMMANDS: readonly Command[] = [
  demoCommand,
  publisherCommand,
  bridgeCommand,
  emulatorCommand,
  queryCommand,
  doctorCommand,
  keysCommand,
  setupSqlCommand,
  deadLettersCommand,
  ledgerCommand,
  phoneCommand,
  forgetCommand,
]

interface Process extends SignalSource {
  readonly pid: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: Output
  readonly stderr: { write(text: string): unknown }
}

/** Runs one command and gives its exit code. The only place where a failure becomes words. */
export async function main(argv: readonly string[], host: Process): Promise<number> {
  const print = (line: string) => host.stdout.write(`${line}\n`)
  const [name, ...rest] = argv
  if (name === undefined || ['help', '--help', '-h'].includes(name)) {
    print(overview(COMMANDS))
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-V') {
    print(VERSION)
    return 0
  }
  const signals = stopOnSignals(host)
  try {
    return await run(name, rest, host, signals.stop, print)
  } catch (error) {
    host.stderr.write(`${explain(error)}\n`)
    return exitCodeOf(error)
  } finally {
    signals.release()
  }
}

async function run(
  name: string,
  argv: readonly string[],
  host: Process,
  stop: AbortSignal,
  print: (line: string) => void,
): Promise<number> {
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (command === undefined) {
    const names = COMMANDS.map((candidate) => candidate.name)
    throw new SnowhatError('E_USAGE', `snowhat has no command ${name}`, {
      hint: didYouMean(name, names) ?? `there are ${names.join(', ')}`,
    })
  }
  const { settings: args, flags, positionals } = parseArguments(command, argv)
  if (flags.help === true) {
    print(commandHelp(command))
    return 0
  }
  const file = flags.config
  const problems: SnowhatError[] = []
  const forgive = command.forgiving === true ? { onProblem: (problem: SnowhatError) => problems.push(problem) } : {}
  const imported = await importedSettings(flags['snowflake-config'], forgive)
  const settings = await loadSettings(allSections, {
    ...forgive,
    file: typeof file === 'string' ? file : undefined,
    env: host.env,
    imported: imported.values,
    defaults: new Map(Object.entries(command.defaults ?? {})),
    args,
  })
  const log = createLog(name, settings.log)
  for (const line of imported.notes) log.info(line)
  const runCommand = await command.load()
  const clock = systemClock()
  const notify = await openNotify(host.env, { clock, log, pid: host.pid })
  try {
    return await runCommand({
      settings,
      flags,
      positionals,
      problems,
      clock,
      log,
      random: Math.random,
      stop,
      notify,
      print,
      output: host.stdout,
    })
  } finally {
    await notify.close()
  }
}
