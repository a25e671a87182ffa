import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import mqttPacket, { type Packet } from 'mqtt-packet'
import type { CleanUp } from './directory.ts'
import { Happenings } from './happenings.ts'

/** A packet as it went over the wire. */
export interface Tapped {
  readonly from: 'client' | 'broker'
  readonly packet: Packet
}

/** A cable between a client and its broker, and all packets on it, in their order. MQTT 5. */
export interface PacketTap {
  readonly url: string
  readonly packets: Happenings<Tapped>
  /** Ends every connection without a word of MQTT. */
  cut(): void
}

export async function openPacketTap(brokerUrl: string, cleanUp: CleanUp): Promise<PacketTap> {
  const { hostname, port } = new URL(brokerUrl)
  const packets = new Happenings<Tapped>()
  const sockets = new Set<Socket>()
  const listen = (from: Tapped['from'], source: Socket, sink: Socket) => {
    const parser = mqttPacket.parser({ protocolVersion: 5 })
    parser.on('packet', (packet) => packets.note({ from, packet }))
    sockets.add(source)
    source.on('error', () => undefined)
    source.on('close', () => {
      sockets.delete(source)
      sink.destroy()
    })
    source.on('data', (bytes) => {
      sink.write(bytes)
      parser.parse(Buffer.from(bytes))
    })
    source.on('end', () => sink.end())
  }
  const server = createServer((client) => {
    const broker = connect(Number(port), hostname)
    listen('client', client, broker)
    listen('broker', broker, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  cleanUp(async () => {
    cut()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, packets, cut }
}
