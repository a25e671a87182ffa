import type { SharedBus } from '../bus/shared-bus.ts'
import { type Found, findChip, type Identity } from './identity.ts'

/** The registers of one chip, wherever on the bus it is. */
export class Registers {
  readonly #bus: SharedBus
  readonly #identity: Identity
  #found: Found | undefined

  constructor(bus: SharedBus, identity: Identity) {
    this.#bus = bus
    this.#identity = identity
  }

  /** Where it was found last; `null` before. */
  get address(): number | null {
    return this.#found?.address ?? null
  }

  /** Rejects with a `BusFault` or a `ChipFault` when the chip is at none of its addresses. */
  async find(): Promise<Found> {
    this.#found = await findChip(this.#bus, this.#identity)
    return this.#found
  }

  read(register: number): Promise<number> {
    return this.#bus.readByte(this.#where, register)
  }

  write(register: number, value: number): Promise<void> {
    return this.#bus.writeByte(this.#where, register, value)
  }

  /** Fills `into` in one transfer. */
  block(register: number, into: Buffer): Promise<void> {
    return this.#bus.readBlock(this.#where, register, into)
  }

  get #where(): number {
    if (this.#found === undefined) throw new Error('a chip is used that was never found')
    return this.#found.address
  }
}
