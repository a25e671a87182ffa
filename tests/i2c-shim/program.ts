import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, it, onTestFinished } from 'vitest'
import type { SensorKey, SensorValues } from '../../publisher/sensors/sensors.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { within } from '../support/eventually.ts'
import type { Adapter } from './adapter.ts'
import type { Order } from './board-program.ts'

const SHIM = fileURLToPath(new URL('i2c-shim.c', import.meta.url))
const PROGRAM = fileURLToPath(new URL('board-program.ts', import.meta.url))

/** Tests of the compiled package `i2c-bus`. Without it, or a compiler for what stands in for the kernel, they are skipped. */
export function describeWithAddon(name: string, tests: () => void): void {
  const missing = findMissing()
  if (missing === '') describe(name, tests)
  else if (process.env.SNOWHAT_REQUIRE_I2C_ADDON === '1')
    it(`${name}: has the addon and a compiler`, () => {
      throw new Error(`SNOWHAT_REQUIRE_I2C_ADDON=1, and ${missing}`)
    })
  else {
    process.stderr.write(`\n!!! ${missing}: the tests of the I2C addon are SKIPPED, nothing is proved about it\n\n`)
    describe.skip(`${name} (SKIPPED: ${missing})`, tests)
  }
}

/** Empty when all is there. */
function findMissing(): string {
  if (process.platform !== 'linux') return 'I2C devices are those of Linux'
  if (spawnSync('cc', ['--version']).error) return 'there is no C compiler (cc)'
  try {
    createRequire(import.meta.url)('i2c-bus')
    return ''
  } catch {
    return 'i2c-bus is not installed or not compiled'
  }
}

/** Compiles the library that is preloaded. Gives its path. */
export function compileShim(cleanUp: CleanUp): string {
  const library = join(temporaryDirectory(cleanUp), 'i2c-shim.so')
  execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, SHIM, '-ldl'])
  return library
}

/** What the program has answered. */
export interface Answer {
  readonly board?: string
  readonly keys?: readonly SensorKey[]
  readonly values?: SensorValues | null
  readonly problems?: readonly string[]
  readonly counters?: { readonly reopens: number; readonly retries: number }
  readonly bytes?: string
  readonly failed?: string
  readonly hint?: string
}

/** Runs the program until the end of the test. `first` is what its start has led to. */
export async function startProgram(library: string, { socket }: Adapter, ...argv: readonly string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...argv], {
    // Not only on the C library: libuv must not go past it.
    env: { PATH: process.env.PATH, LD_PRELOAD: library, I2C_SHIM_SOCKET: socket, UV_USE_IO_URING: '0' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<Answer> => {
    const { value, done } = await within(20_000, 'the program answers', lines.next())
    if (done) throw new Error('the program has ended')
    return JSON.parse(value)
  }
  const order = (what: Order) => {
    child.stdin.write(`${JSON.stringify(what)}\n`)
    return next()
  }
  return { first: await next(), order }
}
