import { EventEmitter } from 'node:events'
import { main } from '../../cli/main.ts'

/** Runs a command in this process, and gives what it has said. */
export async function snowhat(argv: readonly string[], env: Record<string, string>) {
  const out: string[] = []
  const err: string[] = []
  const host = Object.assign(new EventEmitter(), {
    env,
    pid: 1,
    exit: () => undefined,
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
  })
  const code = await main(argv, host)
  return { code, out: out.join(''), err: err.join('') }
}
