import { messageOf } from '../../../src/errors.ts'
import { hex } from './bus.ts'

/**
 * no-answer: nobody acknowledged · claimed: a kernel driver owns the address · garbled: clock stretched too long, or
 * noise · arbitration: another master was first · hung: a transfer did not end · gone: no such bus, or not any more ·
 * forbidden: no permission · other: not known
 */
export type BusFaultKind = 'no-answer' | 'claimed' | 'garbled' | 'arbitration' | 'hung' | 'gone' | 'forbidden' | 'other'

interface Meaning {
  readonly kind: BusFaultKind
  readonly sentence: string
  readonly hint?: string
}

const NOT_THERE: Meaning = {
  kind: 'gone',
  sentence: 'the I2C bus is not there',
  hint: 'switch it on with `sudo raspi-config nonint do_i2c 0` (dtparam=i2c_arm=on), and see that the module i2c-dev is loaded',
}
const NOT_ALLOWED: Meaning = {
  kind: 'forbidden',
  sentence: 'this user may not use the I2C bus',
  hint: 'add the user to the group i2c: `sudo usermod -aG i2c USER`, then sign in again',
}
const NO_ANSWER: Meaning = {
  kind: 'no-answer',
  sentence: 'nobody answers',
  hint: 'is the Sense HAT seated on all 40 pins?',
}
const GARBLED: Meaning = {
  kind: 'garbled',
  sentence: 'the transfer was garbled',
  hint: 'long cables and further boards on the bus do this; dtparam=i2c_arm_baudrate=50000 helps',
}

/**
 * By Linux errno, what the drivers of the Pi's controllers mean by it (`i2c-bcm2835` to the Pi 4, `i2c-designware` on
 * the Pi 5; read in their sources). Names cannot be matched: EREMOTEIO has none in Node.
 */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: NOT_ALLOWED,
  2: NOT_THERE,
  5: GARBLED,
  6: NO_ANSWER,
  11: { kind: 'arbitration', sentence: 'another master has the bus' },
  13: NOT_ALLOWED,
  16: {
    kind: 'claimed',
    sentence: 'a kernel driver owns it',
    hint: 'take it away from that driver, or set publisher.i2c_force to read beside it',
  },
  19: NOT_THERE,
  110: {
    kind: 'hung',
    sentence: 'the I2C bus hangs',
    hint: 'if it stays so, shut the Pi down and take its power away: a chip holds the line low',
  },
  121: NO_ANSWER,
}

/** A transfer that failed. Its message is for people and holds nothing that changes from one failure to the next. */
export class BusFault extends Error {
  readonly errno: number
  readonly kind: BusFaultKind
  /** Without the address. */
  readonly sentence: string
  readonly hint: string | undefined

  constructor(errno: number, address: number, details: { readonly text?: string; readonly hint?: string } = {}) {
    const meaning = MEANINGS[errno]
    const sentence = meaning?.sentence ?? details.text ?? `the transfer failed (errno ${errno})`
    super(`${sentence} (${hex(address)})`)
    this.name = 'BusFault'
    this.sentence = sentence
    this.errno = errno
    this.kind = meaning?.kind ?? 'other'
    this.hint = details.hint ?? meaning?.hint
  }
}

/** Whatever a transfer rejected with, classified. The addon's numbers are positive, those of Node's own calls negative. */
export function busFaultOf(error: unknown, address: number): BusFault {
  if (error instanceof BusFault) return error
  const errno = typeof error === 'object' && error !== null && 'errno' in error ? Math.abs(Number(error.errno)) : 0
  return new BusFault(errno, address, { text: messageOf(error) })
}
