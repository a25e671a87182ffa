import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'
import { eventually } from './eventually.ts'

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url))
/** Where distributions put it; not on everybody's PATH. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`

/** Tests that need Mosquitto on this machine, where its files and its process can be reached. Without it they are skipped. */
export function describeWithMosquitto(name: string, tests: () => void): void {
  const missing = findMosquitto()
  if (missing === '') describe(name, tests)
  else if (process.env.SNOWHAT_REQUIRE_MOSQUITTO === '1')
    it(`${name}: has Mosquitto`, () => {
      throw new Error(`SNOWHAT_REQUIRE_MOSQUITTO=1, and ${missing}`)
    })
  else describe.skip(`${name} (SKIPPED: ${missing})`, tests)
}

/** Empty when it is there, otherwise what is missing. */
function findMosquitto(): string {
  for (const program of ['mosquitto', 'mosquitto_passwd'])
    if (spawnSync(program, ['-h'], { env: { PATH } }).error) return `${program} is not installed`
  return ''
}

/**
 * Mosquitto as a process, run by exactly what is in deploy/: its configuration, its access rules, and users made by its
 * script. Only paths, the port and the user it runs as are replaced.
 */
export interface MosquittoProcess {
  readonly url: string
  readonly port: number
  /** All it has written, over all its lives. */
  readonly logFile: string
  /** How often it was ended by SIGKILL. */
  readonly kills: number
  /** The file with a user's password. */
  passwordFile(user: string): string
  /** Does nothing where it is running. */
  start(): Promise<void>
  /** Resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Writes down now what it would write down within a minute. */
  save(): void
  /** Forgets sessions, queues and retained messages. Only while it is not running. */
  wipe(): void
}

export interface MosquittoOptions {
  readonly directory: string
  readonly port: number
  readonly users: readonly string[]
  /** A directory as deploy/tls/make-certificates.sh makes it, and the port of the listener that then comes too. */
  readonly tls?: { readonly directory: string; readonly port: number }
  /** Lines of the configuration to be another: name of the option and its value. */
  readonly override?: Readonly<Record<string, string>>
}

/** Makes certificates as a user does; `env` as the head of the script says. */
export function makeCertificates(directory: string, names: readonly string[], env: Record<string, string> = {}): void {
  execFileSync('sh', [join(DEPLOY, 'tls/make-certificates.sh'), ...names], {
    env: { PATH, DIRECTORY: directory, ...env },
    stdio: 'pipe',
  })
}

export async function openMosquitto(options: MosquittoOptions): Promise<MosquittoProcess> {
  const { directory, port, users, tls, override } = options
  const path = (name: string) => join(directory, name)
  for (const name of ['secrets', 'users', 'data']) mkdirSync(path(name), { recursive: true })
  execFileSync('sh', [join(DEPLOY, 'mosquitto-users.sh'), ...users], {
    env: {
      PATH,
      SECRETS: path('secrets'),
      USERS: path('users'),
      ACL: join(DEPLOY, 'mosquitto.acl'),
      LISTENER: join(DEPLOY, 'tls/listener.conf'),
      TLS: join(tls?.directory ?? directory, 'broker'),
    },
    stdio: 'pipe',
  })
  if (tls !== undefined) {
    const listener = path('users/conf.d/tls.conf')
    writeFileSync(listener, readFileSync(listener, 'utf8').replace('listener 8883', `listener ${tls.port}`))
  }
  const config = path('mosquitto.conf')
  writeFileSync(config, configuration(readFileSync(join(DEPLOY, 'mosquitto.conf'), 'utf8'), directory, port, override))
  chmodSync(directory, 0o755)
  const logFile = path('mosquitto.log')
  let running: ChildProcess | undefined
  let gone: Promise<unknown> = Promise.resolve()
  let kills = 0

  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    logFile,
    get kills() {
      return kills
    },
    passwordFile: (user) => join(path('secrets'), user),
    start: async () => {
      await gone
      if (running !== undefined) return
      const log = openSync(logFile, 'a')
      const from = readFileSync(logFile).length
      const child = spawn('mosquitto', ['-c', config], { env: { PATH }, stdio: ['ignore', log, log] })
      running = child
      await eventually('Mosquitto is running', () => {
        if (child.exitCode !== null) throw new Error(readFileSync(logFile, 'utf8').slice(-2_000))
        return readFileSync(logFile).subarray(from).includes(' running')
      })
    },
    kill: async (signal) => {
      const child = running
      running = undefined
      if (child !== undefined && child.exitCode === null && child.signalCode === null) {
        gone = new Promise((resolve) => child.once('close', resolve))
        child.kill(signal)
        if (signal === 'SIGKILL') kills++
      }
      await gone
    },
    save: () => {
      running?.kill('SIGUSR1')
    },
    wipe: () => {
      rmSync(path('data'), { recursive: true })
      mkdirSync(path('data'))
    },
  }
}

/** Throws when the shipped file has changed so far that a replacement finds nothing. */
function configuration(
  shipped: string,
  directory: string,
  port: number,
  override: Readonly<Record<string, string>> = {},
): string {
  const values = {
    listener: `${port} 127.0.0.1`,
    password_file: join(directory, 'users/passwords'),
    acl_file: join(directory, 'users/acl'),
    persistence_location: `${join(directory, 'data')}/`,
    include_dir: join(directory, 'users/conf.d'),
    ...override,
  }
  let text = shipped
  for (const [option, value] of Object.entries(values)) {
    const line = new RegExp(`^${option} .*$`, 'm')
    if (!line.test(text)) throw new Error(`deploy/mosquitto.conf has no line ${option}`)
    text = text.replace(line, `${option} ${value}`)
  }
  // Started by root it would become the user mosquitto, who may not enter our temporary directories.
  return process.getuid?.() === 0 ? `${text}\nuser root\n` : text
}
