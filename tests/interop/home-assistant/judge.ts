import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'
import { describeWithMosquitto, startAnyMosquitto } from '../../support/any-mosquitto.ts'

const JUDGE = fileURLToPath(new URL('judge.py', import.meta.url))
const PYTHON = process.env.SNOWHAT_HOME_ASSISTANT_PYTHON ?? ''
/** Set where a missing Home Assistant is a failure. */
const REQUIRED = process.env.SNOWHAT_REQUIRE_HOME_ASSISTANT === '1'

/** A discovery document as it is on the broker, and what is published after Home Assistant has discovered it. */
export interface Case {
  readonly topic: string
  readonly payload: string
  readonly states: readonly { readonly topic: string; readonly payload: string; readonly retain: boolean }[]
}

/** An entity as Home Assistant has it; what it has not is `null`. */
export interface JudgedEntity {
  /** The entity platform, such as `sensor`. */
  readonly platform: string
  readonly unique_id: string
  readonly entity_id: string
  readonly name: string | null
  readonly entity_category: 'diagnostic' | 'config' | null
  /** As it was announced: `integration`, or `null` for an enabled one. */
  readonly disabled_by: string | null
  readonly device_class: string | null
  readonly unit: string | null
  /** With all entities enabled. */
  readonly state: string | null
  readonly attributes: Readonly<Record<string, unknown>>
  /** The identifiers of its device. */
  readonly device: readonly string[] | null
  /** Keys of its component that Home Assistant does not know there, and has dropped without a word. */
  readonly ignored_keys: readonly string[] | null
}

export interface Verdict {
  /** Its version. */
  readonly home_assistant: string
  readonly entities: readonly JudgedEntity[]
  readonly devices: readonly { readonly identifiers: readonly string[]; readonly name: string | null }[]
  /** What it would ask the user to repair. */
  readonly issues: readonly string[]
  /** Every warning and error. */
  readonly log: readonly { readonly level: string; readonly logger: string; readonly message: string }[]
}

/** Tests that need Home Assistant. Without it they are skipped and a line says so, or fail where it is required. */
export function describeWithHomeAssistant(name: string, tests: () => void): void {
  const why = 'SNOWHAT_HOME_ASSISTANT_PYTHON is not set; tests/interop/home-assistant/environment.sh prints it'
  if (PYTHON !== '') describeWithMosquitto(name, tests)
  else if (REQUIRED)
    it(`${name}: has Home Assistant`, () => {
      throw new Error(`SNOWHAT_REQUIRE_HOME_ASSISTANT=1, and ${why}`)
    })
  else {
    process.stderr.write(`\n!!! NO HOME ASSISTANT: "${name}" is SKIPPED, nothing is proved about it (${why})\n\n`)
    describe.skip(`${name} (SKIPPED: no Home Assistant)`, tests)
  }
}

/** What a new Home Assistant makes of the documents, on a broker of their own. Takes 20 seconds. */
export async function judge(cases: readonly Case[]): Promise<Verdict> {
  const closing: (() => void | Promise<void>)[] = []
  try {
    const { hostname, port } = new URL(await startAnyMosquitto((close) => closing.unshift(close)))
    return JSON.parse(await runJudge([hostname, port], JSON.stringify(cases)))
  } finally {
    for (const close of closing) await close()
  }
}

function runJudge(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, [JUDGE, ...args])
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(stdout)
      else reject(new Error(`Home Assistant did not get to a verdict (${code}): ${stderr}`))
    })
    child.stdin.end(input)
  })
}
