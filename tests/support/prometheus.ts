import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'
import { type CleanUp, temporaryDirectory } from './directory.ts'
import { eventually } from './eventually.ts'
import { freePort } from './ports.ts'

export const MONITORING = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url))

/** Tests that need Prometheus and promtool on this machine. Without them they are skipped, and a line says so. */
export function describeWithPrometheus(name: string, tests: () => void): void {
  const missing = ['prometheus', 'promtool'].find((program) => spawnSync(program, ['--version']).error)
  if (missing === undefined) describe(name, tests)
  else if (process.env.SNOWHAT_REQUIRE_PROMETHEUS === '1')
    it(`${name}: has Prometheus`, () => {
      throw new Error(`SNOWHAT_REQUIRE_PROMETHEUS=1, and ${missing} is not installed`)
    })
  else describe.skip(`${name} (SKIPPED: ${missing} is not installed)`, tests)
}

/** What promtool writes, and throws with that when it finds fault. */
export function promtool(args: readonly string[], input?: string): string {
  const { error, status, stderr, stdout } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout + stderr
}

/** A sample as the HTTP API answers it. */
export interface Found {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [at: number, value: string]
}

export interface Prometheus {
  readonly url: string
  /** The samples an expression gives now; throws when it is wrong. */
  query(expression: string): Promise<Found[]>
  targets(): Promise<{ readonly health: string; readonly lastError: string }[]>
  rules(): Promise<{ readonly name: string; readonly health: string; readonly lastError?: string }[]>
}

/** Prometheus with the configuration of deploy/, which looks at `target` instead, and every second. */
export async function startPrometheus(target: string, cleanUp: CleanUp): Promise<Prometheus> {
  const directory = temporaryDirectory(cleanUp)
  const config = join(directory, 'prometheus.yml')
  writeFileSync(
    config,
    replaced(readFileSync(join(MONITORING, 'prometheus.yml'), 'utf8'), {
      'bridge:8080': target,
      '/etc/prometheus/rules.yml': join(MONITORING, 'rules.yml'),
      'scrape_interval: 15s': 'scrape_interval: 1s',
      'evaluation_interval: 15s': 'evaluation_interval: 1s',
    }),
  )
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let written = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written += text
  })
  const gone = new Promise((resolve) => child.once('close', resolve))
  cleanUp(async () => {
    child.kill('SIGKILL')
    await gone
  })
  const url = `http://${address}`
  await eventually('Prometheus is ready', async () => {
    if (child.exitCode !== null) throw new Error(written)
    return (await fetch(`${url}/-/ready`)).ok
  })
  const api = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T; status: string; error?: string }
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`)
    return answer.data
  }
  return {
    url,
    query: async (expression) =>
      (await api<{ result: Found[] }>(`query?query=${encodeURIComponent(expression)}`)).result,
    targets: async () =>
      (await api<{ activeTargets: { health: string; lastError: string }[] }>('targets')).activeTargets,
    rules: async () => {
      const { groups } = await api<{ groups: { rules: { name: string; health: string; lastError?: string }[] }[] }>(
        'rules',
      )
      return groups.flatMap(({ rules }) => rules)
    },
  }
}

/** Each text is replaced, and must be there. */
function replaced(text: string, by: Readonly<Record<string, string>>): string {
  return Object.entries(by).reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`the configuration has no ${from}`)
    return result.replace(from, to)
  }, text)
}
