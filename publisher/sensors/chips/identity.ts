import { hex } from '../bus/bus.ts'
import { type BusFault, busFaultOf } from '../bus/bus-fault.ts'
import type { SharedBus } from '../bus/shared-bus.ts'
import { ChipFault } from './chip.ts'

/** A kind of chip on a Sense HAT: where it may be, and how it says what it is. From the data sheets. */
export interface Identity {
  /** What it measures, for people. */
  readonly measures: string
  readonly addresses: readonly number[]
  readonly register: number
  /** The chip's name, when the value of that register is one of its kind. */
  readonly nameOf: (value: number) => string | undefined
}

const named =
  (expected: number, name: string) =>
  (value: number): string | undefined =>
    value === expected ? name : undefined

export const IDENTITIES = {
  humidity: {
    measures: 'humidity, temperature',
    addresses: [0x5f],
    register: 0x0f,
    nameOf: named(0xbc, 'HTS221'),
  },
  // The LPS25HB of the second board says the same of itself.
  pressure: {
    measures: 'pressure, temperature',
    addresses: [0x5c, 0x5d],
    register: 0x0f,
    nameOf: named(0xbd, 'LPS25H'),
  },
  motion: {
    measures: 'acceleration, rate of turn',
    addresses: [0x6a, 0x6b],
    register: 0x0f,
    nameOf: named(0x68, 'LSM9DS1'),
  },
  magnetic: {
    measures: 'magnetic field',
    addresses: [0x1c, 0x1e],
    register: 0x0f,
    nameOf: named(0x3d, 'LSM9DS1 magnetometer'),
  },
  // Boards of one version bear one or the other, and both can be at 0x29: the masks are those of python-sense-hat.
  colour: {
    measures: 'colour, light',
    addresses: [0x29, 0x39],
    register: 0x92,
    nameOf: (value) => ((value & 0xf4) === 0x44 ? 'TCS34725' : (value & 0xf8) === 0x90 ? 'TCS3400' : undefined),
  },
  // The firmware of the board's microcontroller says 's'.
  panel: {
    measures: 'LEDs, joystick',
    addresses: [0x46],
    register: 0xf0,
    nameOf: named(0x73, 'ATtiny88'),
  },
} as const satisfies Readonly<Record<string, Identity>>

/** Where a chip was found, and as what. */
export interface Found {
  readonly address: number
  readonly name: string
  readonly value: number
}

/**
 * Asks each address of the chip for its identity. When it is at none: rejects with what is most worth telling, a fault
 * of the bus before a strange chip before silence.
 */
export async function findChip(bus: SharedBus, identity: Identity): Promise<Found> {
  let silent: BusFault | undefined
  let strange: ChipFault | undefined
  for (const address of identity.addresses) {
    try {
      const value = await bus.ask(address, identity.register)
      const name = identity.nameOf(value)
      if (name !== undefined) return { address, name, value }
      strange ??= new ChipFault('strange', `is not at ${hex(address)}: what is there says it is ${hex(value)}`)
    } catch (error) {
      const fault = busFaultOf(error, address)
      if (fault.kind !== 'no-answer') throw error
      silent ??= fault
    }
  }
  throw strange ?? silent ?? new ChipFault('strange', 'has no address')
}
