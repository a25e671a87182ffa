import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A cable between a client and its broker. */
export interface CutProxy {
  readonly url: string
  /** Connections that were made through it so far. */
  readonly connections: number
  /** Ends every connection without a word of MQTT. */
  cut(): void
  /** From now on nothing passes, and nobody is told. */
  freeze(): void
  /** New connections are refused from now on, or taken again. */
  refuse(refused: boolean): void
}

export async function openCutProxy(brokerUrl: string): Promise<CutProxy> {
  const { hostname, port } = new URL(brokerUrl)
  const pairs = new Set<readonly [Socket, Socket]>()
  let refused = false
  let connections = 0
  const server = createServer((client) => {
    client.on('error', () => undefined)
    if (refused) {
      client.destroy()
      return
    }
    connections++
    const broker = connect(Number(port), hostname)
    const pair = [client, broker] as const
    pairs.add(pair)
    broker.on('error', () => undefined)
    client.pipe(broker)
    broker.pipe(client)
    for (const socket of pair)
      socket.on('close', () => {
        pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy()
  }
  onTestFinished(async () => {
    cut()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    cut,
    freeze: () => {
      for (const [client, broker] of pairs) {
        client.unpipe(broker)
        broker.unpipe(client)
      }
    },
    refuse: (now) => {
      refused = now
    },
  }
}
