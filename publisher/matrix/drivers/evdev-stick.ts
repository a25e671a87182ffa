import { closeSync, constants, openSync, readSync } from 'node:fs'
import { systemCode } from '../../../src/errors.ts'
import { findNodeAgain, nodeFault, STICK } from './device-node.ts'
import { type EventBytes, InputEventDecoder, type StickInput } from './input-event.ts'
import type { StickSource } from './polled-joystick.ts'

/** The calls on a device node; others than Node's only in tests. */
export interface InputCalls {
  /** Gives a file descriptor. */
  open(path: string): number
  /** Gives how many bytes came; throws `EAGAIN` when there are none. */
  read(fd: number, into: Buffer): number
  close(fd: number): void
}

/**
 * Without waiting: a read that waits would hold one of the few threads Node has for files for as long as nobody presses,
 * and the end of the program with it.
 */
export const NONBLOCKING: InputCalls = {
  open: (path) => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
  read: (fd, into) => readSync(fd, into, 0, into.length, null),
  close: (fd) => closeSync(fd),
}

/** As many events as the kernel keeps for a reader (documented: `evdev.c`). */
const EVENTS_AT_ONCE = 64

/**
 * The joystick over the input device of its kernel driver. Opened by the first read, and found and opened again by the
 * next one after a failure.
 */
export class EvdevStick implements StickSource {
  readonly via = 'evdev'
  readonly #root: string
  readonly #eventBytes: EventBytes
  readonly #calls: InputCalls
  readonly #buffer: Buffer
  #opened: { readonly fd: number; readonly decoder: InputEventDecoder } | undefined

  /** `root`: directory that stands for `/`. */
  constructor(root: string, eventBytes: EventBytes, calls: InputCalls = NONBLOCKING) {
    this.#root = root
    this.#eventBytes = eventBytes
    this.#calls = calls
    this.#buffer = Buffer.alloc(EVENTS_AT_ONCE * eventBytes)
  }

  async read(): Promise<readonly StickInput[]> {
    try {
      this.#opened ??= {
        fd: this.#calls.open(await findNodeAgain(this.#root, STICK)),
        decoder: new InputEventDecoder(this.#eventBytes),
      }
      const { fd, decoder } = this.#opened
      return decoder.push(this.#buffer.subarray(0, this.#come(fd)))
    } catch (error) {
      await this.close()
      throw nodeFault(STICK, error)
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    if (opened !== undefined) this.#calls.close(opened.fd)
  }

  /** How many bytes have come. */
  #come(fd: number): number {
    try {
      return this.#calls.read(fd, this.#buffer)
    } catch (error) {
      if (systemCode(error) === 'EAGAIN') return 0
      throw error
    }
  }
}
