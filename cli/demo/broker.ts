import { createServer } from 'node:net'
import { SnowhatError } from '../../src/errors.ts'
import { listen } from '../../src/http-server.ts'

export interface Broker {
  readonly port: number
  close(): Promise<void>
}

/** An MQTT broker in this process. It keeps nothing on disk: for the demo, not for a house. */
export async function startBroker(port: number): Promise<Broker> {
  const { Aedes } = await import('aedes').catch((error: unknown) => {
    throw new SnowhatError('E_MISSING_PACKAGE', "the demo's broker is not installed", {
      cause: error,
      hint: 'npm install aedes@1.2.0',
    })
  })
  // By default the broker refuses a client's 43rd message while its first is under way: a fleet's burst.
  const aedes = await Aedes.createBroker({ queueLimit: 10_000 })
  const server = createServer(aedes.handle)
  const actual = await listen(server, '127.0.0.1', port, '--mqtt-port').catch((error: unknown) => {
    // Its timers would keep the process alive.
    aedes.close()
    throw error
  })
  return {
    port: actual,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
      await closed
    },
  }
}
