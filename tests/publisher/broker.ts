import { createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { expect, onTestFinished } from 'vitest'

export interface Seen {
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
}

/** A real broker on this machine that remembers what it was told. */
export async function startBroker() {
  const broker = await Aedes.createBroker()
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    broker.handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  broker.on('publish', (packet) => {
    if (packet.topic.startsWith('$SYS')) return
    seen.push({ topic: packet.topic, payload: packet.payload.toString(), retain: packet.retain })
  })
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => broker.close(() => resolve(undefined)))
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(stop)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const publish = (topic: string, payload: string) =>
    new Promise<void>((resolve) =>
      broker.publish({ cmd: 'publish', topic, payload, qos: 1, retain: true, dup: false }, () => resolve()),
    )
  /** From now on no PUBACK leaves. */
  const freeze = () => {
    broker.authorizePublish = () => undefined
  }
  return { url: `mqtt://127.0.0.1:${port}`, seen, sockets, publish, freeze }
}

export const until = async (what: () => boolean) => expect.poll(what, { timeout: 8_000, interval: 10 }).toBe(true)

/** Sequence numbers of all readings a broker has seen. */
export function seqsOf(seen: readonly Seen[]): number[] {
  return seen
    .filter((m) => m.topic === 'sensehat/pi-a/readings')
    .flatMap((m) => JSON.parse(m.payload) as { seq: number } | { seq: number }[])
    .map((r) => r.seq)
}
