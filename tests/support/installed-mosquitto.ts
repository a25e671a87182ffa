import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CleanUp, temporaryDirectory } from './directory.ts'
import { within } from './eventually.ts'
import { freePort } from './ports.ts'

/** Where distributions put it; not on everybody's PATH. */
const env = { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }

export function hasMosquitto(): boolean {
  return spawnSync('mosquitto', ['-h'], { env }).error === undefined
}

/** The Mosquitto of this machine, open to all, for tests that do not restart it. Gives its URL. */
export async function startInstalledMosquitto(cleanUp: CleanUp): Promise<string> {
  const port = await freePort()
  const config = join(temporaryDirectory(cleanUp), 'mosquitto.conf')
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n`)
  const broker = spawn('mosquitto', ['-c', config], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const gone = new Promise((resolve) => broker.once('close', resolve))
  cleanUp(async () => {
    broker.kill()
    await gone
  })
  const running = new Promise<void>((resolve, reject) => {
    let written = ''
    broker.stderr.setEncoding('utf8').on('data', (text: string) => {
      written += text
      if (written.includes(' running')) resolve()
    })
    broker.once('close', () => reject(new Error(`Mosquitto has ended: ${written}`)))
  })
  await within(10_000, 'Mosquitto is running', running)
  return `mqtt://127.0.0.1:${port}`
}
