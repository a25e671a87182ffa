import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFailed, onTestFinished } from 'vitest'
import { type CleanUp, temporaryDirectory } from './directory.ts'
import { within } from './eventually.ts'

const ENTRY = fileURLToPath(new URL('../../dist/cli/snowhat.js', import.meta.url))

export interface Ended {
  /** `null` when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of `snowhat`, as a user starts it. */
export interface Program {
  readonly stdout: string
  readonly stderr: string
  /** The first line of either output that matches, also one that came before. Fails when the process ends without it. */
  line(pattern: RegExp, deadlineMs?: number): Promise<string>
  kill(signal: NodeJS.Signals): void
  ended(deadlineMs?: number): Promise<Ended>
}

export interface ProgramOptions {
  /** `SNOWHAT_…` and whatever else it should see; nothing of the test run's own settings is passed on. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** For a program of several tests; by default it is one of the test that starts it. */
  readonly cleanUp?: CleanUp
}

/** Starts the built command. It is killed in the end, and its output shown when the test that started it failed. */
export function snowhat(args: readonly string[], options: ProgramOptions = {}): Program {
  if (!existsSync(ENTRY)) throw new Error('dist/ is not built: npm run build')
  const child = spawn(ENTRY, args, {
    // Default paths such as ./data are of the directory a program is started in.
    cwd: options.cwd ?? temporaryDirectory(options.cleanUp),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of [...listeners]) listener()
  }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      tell()
    })
  let end: Ended | undefined
  const closed = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => {
      end = { code, signal, ...output }
      tell()
      resolve(end)
    }),
  )
  const cleanUp = options.cleanUp ?? onTestFinished
  cleanUp(async () => {
    if (end === undefined) child.kill('SIGKILL')
    await closed
  })
  if (options.cleanUp === undefined)
    onTestFailed(() => {
      const how = end === undefined ? 'still running' : `ended ${end.code ?? end.signal}`
      process.stderr.write(`--- snowhat ${args.join(' ')} (${how})\n${output.stderr}${output.stdout}---\n`)
    })
  return {
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    line: (pattern, deadlineMs = 20_000) => {
      const found = new Promise<string>((resolve, reject) => {
        const look = () => {
          const line = `${output.stderr}\n${output.stdout}`.split('\n').find((candidate) => pattern.test(candidate))
          if (line === undefined && end === undefined) return
          listeners.delete(look)
          if (line !== undefined) resolve(line)
          else reject(new Error(`snowhat ${args[0]} ended (${end?.code ?? end?.signal}) and never wrote ${pattern}`))
        }
        listeners.add(look)
        look()
      })
      return within(deadlineMs, `snowhat ${args[0]} writes ${pattern}`, found)
    },
    kill: (signal) => {
      child.kill(signal)
    },
    ended: (deadlineMs = 20_000) => within(deadlineMs, `snowhat ${args.join(' ')} ends`, closed),
  }
}

/** Runs a command to its end. */
export function run(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return snowhat(args, options).ended()
}
