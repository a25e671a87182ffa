import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'

const JUDGE = fileURLToPath(new URL('judge.py', import.meta.url))
/** Set where a missing SDK is a failure. */
const REQUIRED = process.env.SNOWHAT_REQUIRE_SNOWFLAKE_SDK === '1'

/** A channel as the SDK has read it. */
export interface Status {
  readonly code: string
  readonly committed: string | null
  readonly inserted: number
  readonly parsed: number
  readonly errors: number
  readonly error: string | null
  readonly error_up_to: string | null
  /** Epoch seconds. */
  readonly error_at: number | null
}

export interface Verdict {
  readonly all_rows: { readonly opened: Status; readonly status: Status }
  readonly recovery: { readonly opened: Status; readonly status: Status }
  /** `error` is what the client is told that has lost its channel. */
  readonly take_over: { readonly opened: Status; readonly error: string | null; readonly status: Status }
  readonly bad_rows: { readonly status: Status }
  readonly drop: { readonly opened: Status }
  /** `told` is what the handlers of lost appends were given; `null` from an SDK without Elastic Channels. */
  readonly elastic: { readonly told: readonly string[]; readonly reserved: string | null } | null
}

const VARIABLES = { plain: 'SNOWHAT_SNOWFLAKE_SDK_PYTHON', tls: 'SNOWHAT_SNOWFLAKE_SDK_TLS_PYTHON' } as const

/** The Pythons that have the SDK that speaks plain HTTP, and the newest, which wants TLS; `''` where there is none. */
export const SDK = { plain: process.env[VARIABLES.plain] ?? '', tls: process.env[VARIABLES.tls] ?? '' }

/** Tests that need one of them. Without it they are skipped and a line says so, or fail where it is required. */
export function describeWithSdk(name: string, which: keyof typeof SDK, tests: () => void): void {
  const why = `${VARIABLES[which]} is not set; tests/interop/snowflake-sdk/environment.sh prints it`
  if (SDK[which] !== '') describe(name, tests)
  else if (REQUIRED)
    it(`${name}: has its SDK`, () => {
      throw new Error(`SNOWHAT_REQUIRE_SNOWFLAKE_SDK=1, and ${why}`)
    })
  else {
    process.stderr.write(`\n!!! NO SNOWFLAKE SDK: "${name}" is SKIPPED, nothing is proved about it (${why})\n\n`)
    describe.skip(`${name} (SKIPPED: no SDK)`, tests)
  }
}

/** All steps of `judge.py`, some 20 seconds. `env` is for the process of the SDK. */
export async function judge(
  python: string,
  properties: Readonly<Record<string, string>>,
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Verdict> {
  const file = join(directory, 'verdict.json')
  const place = { database: 'DEMO', schema: 'DEMO', table: 'SENSEHAT_SENSOR_DATA', pipe: 'SENSEHAT_STREAMING_PIPE' }
  await runPython(python, [JUDGE, file], { input: JSON.stringify({ ...place, properties }), directory, env })
  return JSON.parse(readFileSync(file, 'utf8'))
}

interface Run {
  readonly input: string
  readonly directory: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs it to its end in the directory; an end other than 0 is an error with its output. */
export function runPython(python: string, args: readonly string[], { input, directory, env }: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, {
      cwd: directory,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`the program that uses the SDK ended with ${code}: ${output.slice(-4_000)}`))
    })
    child.stdin.end(input)
  })
}
