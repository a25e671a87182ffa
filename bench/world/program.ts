import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Ended from outside, and waited for. */
export interface Process {
  readonly pid: number
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** A program of this folder, asked one thing at a time. */
export interface Helper extends Process {
  ask<T>(question: unknown): Promise<T>
}

export interface Snowhat extends Process {
  /** The first line that matches, also one that came before. */
  line(pattern: RegExp): Promise<string>
}

const ENTRY = fileURLToPath(new URL('../../dist/cli/snowhat.js', import.meta.url))

/** Nothing a bench starts outlives it. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Starts the built command as users do, with settings as environment variables (`SNOWHAT_` is put before them). */
export function startSnowhat(args: readonly string[], settings: Readonly<Record<string, string | number>>): Snowhat {
  if (!existsSync(ENTRY)) throw new Error('dist/ is not built: npm run build')
  const own = Object.entries(settings).map(([key, value]) => [`SNOWHAT_${key}`, String(value)])
  const child = spawn(ENTRY, args, {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NO_COLOR: '1',
      // Such as `--cpu-prof`, to see where it goes.
      NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS,
      ...Object.fromEntries(own),
    },
    stdio: ['ignore', process.env.BENCH_VERBOSE === undefined ? 'ignore' : 'inherit', 'pipe'],
  })
  const seen: string[] = []
  const lines = createInterface({ input: child.stderr })
  lines.on('line', (line) => {
    seen.push(line)
    // What is looked for comes at the start; an hour of lines need not be kept.
    if (seen.length > 2_000) seen.splice(1_000, 500)
    if (process.env.BENCH_VERBOSE !== undefined) process.stderr.write(`  ${args[0]}: ${line}\n`)
  })
  return {
    ...processOf(child),
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const found = seen.find((line) => pattern.test(line))
        if (found !== undefined) return resolve(found)
        const look = (line: string) => {
          if (!pattern.test(line)) return
          lines.off('line', look)
          resolve(line)
        }
        lines.on('line', look)
        child.once('exit', (code) =>
          reject(new Error(`snowhat ${args[0]} ended (${code}) without ${pattern}:\n${seen.slice(-5).join('\n')}`)),
        )
      }),
  }
}

export function startHelper(file: string): Helper {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  let last: Promise<unknown> = Promise.resolve()
  return {
    ...processOf(child),
    ask: <T>(question: unknown): Promise<T> => {
      const answer = last.then(
        () =>
          new Promise<T>((resolve, reject) => {
            const died = (code: number | null) => reject(new Error(`${file} ended (${code})`))
            child.once('exit', died)
            child.once('message', (message: T) => {
              child.off('exit', died)
              resolve(message)
            })
            child.send(question as object)
          }),
      )
      last = answer.catch(() => undefined)
      return answer
    },
  }
}

/** The other side of `startHelper`. */
export function answer<Q>(act: (question: Q) => unknown): void {
  process.on('message', (question) => {
    void Promise.resolve(act(question as Q)).then((value) => process.send?.(value ?? null))
  })
  process.once('disconnect', () => process.exit())
}

export function processOf(child: ChildProcess): Process {
  running.add(child)
  const gone = once(child, 'exit').then(() => {
    running.delete(child)
  })
  return {
    pid: child.pid as number,
    kill: async (signal = 'SIGTERM') => {
      child.kill(signal)
      await gone
    },
  }
}
