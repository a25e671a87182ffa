import { encodeFrame, FRAME_OVERHEAD, KIND, restampFrame } from './frame.ts'

/** Who waits for a record. */
interface Waiter {
  readonly sequence: number
  readonly resolve: (sequence: number) => void
  readonly reject: (error: unknown) => void
}

const SMALLEST = 64 * 1024

/**
 * The records of one write, encoded as they come: that copies each body once, so the caller may use its buffer again,
 * and does the work while the disk is busy with the group before.
 */
export class Group {
  #buffer: Buffer
  #length = 0
  #records = 0
  readonly #waiters: Waiter[] = []

  /** Takes over the buffer of a group that is done. */
  constructor(buffer: Buffer | undefined) {
    this.#buffer = buffer ?? Buffer.allocUnsafeSlow(SMALLEST)
  }

  get bytes(): number {
    return this.#length
  }

  get records(): number {
    return this.#records
  }

  add(sequence: number, body: Uint8Array): void {
    this.#reserve(body.length + FRAME_OVERHEAD)
    this.#length = encodeFrame(this.#buffer, this.#length, KIND.record, sequence, body)
    this.#records++
  }

  wait(waiter: Waiter): void {
    this.#waiters.push(waiter)
  }

  /** What is to be written; `afterSync` when all that stands before it in the file is durable. */
  encoded(afterSync: boolean): Buffer {
    if (afterSync) restampFrame(this.#buffer, 0, KIND.recordAfterSync)
    return this.#buffer.subarray(0, this.#length)
  }

  resolve(): void {
    for (const { resolve, sequence } of this.#waiters) resolve(sequence)
  }

  reject(error: unknown): void {
    for (const { reject } of this.#waiters) reject(error)
  }

  /** The buffer for another group. Only when the write is over. */
  release(): Buffer {
    return this.#buffer
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
