import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import { freePort } from './ports.ts'

/** As we ship it, but open to all and for all topics: `mosquitto-process.ts` is for what users may do. */
const CONFIG = readFileSync(fileURLToPath(new URL('../../deploy/mosquitto.conf', import.meta.url)), 'utf8')
  .replace(/^allow_anonymous .*$/m, 'allow_anonymous true')
  .replaceAll(/^(password_file|acl_file|include_dir) .*$/gm, '')

export interface Mosquitto {
  readonly url: string
  /** Stops it as an operator does, so that it writes down what it holds, and starts it again. */
  restart(): Promise<void>
  /** Ends it like a power cut, and starts it again: it remembers what it wrote down last. */
  crash(): Promise<void>
  stop(): Promise<void>
}

const STOP_MS = 10_000

/** The broker people have, in a container of its own. */
export async function startMosquitto(): Promise<Mosquitto> {
  // A fixed port: a random one would be another after a restart.
  const port = await freePort()
  const started: StartedTestContainer = await new GenericContainer('eclipse-mosquitto:2')
    .withExposedPorts({ container: 1883, host: port })
    .withCopyContentToContainer([{ content: CONFIG, target: '/mosquitto/config/mosquitto.conf' }])
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  return {
    url: `mqtt://${started.getHost()}:${port}`,
    restart: () => started.restart({ timeout: STOP_MS }),
    crash: async () => {
      const { container } = await getContainerRuntimeClient()
      await container.getById(started.getId()).kill()
      await started.restart({ timeout: STOP_MS })
    },
    stop: async () => {
      await started.stop()
    },
  }
}
