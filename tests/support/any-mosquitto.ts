import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { describeWithContainers } from './container.ts'
import { type CleanUp, temporaryDirectory } from './directory.ts'
import { within } from './eventually.ts'
import { startMosquitto } from './mosquitto.ts'
import { freePort } from './ports.ts'

/** Where distributions put it; not on everybody's PATH. */
const env = { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }

const isInstalled = spawnSync('mosquitto', ['-h'], { env }).error === undefined

/** Tests that need a Mosquitto and do not care whose: the machine's, or else one in a container. */
export const describeWithMosquitto: (name: string, tests: () => void) => void = isInstalled
  ? describe
  : describeWithContainers

/** Open to all. Gives its URL. */
export async function startAnyMosquitto(cleanUp: CleanUp): Promise<string> {
  if (isInstalled) return startInstalled(cleanUp)
  const broker = await startMosquitto()
  cleanUp(() => broker.stop())
  return broker.url
}

async function startInstalled(cleanUp: CleanUp): Promise<string> {
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
