import { readdir, readFile, readlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** A Mosquitto on this machine, as its configuration says. */
export interface MosquittoConfig {
  readonly file: string
  /** The last value of each option, as Mosquitto takes it. */
  readonly options: ReadonlyMap<string, string>
  readonly ports: readonly number[]
}

/** The Mosquitto that listens on a port of this machine; undefined when none is seen: another broker, or one in a container. */
export async function findMosquitto(port: number, proc = '/proc'): Promise<MosquittoConfig | undefined> {
  const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const words = (await readFile(join(proc, pid, 'cmdline'), 'utf8').catch(() => '')).split('\0')
    if (!/(^|\/)mosquitto$/.test(words[0] ?? '')) continue
    const config = await configOf(words, await readlink(join(proc, pid, 'cwd')).catch(() => '/'))
    if (config?.ports.includes(port)) return config
  }
  return undefined
}

async function configOf(words: readonly string[], cwd: string): Promise<MosquittoConfig | undefined> {
  const at = words.findIndex((word) => word === '-c' || word === '--config-file')
  const named = words[at + 1]
  if (at < 0 || named === undefined) return undefined
  const file = resolve(cwd, named)
  const lines = await linesOf(file).catch(() => undefined)
  if (lines === undefined) return undefined
  const options = new Map(lines)
  const listeners = lines
    .filter(([name]) => name === 'listener' || name === 'port')
    .map(([, value]) => Number.parseInt(value, 10))
  return { file, options, ports: listeners.length === 0 ? [1883] : listeners }
}

/** Included files come last, by name [documented, mosquitto.conf(5)]. */
async function linesOf(file: string): Promise<[name: string, value: string][]> {
  const lines: [string, string][] = []
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const [, name, value = ''] = /^\s*([a-z_]+)\s+(.*?)\s*$/.exec(line) ?? []
    if (name === undefined) continue
    if (name !== 'include_dir') lines.push([name, value])
    else {
      const directory = resolve(dirname(file), value)
      const files = (await readdir(directory).catch(() => [])).filter((one) => one.endsWith('.conf')).sort()
      for (const one of files) lines.push(...(await linesOf(join(directory, one))))
    }
  }
  return lines
}
