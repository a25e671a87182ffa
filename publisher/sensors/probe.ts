import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../src/errors.ts'
import { hex } from './bus/bus.ts'
import { BusFault } from './bus/bus-fault.ts'
import type { SharedBus } from './bus/shared-bus.ts'
import { IDENTITIES, type Identity } from './chips/identity.ts'

/**
 * found: the chip that belongs there · claimed: a kernel driver owns the address · strange: another chip ·
 * silent: nobody answers · faulty: the bus failed
 */
export type Verdict = 'found' | 'claimed' | 'strange' | 'silent' | 'faulty'

/** What is at one address a chip of a Sense HAT may have. */
export interface Probed {
  readonly address: string
  /** As it says of itself, or what belongs there. */
  readonly chip: string
  readonly measures: string
  /** Its identity register; `null` when it could not be read. */
  readonly identity: string | null
  readonly verdict: Verdict
  readonly hint: string | null
}

/** What the board's EEPROM told the firmware at boot; often empty, sometimes another board's. */
export interface HatEeprom {
  readonly vendor: string
  readonly product: string
  readonly version: string
}

export interface ProbeReport {
  /** `null` when less than two of the first board's three sensors are there. */
  readonly board: 'Sense HAT' | 'Sense HAT V2' | null
  readonly hat: HatEeprom | null
  readonly probed: readonly Probed[]
}

interface Place extends Identity {
  readonly usual: string
  /** What it means when nobody answers, where that is not the usual thing. */
  readonly silent?: string
  /** A kernel driver there is as it should be. */
  readonly kernelOwns?: true
}

const PLACES: Readonly<Record<string, Place>> = {
  humidity: { ...IDENTITIES.humidity, usual: 'HTS221' },
  pressure: { ...IDENTITIES.pressure, usual: 'LPS25H' },
  motion: { ...IDENTITIES.motion, usual: 'LSM9DS1' },
  magnetic: { ...IDENTITIES.magnetic, usual: 'LSM9DS1 magnetometer' },
  colour: { ...IDENTITIES.colour, usual: 'TCS34725 or TCS3400', silent: 'only the second board has it' },
  panel: {
    ...IDENTITIES.panel,
    usual: 'ATtiny88',
    silent: 'LEDs and joystick do not work; the sensors do without it',
    kernelOwns: true,
  },
}
/** Any two of them make a board. */
const TELLING = ['humidity', 'pressure', 'motion'] as const

/**
 * Asks every address a chip of a Sense HAT may have for its identity, one byte each, and nothing else: the chips are left
 * as they are. Rejects only when the bus itself cannot be used.
 */
export async function probe(bus: SharedBus, root: string): Promise<ProbeReport> {
  const present = new Set<string>()
  const probed: Probed[] = []
  for (const [name, place] of Object.entries(PLACES)) {
    const rows: Probed[] = []
    for (const address of place.addresses) rows.push(await probeAddress(bus, place, address))
    if (rows.some(({ verdict }) => verdict === 'found' || verdict === 'claimed')) present.add(name)
    // Where the chip has one of several addresses, only those with something on them are worth a line, or else the first.
    const busy = rows.filter(({ verdict }) => verdict !== 'silent')
    probed.push(...(busy.length > 0 ? busy : rows.slice(0, 1)))
  }
  const board = TELLING.filter((name) => present.has(name)).length < 2 ? null : 'Sense HAT'
  return {
    board: board !== null && present.has('colour') ? 'Sense HAT V2' : board,
    hat: await readHat(root),
    probed,
  }
}

async function probeAddress(bus: SharedBus, place: Place, address: number): Promise<Probed> {
  const row = { address: hex(address), chip: place.usual, measures: place.measures, identity: null }
  try {
    const value = await bus.ask(address, place.register)
    const name = place.nameOf(value)
    const identity = hex(value)
    if (name !== undefined) return { ...row, chip: name, identity, verdict: 'found', hint: null }
    return {
      ...row,
      identity,
      verdict: 'strange',
      hint: `another chip is there: this is not the identity of a ${place.usual}`,
    }
  } catch (error) {
    if (!(error instanceof BusFault)) return { ...row, verdict: 'faulty', hint: messageOf(error) }
    return faulty(row, error, place)
  }
}

function faulty(row: Omit<Probed, 'verdict' | 'hint'>, fault: BusFault, place: Place): Probed {
  switch (fault.kind) {
    case 'gone':
    case 'forbidden':
      throw fault
    case 'no-answer':
      return { ...row, verdict: 'silent', hint: place.silent ?? fault.hint ?? null }
    case 'claimed':
      return {
        ...row,
        verdict: 'claimed',
        hint: place.kernelOwns ? 'as it should be: the kernel drives it' : (fault.hint ?? null),
      }
    default:
      return { ...row, verdict: 'faulty', hint: fault.hint ?? fault.message }
  }
}

async function readHat(root: string): Promise<HatEeprom | null> {
  const text = async (name: string) =>
    (await readFile(join(root, 'proc/device-tree/hat', name), 'utf8')).replaceAll('\0', '').trim()
  try {
    return { vendor: await text('vendor'), product: await text('product'), version: await text('product_ver') }
  } catch {
    return null
  }
}
