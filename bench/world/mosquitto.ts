import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../tests/support/ports.ts'
import { type Process, processOf } from './program.ts'

export interface Mosquitto {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Ends it, politely or not, and starts it again on the same port and files. */
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  stop(): Promise<void>
}

const SHIPPED = fileURLToPath(new URL('../../deploy/mosquitto.conf', import.meta.url))
const PROGRAM = process.env.MOSQUITTO ?? '/usr/sbin/mosquitto'

/** The broker people have, with the configuration we ship, its files in `dir`. */
export async function startMosquitto(dir: string): Promise<Mosquitto> {
  const port = await freePort()
  const config = join(dir, 'mosquitto.conf')
  const shipped = await readFile(SHIPPED, 'utf8')
  const own = shipped
    .replace(/^listener .*$/m, `listener ${port} 127.0.0.1`)
    .replace(/^persistence_location .*$/m, `persistence_location ${dir}/`)
    // Who may come in is not what is measured.
    .replace(/^(password_file|acl_file|include_dir) .*$/gm, '')
    .replace(/^allow_anonymous .*$/m, 'allow_anonymous true')
  // Started by root it would become another user, who may not write there.
  await writeFile(config, `${own}\nuser root\n`)
  let broker: Process = await start(config, port)
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    get pid() {
      return broker.pid
    },
    restart: async (signal = 'SIGTERM') => {
      await broker.kill(signal)
      broker = await start(config, port)
    },
    stop: () => broker.kill(),
  }
}

async function start(config: string, port: number): Promise<Process> {
  const child = spawn(PROGRAM, ['-c', config], { stdio: 'ignore' })
  const broker = processOf(child)
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error(`${PROGRAM} ended (${child.exitCode})`)
    await sleep(20)
  }
  return broker
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
