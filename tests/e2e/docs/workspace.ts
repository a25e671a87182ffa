import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootPath } from '../../docs/markdown.ts'
import { AedesBroker } from '../../support/aedes-broker.ts'
import { type CleanUp, temporaryDirectory } from '../../support/directory.ts'
import { eventually, within } from '../../support/eventually.ts'
import { freePorts } from '../../support/ports.ts'
import { snowhat } from '../../support/program.ts'
import { countRows } from '../../support/table.ts'

/** What the commands of a clone need. */
const OF_THE_CLONE = ['package.json', 'dist', 'docs', 'deploy', 'sql']
/** The table knows both hosts the pages speak of by then. */
const ENOUGH_ROWS = 20

/** A clone whose broker, bridge, emulator and two Pis run, for what pages tell a reader to paste. */
export interface Workspace {
  /** The block as a script. Ends it when its output has `until`; gives all it has written, and its exit code. */
  paste(script: string, until?: string): Promise<{ output: string; code: number | null }>
}

export async function openWorkspace(cleanUp: CleanUp): Promise<Workspace> {
  const directory = temporaryDirectory(cleanUp)
  for (const name of OF_THE_CLONE) symlinkSync(rootPath(name), join(directory, name))
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  // In a clone npx finds the command of the clone; asking npm for it takes a second each time.
  const entry = rootPath('dist/cli/snowhat.js')
  program(join(bin, 'snowhat'), `exec node ${entry} "$@"`)
  program(join(bin, 'npx'), `[ "$1" = snowhat ] || exit 127\nshift\nexec node ${entry} "$@"`)

  const broker = new AedesBroker({})
  await broker.start()
  cleanUp(() => broker.stop())
  const ports = await freePorts('emulator', 'page', 'demoMqtt', 'demoSnowpipe', 'demoPage')
  const emulator = `http://127.0.0.1:${ports.emulator}`
  const environment = {
    SNOWHAT_MQTT_URL: broker.url,
    SNOWHAT_SNOWFLAKE_URL: emulator,
    SNOWHAT_HTTP_PORT: String(ports.page),
    SNOWHAT_BATCH_MAX_AGE_MS: '300',
    SNOWHAT_EMULATOR_PORT: String(ports.emulator),
    SNOWHAT_EMULATOR_DATA: join(directory, 'emulator'),
    SNOWHAT_EMULATOR_COMMIT_DELAY: '300ms',
    SNOWHAT_DEMO_MQTT_PORT: String(ports.demoMqtt),
    SNOWHAT_DEMO_SNOWPIPE_PORT: String(ports.demoSnowpipe),
    SNOWHAT_DEMO_PORT: String(ports.demoPage),
  }
  const start = (...args: string[]) => snowhat(args, { env: environment, cleanUp })
  await start('emulator').line(/the emulator is running/)
  await start('bridge').line(/connected to the broker/)
  for (const host of ['pi-attic', 'pi-kitchen']) start('publisher', '-s', '-r', '0.5', '--hostname', host)
  await eventually('rows of both Pis', async () => (await countRows(emulator)) >= ENOUGH_ROWS, 60_000)

  // What the first system left, for its upgrade.
  const old = { account: 'EMULATOR', url: emulator, channel_name: 'SENSEHAT_CHANNEL' }
  writeFileSync(join(directory, 'snowflake_config.json'), JSON.stringify(old))

  const places: readonly (readonly [string, string])[] = [
    ['mqtt://nas:1883', broker.url],
    ['http://127.0.0.1:8085', emulator],
    ['http://127.0.0.1:8080', `http://127.0.0.1:${ports.page}`],
    ['/etc/snowhat', directory],
    ['/var/lib/snowhat', directory],
  ]
  return {
    paste: (script, until) => {
      // Several pages make the key; none of them writes over one that is there.
      if (script.includes('keys new')) rmSync(join(directory, 'snowhat_key.p8'), { force: true })
      const text = places.reduce((each, [there, here]) => each.replaceAll(there, here), script)
      const env = {
        ...environment,
        PATH: `${bin}:${process.env.PATH}`,
        HOME: directory,
        NO_COLOR: '1',
        // `npm start` would build what the other tests are running.
        npm_config_ignore_scripts: 'true',
      }
      return pasted(text, { cwd: directory, env }, until, cleanUp)
    },
  }
}

function program(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
}

function pasted(
  script: string,
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  until: string | undefined,
  cleanUp: CleanUp,
): Promise<{ output: string; code: number | null }> {
  // A group of its own: what the shell has started is ended with it.
  const child = spawn('bash', ['-eu', '-o', 'pipefail', '-c', script], { cwd, env, detached: true })
  const end = (signal: NodeJS.Signals) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    process.kill(-child.pid, signal)
  }
  cleanUp(() => end('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (until !== undefined && output.includes(until)) end('SIGINT')
    })
  const ended = new Promise<{ output: string; code: number | null }>((resolve) =>
    child.once('close', (code) => resolve({ output, code })),
  )
  return within(60_000, `the end of: ${script}`, ended)
}
