import { type I2cBus, LONGEST_BLOCK } from '../bus/bus.ts'
import { BusFault } from '../bus/bus-fault.ts'
import type { Chance } from '../world/chance.ts'
import type { SimulatedDevice } from './device.ts'

/** What is wrong with the bus now; a scenario and tests change it. */
export class BusState {
  /** Addresses nobody answers at. */
  readonly dead = new Set<number>()
  /** Addresses a kernel driver owns. */
  readonly claimed = new Set<number>()
  /** No transfer ends. */
  hung = false
  /** The adapter is not there. */
  gone = false
  /** Share of the transfers that are not acknowledged, 0 to 1. */
  lost = 0
}

/** Linux errno. */
const ENODEV = 19
const EREMOTEIO = 121
const EBUSY = 16
const ETIMEDOUT = 110

/** A bus with chips on it, in memory. Errors are those of a real one. */
export class SimulatedBus implements I2cBus {
  readonly #devices: ReadonlyMap<number, SimulatedDevice>
  readonly #state: BusState
  readonly #chance: Chance
  /** Called before each transfer: what happens by time. */
  readonly #onTransfer: () => void
  #closed = false

  constructor(
    devices: readonly SimulatedDevice[],
    state: BusState,
    chance: Chance,
    onTransfer: () => void = () => undefined,
  ) {
    this.#devices = new Map(devices.map((device) => [device.address, device]))
    this.#state = state
    this.#chance = chance
    this.#onTransfer = onTransfer
  }

  async readByte(address: number, register: number): Promise<number> {
    const into = Buffer.alloc(1)
    this.#device(address).read(register, into)
    return into.readUInt8(0)
  }

  async writeByte(address: number, register: number, value: number): Promise<void> {
    this.#device(address).write(register, value)
  }

  async readBlock(address: number, register: number, into: Buffer): Promise<void> {
    if (into.length > LONGEST_BLOCK) throw new Error(`a block has at most ${LONGEST_BLOCK} bytes`)
    this.#device(address).read(register, into)
  }

  async write(address: number, bytes: Buffer): Promise<void> {
    const device = this.#device(address)
    for (let i = 1; i < bytes.length; i++) device.write((bytes[0] ?? 0) + i - 1, bytes[i] ?? 0)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #device(address: number): SimulatedDevice {
    if (this.#closed) throw new Error('a transfer on a bus that is closed')
    this.#onTransfer()
    if (this.#state.gone) throw new BusFault(ENODEV, address)
    if (this.#state.claimed.has(address)) throw new BusFault(EBUSY, address)
    if (this.#state.hung) throw new BusFault(ETIMEDOUT, address)
    const device = this.#devices.get(address)
    const lost = this.#state.lost > 0 && this.#chance.uniform() < this.#state.lost
    if (device === undefined || lost || this.#state.dead.has(address)) throw new BusFault(EREMOTEIO, address)
    return device
  }
}
