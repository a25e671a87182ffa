import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aedes, type AedesOptions } from 'aedes'
import { onTestFinished } from 'vitest'
import { Happenings } from './happenings.ts'

export interface Attempt {
  readonly clientId: string
  /** 5, or 4 for MQTT 3.1.1. */
  readonly protocol: number
  readonly clean: boolean
}

/** A broker in this process. One whose sessions are to outlive a restart is given its own `persistence`. */
export class AedesBroker {
  readonly attempts = new Happenings<Attempt>()
  /** Topic and payload of every message clients have published. */
  readonly published = new Happenings<readonly [topic: string, payload: string]>()
  /** Of messages the broker has delivered: the PUBACKs. */
  readonly acknowledged = new Happenings<string>()
  readonly #sockets = new Set<Socket>()
  readonly #options: AedesOptions
  #aedes: Aedes | undefined
  #server = createServer()
  #port = 0

  constructor(options: AedesOptions) {
    this.#options = options
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const aedes = await Aedes.createBroker({
      ...this.#options,
    })
    this.#aedes = aedes
    aedes.on('publish', (packet, client) => {
      if (client) this.published.note([packet.topic, packet.payload.toString()])
    })
    aedes.on('ack', (packet) => {
      if (packet && 'topic' in packet) this.acknowledged.note(packet.payload.toString())
    })
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.once('data', (bytes) => this.attempts.note(connectOf(bytes)))
      socket.pause()
      aedes.handle(socket)
    })
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Ends every connection without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Gone: connections are cut and the port is closed. `start` brings it back on the same port. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.cut()
    await closed
    await new Promise<void>((resolve) => (this.#aedes ? this.#aedes.close(() => resolve()) : resolve()))
  }
}

export async function aedesBroker(options: AedesOptions = {}): Promise<AedesBroker> {
  const broker = new AedesBroker(options)
  await broker.start()
  onTestFinished(() => broker.stop())
  return broker
}

/** The first bytes of a connection, read by hand: aedes itself refuses MQTT 5 before it tells anybody. */
function connectOf(bytes: Buffer): Attempt {
  const name = bytes.indexOf('MQTT')
  const protocol = bytes[name + 4] ?? 0
  const clean = ((bytes[name + 5] ?? 0) & 2) !== 0
  // Protocol level, flags, keep-alive; in MQTT 5 properties of less than 128 bytes follow.
  const at = name + 8 + (protocol === 5 ? 1 + (bytes[name + 8] ?? 0) : 0)
  const length = bytes.readUInt16BE(at)
  return { protocol, clean, clientId: bytes.subarray(at + 2, at + 2 + length).toString() }
}
