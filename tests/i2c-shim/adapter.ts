import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { I2cBus } from '../../publisher/sensors/bus/bus.ts'
import { busFaultOf } from '../../publisher/sensors/bus/bus-fault.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'

const HEAD_BYTES = 6
/** The kernel's union of a byte, a word, and a block behind its length. */
const SMBUS_BYTES = 34
const BYTE_DATA = 2
/** The second is what programs from before 2.6.23 ask for: blocks of 32 bytes only. */
const BLOCKS: ReadonlySet<number> = new Set([8, 6])

const ENOENT = 2
const EACCES = 13
const EBUSY = 16
const EOPNOTSUPP = 95

/** The kernel's side of `/dev/i2c-1`, with a bus behind it: what the preloaded library asks is answered here. */
export interface Adapter {
  readonly socket: string
  /** Addresses that kernel drivers have: only a program that forces it may use them. */
  readonly claimed: Set<number>
  /** What opening the device says. */
  state: 'open' | 'forbidden' | 'missing'
  /** Milliseconds each transfer takes. */
  delayMs: number
  /** Transfers of a program that has set no address: on a real bus they go to all chips. */
  readonly generalCalls: number
  /** Files that are open. */
  readonly openFiles: number
}

/** Serves a bus at a new socket. Faults of the bus are answered with their errno. */
export async function serveAdapter(bus: I2cBus, cleanUp?: CleanUp): Promise<Adapter> {
  const socket = join(temporaryDirectory(cleanUp), 'i2c')
  const connections = new Set<Socket>()
  let generalCalls = 0
  const adapter = {
    socket,
    claimed: new Set<number>(),
    state: 'open' as Adapter['state'],
    delayMs: 0,
    get generalCalls() {
      return generalCalls
    },
    get openFiles() {
      return connections.size
    },
  }
  const fileOf = () => {
    let address: number | undefined
    const at = () => {
      if (address !== undefined) return address
      generalCalls++
      throw errno(EOPNOTSUPP)
    }
    const calls: Readonly<
      Record<number, (command: number, argument: number, bytes: Buffer) => Promise<Buffer | undefined>>
    > = {
      1: async () => {
        if (adapter.state !== 'open') throw errno(adapter.state === 'missing' ? ENOENT : EACCES)
        return undefined
      },
      2: async (_command, argument) => {
        if (adapter.claimed.has(argument)) throw errno(EBUSY)
        address = argument
        return undefined
      },
      3: async (_command, argument) => {
        address = argument
        return undefined
      },
      4: async (command, kind, bytes) => {
        if (kind === BYTE_DATA) return Buffer.of(await bus.readByte(at(), command))
        if (!BLOCKS.has(kind)) throw errno(EOPNOTSUPP)
        const block = Buffer.alloc(bytes.readUInt8(0))
        await bus.readBlock(at(), command, block)
        return Buffer.concat([Buffer.of(block.length), block], SMBUS_BYTES)
      },
      5: async (command, kind, bytes) => {
        if (kind === BYTE_DATA) await bus.writeByte(at(), command, bytes.readUInt8(0))
        else if (BLOCKS.has(kind))
          await bus.write(at(), Buffer.of(command, ...bytes.subarray(1, 1 + bytes.readUInt8(0))))
        else throw errno(EOPNOTSUPP)
        return undefined
      },
      6: async (_command, _argument, bytes) => {
        await bus.write(at(), bytes)
        return undefined
      },
    }
    return async (call: number, command: number, argument: number, bytes: Buffer): Promise<[number, Buffer]> => {
      if (adapter.delayMs > 0 && call > 3) await new Promise((resolve) => setTimeout(resolve, adapter.delayMs))
      try {
        const answer = await calls[call]?.(command, argument, bytes)
        // A plain write says how much it took, everything else that it worked.
        return [call === 6 ? bytes.length : 0, answer ?? Buffer.alloc(0)]
      } catch (error) {
        return [-busFaultOf(error, address ?? 0).errno, Buffer.alloc(0)]
      }
    }
  }
  const server = createServer((connection) => {
    connections.add(connection)
    connection.on('close', () => connections.delete(connection))
    // Programs that are killed.
    connection.on('error', () => undefined)
    void serve(connection, fileOf())
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  cleanUp?.(async () => {
    for (const connection of connections) connection.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return adapter
}

async function serve(
  connection: Socket,
  answerTo: (call: number, command: number, argument: number, bytes: Buffer) => Promise<[number, Buffer]>,
): Promise<void> {
  let waiting = Buffer.alloc(0)
  try {
    for await (const chunk of connection) {
      waiting = Buffer.concat([waiting, chunk])
      while (waiting.length >= HEAD_BYTES && waiting.length >= HEAD_BYTES + waiting.readUInt16LE(4)) {
        const end = HEAD_BYTES + waiting.readUInt16LE(4)
        const [result, bytes] = await answerTo(
          waiting.readUInt8(0),
          waiting.readUInt8(1),
          waiting.readUInt16LE(2),
          waiting.subarray(HEAD_BYTES, end),
        )
        waiting = waiting.subarray(end)
        const head = Buffer.alloc(HEAD_BYTES)
        head.writeInt32LE(result, 0)
        head.writeUInt16LE(bytes.length, 4)
        connection.write(Buffer.concat([head, bytes]))
      }
    }
  } catch {
    // A program that was killed in the middle of a call.
  }
}

function errno(number: number): Error {
  return Object.assign(new Error(`errno ${number}`), { errno: number })
}
