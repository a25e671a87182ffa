import type { SharedBus } from '../bus/shared-bus.ts'
import type { Registers } from './registers.ts'

/**
 * strange: another chip lives at the address · calibration: the factory's numbers make no sense · silent: no new data,
 * or none where there should be · reset: its registers are not as we set them · implausible: outside of what the chip
 * can measure · frozen: the same noise again and again
 */
export type ChipFaultKind = 'strange' | 'calibration' | 'silent' | 'reset' | 'implausible' | 'frozen'

/** These say that the chip is not in the state it was started in: only a new start can help. */
const NEEDS_START: ReadonlySet<ChipFaultKind> = new Set(['calibration', 'silent', 'reset', 'frozen'])

/** A chip that answers, and what it says cannot be used. `sentence` goes after the chip's name. */
export class ChipFault extends Error {
  readonly kind: ChipFaultKind

  constructor(kind: ChipFaultKind, sentence: string) {
    super(sentence)
    this.name = 'ChipFault'
    this.kind = kind
  }

  get needsStart(): boolean {
    return NEEDS_START.has(this.kind)
  }
}

export interface ChipDeps {
  readonly bus: SharedBus
  /** Milliseconds that only rise. */
  readonly now: () => number
  /** Waits, and rejects when the board is closed. */
  readonly pause: (ms: number) => Promise<void>
}

/**
 * One chip's registers. What follows from a fault is not decided here: every method rejects with a `BusFault` or a
 * `ChipFault`, and `WatchedChip` does the rest. Methods are never called at the same time.
 */
export interface Chip<Sample> {
  /** For people; may become more exact once the chip was found. */
  readonly name: string
  readonly registers: Registers
  /** What is odd about the newest sample, which is used all the same; goes after the chip's name. */
  readonly doubt?: string | null
  /** Reads identity registers at the addresses it may have. */
  find(): Promise<void>
  /** From any state to measuring, with data that is valid. */
  start(): Promise<void>
  /** Reads the control registers back: a voltage dip resets a chip, and another program may set them. */
  verify(): Promise<void>
  /** The newest measurement. */
  sample(): Promise<Sample>
}

/** All ones is what a bus without a chip reads, all zeros what a chip without power does. */
export function refuseBlank(bytes: Buffer): void {
  if (same(bytes) && (bytes[0] === 0x00 || bytes[0] === 0xff))
    throw new ChipFault('silent', 'answers with nothing but zeros or ones')
}

/** A chip that does not step through its registers gives one of them again and again. */
export function refuseRepeated(bytes: Buffer): void {
  if (same(bytes)) throw new ChipFault('reset', 'repeats one register, another program may have set it up')
}

export function same(bytes: Buffer): boolean {
  const first = bytes[0]
  for (let i = 1; i < bytes.length; i++) if (bytes[i] !== first) return false
  return true
}

/** Reads a register until `done`; false when `tries` did not do. */
export async function polled(
  read: () => Promise<number>,
  done: (value: number) => boolean,
  pace: { readonly tries: number; readonly everyMs: number; readonly pause: (ms: number) => Promise<void> },
): Promise<boolean> {
  for (let i = 0; i < pace.tries; i++) {
    if (done(await read())) return true
    await pace.pause(pace.everyMs)
  }
  return false
}
