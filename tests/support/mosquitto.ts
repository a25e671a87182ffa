import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import { freePort } from './ports.ts'

const CONFIG = `listener 1883
allow_anonymous true
persistence true
persistence_location /mosquitto/data/
log_dest stdout
max_queued_messages 0
`

export interface Mosquitto {
  readonly url: string
  /** Stops it as an operator does, so that it writes down what it holds, and starts it again. */
  restart(): Promise<void>
  /** Ends it like a power cut, and starts it again: it remembers what it wrote down last. */
  crash(): Promise<void>
  stop(): Promise<void>
}

const STOP_S = 10

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
    restart: () => started.restart({ timeout: STOP_S }),
    crash: async () => {
      const { container } = await getContainerRuntimeClient()
      await container.getById(started.getId()).kill()
      await started.restart({ timeout: STOP_S })
    },
    stop: async () => {
      await started.stop()
    },
  }
}
