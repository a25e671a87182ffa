import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { eventually, within } from '../support/eventually.ts'

export interface PartOptions {
  readonly name: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** All it writes, over all its lives. */
  readonly logFile: string
  /** What it writes when it is up. */
  readonly up: RegExp
}

/** A program that is killed and started again. It writes into a file, so that nothing of it dies with a pipe. */
export class Part {
  readonly name: string
  readonly #options: PartOptions
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #expected = false
  #lifeBegan = 0
  #kills = 0
  /** How it ended when nobody had asked it to. */
  readonly surprises: string[] = []

  constructor(options: PartOptions) {
    this.name = options.name
    this.#options = options
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  get kills(): number {
    return this.#kills
  }

  get log(): string {
    return readFileSync(this.#options.logFile, 'utf8')
  }

  /** Of its present life, or the last one. */
  get lifeLog(): string {
    return readFileSync(this.#options.logFile).subarray(this.#lifeBegan).toString('utf8')
  }

  /** Starts it if it is down; does not wait until it is up. `env` is for this life only. */
  start(env: Readonly<Record<string, string>> = {}): void {
    if (this.#child !== undefined) return
    const { args, cwd, logFile, name } = this.#options
    const log = openSync(logFile, 'a')
    this.#lifeBegan = statSync(logFile).size
    const child = spawn(process.execPath, [...args], {
      cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', ...this.#options.env, ...env },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#child = child
    this.#expected = false
    this.#ended = new Promise((resolve) =>
      child.once('close', (code, signal) => {
        if (!this.#expected) this.surprises.push(`${name} ended by itself (${code ?? signal}): ${lastWords(this.log)}`)
        this.#child = undefined
        resolve()
      }),
    )
  }

  up(deadlineMs?: number): Promise<true> {
    return this.says(this.#options.up, deadlineMs)
  }

  /** In its present life. */
  says(words: RegExp, deadlineMs = 30_000): Promise<true> {
    return eventually(`${this.name} says ${words}`, () => this.running && words.test(this.lifeLog), deadlineMs)
  }

  async kill(): Promise<void> {
    if (this.#child === undefined) return
    this.#expected = true
    this.#kills++
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Asks it to end, and gives its exit code. */
  async stop(deadlineMs: number): Promise<number | null> {
    const child = this.#child
    if (child === undefined) return 0
    this.#expected = true
    child.kill('SIGTERM')
    await within(deadlineMs, `${this.name} ends`, this.#ended)
    return child.exitCode
  }

  /** In any of its lives, the program running or not. */
  said(words: RegExp, deadlineMs = 30_000): Promise<boolean> {
    return eventually(`${this.name} says ${words}`, () => words.test(this.log), deadlineMs)
  }

  /** From now on it is no surprise when it ends by itself. Resolves when it has ended, however. */
  mayEnd(): Promise<void> {
    this.#expected = true
    return this.#ended
  }

  /** Ends by itself: gives its exit code. */
  async gone(deadlineMs: number): Promise<number | null> {
    const child = this.#child
    this.#expected = true
    await within(deadlineMs, `${this.name} ends by itself`, this.#ended)
    return child?.exitCode ?? null
  }
}

function lastWords(log: string): string {
  return log.trimEnd().split('\n').slice(-3).join(' | ')
}
