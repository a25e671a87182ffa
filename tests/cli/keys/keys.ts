import { EventEmitter } from 'node:events'
import { main } from '../../../cli/main.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** `snowhat keys …` in this process. */
export async function keys(argv: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const host = Object.assign(new EventEmitter(), {
    env,
    pid: 1,
    exit: () => undefined,
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
  })
  const code = await main(['keys', ...argv, '--log-level', 'silent'], host)
  return { code, out: out.join(''), err: err.join('') }
}
