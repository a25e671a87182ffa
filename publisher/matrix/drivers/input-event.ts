import type { Direction, StickEvent } from '../joystick.ts'

/**
 * Bytes of the kernel's `struct input_event`: two words of time, then type and code of 16 bits each and a value of 32. The
 * words are as long as those of the program that reads, whatever the kernel is (documented: `linux/input.h`).
 */
export type EventBytes = 16 | 24

const WORDS_OF_32_BITS: ReadonlySet<string> = new Set(['arm', 'ia32', 'mips', 'mipsel', 'ppc', 's390'])

/** Of a program built for this architecture, as `process.arch` names it. */
export function eventBytesOn(architecture: string): EventBytes {
  return WORDS_OF_32_BITS.has(architecture) ? 16 : 24
}

/** type, code and value, at the end of each event. */
const TAIL_BYTES = 8

const EV_SYN = 0
const EV_KEY = 1
/** The kernel's buffer was full: events are missing before this one. */
const SYN_DROPPED = 3

/** Codes of the arrow keys and of Enter, which the joystick's driver uses (documented: `input-event-codes.h`). */
const DIRECTION: ReadonlyMap<number, Direction> = new Map([
  [103, 'up'],
  [108, 'down'],
  [105, 'left'],
  [106, 'right'],
  [28, 'middle'],
])
const ACTIONS: readonly (StickEvent['action'] | undefined)[] = ['released', 'pressed', 'held']

/** What the stick did; `dropped`: some of it is not known. */
export type StickInput = StickEvent | 'dropped'

/** Finds the stick's events in a stream of bytes, wherever it was cut. */
export class InputEventDecoder {
  readonly #eventBytes: EventBytes
  #rest: Buffer = Buffer.alloc(0)

  constructor(eventBytes: EventBytes) {
    this.#eventBytes = eventBytes
  }

  push(chunk: Buffer): StickInput[] {
    const bytes = Buffer.concat([this.#rest, chunk])
    const inputs: StickInput[] = []
    let at = 0
    for (; at + this.#eventBytes <= bytes.length; at += this.#eventBytes) {
      const input = inputOf(bytes.subarray(at + this.#eventBytes - TAIL_BYTES))
      if (input !== undefined) inputs.push(input)
    }
    this.#rest = bytes.subarray(at)
    return inputs
  }
}

function inputOf(tail: Buffer): StickInput | undefined {
  const type = tail.readUInt16LE(0)
  const code = tail.readUInt16LE(2)
  if (type === EV_SYN && code === SYN_DROPPED) return 'dropped'
  const direction = DIRECTION.get(code)
  const action = ACTIONS[tail.readInt32LE(4)]
  return type === EV_KEY && direction !== undefined && action !== undefined ? { direction, action } : undefined
}
