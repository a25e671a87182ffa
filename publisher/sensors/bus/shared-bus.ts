import type { Clock } from '../../../src/clock.ts'
import type { I2cBus } from './bus.ts'
import { BusFault, type BusFaultKind, busFaultOf } from './bus-fault.ts'

export interface BusCounters {
  readonly transfers: number
  /** Transfers tried again after a fault. */
  readonly retries: number
  /** Transfers given up. */
  readonly failures: number
  /** Times the bus was closed to be opened anew. */
  readonly reopens: number
}

/** Waits before the tries after the first: noise passes, a chip that is away does not come back for it. */
const RETRY_AFTER_MS = [10, 30, 90] as const
const PASSING: ReadonlySet<BusFaultKind> = new Set(['no-answer', 'garbled', 'arbitration'])
/**
 * After these the bus is opened anew. For `claimed` that is vital: `i2c-bus` keeps the descriptor it could not set an
 * address on, and the next transfer would go to address 0, all chips [observed, i2c-bus 5.2.3].
 */
const SPOILING: ReadonlySet<BusFaultKind> = new Set(['claimed', 'hung', 'gone'])
/** A transfer takes a few milliseconds; the kernel itself gives up after a second. */
const PATIENCE_MS = 250
const SETTLE_MS = 100
const ETIMEDOUT = 110
const ENODEV = 19

/**
 * The one owner of a bus: one transfer at a time (a stuck one must not take all of Node's threads), faults that pass
 * are tried again, and a bus that is spoiled is closed and opened anew by the next transfer.
 */
export class SharedBus implements I2cBus {
  readonly #open: () => Promise<I2cBus>
  readonly #clock: Clock
  #bus: I2cBus | undefined
  /** The transfer at work, and with it the queue of those that wait. */
  #last: Promise<unknown> = Promise.resolve()
  /** A native call cannot be cancelled: until it returns its descriptors are in use. */
  #stuck = false
  #closed = false
  readonly #counters = { transfers: 0, retries: 0, failures: 0, reopens: 0 }

  constructor(open: () => Promise<I2cBus>, clock: Clock) {
    this.#open = open
    this.#clock = clock
  }

  get counters(): BusCounters {
    return { ...this.#counters }
  }

  readByte(address: number, register: number): Promise<number> {
    return this.#persist(address, (bus) => bus.readByte(address, register))
  }

  writeByte(address: number, register: number, value: number): Promise<void> {
    return this.#persist(address, (bus) => bus.writeByte(address, register, value))
  }

  readBlock(address: number, register: number, into: Buffer): Promise<void> {
    return this.#persist(address, (bus) => bus.readBlock(address, register, into))
  }

  write(address: number, bytes: Buffer): Promise<void> {
    return this.#persist(address, (bus) => bus.write(address, bytes))
  }

  /** As `readByte`, but asks once: to learn who is there, no answer is an answer. */
  ask(address: number, register: number): Promise<number> {
    return this.#exclusive(() => this.#transfer(address, (bus) => bus.readByte(address, register)))
  }

  /** Closes the bus and gives it a moment; the next transfer opens it. */
  reset(): Promise<void> {
    return this.#exclusive(async () => {
      await this.#discard()
      await this.#clock.sleep(SETTLE_MS)
    })
  }

  /** Transfers that wait, and later ones, reject. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#exclusive(async () => {
      if (!this.#stuck) await this.#bus?.close()
      this.#bus = undefined
    })
  }

  async #persist<T>(address: number, act: (bus: I2cBus) => Promise<T>): Promise<T> {
    for (const wait of RETRY_AFTER_MS) {
      try {
        return await this.#exclusive(() => this.#transfer(address, act))
      } catch (error) {
        if (!PASSING.has(busFaultOf(error, address).kind)) return this.#giveUp(error)
        this.#counters.retries++
        // Outside of the queue: the other chips need not wait for this one.
        await this.#clock.sleep(wait)
      }
    }
    return this.#exclusive(() => this.#transfer(address, act)).catch((error: unknown) => this.#giveUp(error))
  }

  #giveUp(error: unknown): never {
    this.#counters.failures++
    throw error
  }

  #exclusive<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(act, act)
    this.#last = turn
    return turn
  }

  async #transfer<T>(address: number, act: (bus: I2cBus) => Promise<T>): Promise<T> {
    if (this.#closed) throw new BusFault(ENODEV, address)
    if (this.#stuck) throw new BusFault(ETIMEDOUT, address)
    this.#counters.transfers++
    this.#bus ??= await this.#open()
    try {
      return await this.#watched(address, act(this.#bus))
    } catch (error) {
      const fault = busFaultOf(error, address)
      if (SPOILING.has(fault.kind) && !this.#stuck) await this.#discard()
      throw fault
    }
  }

  #watched<T>(address: number, transfer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(PATIENCE_MS, () => {
        this.#stuck = true
        reject(new BusFault(ETIMEDOUT, address))
      })
      const returned = () => {
        cancel()
        if (!this.#stuck) return
        this.#stuck = false
        void this.#discard()
      }
      transfer.then(
        (value) => {
          returned()
          resolve(value)
        },
        (error: unknown) => {
          returned()
          reject(error)
        },
      )
    })
  }

  async #discard(): Promise<void> {
    const bus = this.#bus
    if (bus === undefined) return
    this.#bus = undefined
    this.#counters.reopens++
    // What cannot be closed is not used any more either.
    await bus.close().catch(() => undefined)
  }
}
