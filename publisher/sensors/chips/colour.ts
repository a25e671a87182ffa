import { type Chip, type ChipDeps, ChipFault, polled, same } from './chip.ts'
import {
  type ColourCounts,
  type ColourPart,
  type Exposure,
  illuminance,
  integrationMs,
  normalised,
  saturation,
} from './colour-decode.ts'
import { FIRST_EXPOSURE, gainCode, nextExposure } from './exposure-steps.ts'
import { IDENTITIES } from './identity.ts'
import { Registers } from './registers.ts'

export interface ColourSample {
  /** As at gain 16 and 24 ms; `null` when too bright to count. */
  readonly counts: ColourCounts | null
  /** lx; `null` when too bright to count. */
  readonly illuminance: number | null
}

/** Every sub-address bears the command bit, 0x80. */
const ENABLE = 0x80
const ATIME = 0x81
const CONTROL = 0x8f
const STATUS = 0x93
/** The type field of a TCS3472x's command that makes a block step; on the TCS3400 it would be another address. */
const STEPPING = 0x20

/** How status and counts are read: most parts step through a block by themselves, others are found out not to. */
type Reading = 'block' | 'stepping-block' | 'bytes'

const POWERED = 0x01
const COUNTING = 0x03
const VALID = 0x01
const WARM_UP_MS = 3
const STEP_EVERY_MS = 1_000

/** AMS TCS34725 or TCS3400, whichever the board bears: colour and light. Registers of their data sheets. */
export class Colour implements Chip<ColourSample> {
  readonly registers: Registers
  readonly #deps: ChipDeps
  #part: ColourPart = 'TCS34725'
  #exposure: Exposure = FIRST_EXPOSURE
  /** Status, then clear, red, green and blue, low byte first. */
  readonly #block = Buffer.alloc(9)
  #reading: Reading = 'block'
  #latest: ColourSample | undefined
  #steppedAt = Number.NEGATIVE_INFINITY

  constructor(deps: ChipDeps) {
    this.#deps = deps
    this.registers = new Registers(deps.bus, IDENTITIES.colour)
  }

  get name(): string {
    return this.#part
  }

  async find(): Promise<void> {
    const { name } = await this.registers.find()
    this.#part = name === 'TCS3400' ? 'TCS3400' : 'TCS34725'
  }

  async start(): Promise<void> {
    const { pause } = this.#deps
    const { registers } = this
    this.#latest = undefined
    this.#reading = 'block'
    await registers.write(ENABLE, POWERED)
    await pause(WARM_UP_MS)
    await this.#expose(this.#exposure)
    const cycle = integrationMs(this.#part, this.#exposure)
    const status = () => registers.read(STATUS)
    if (!(await polled(status, (value) => (value & VALID) !== 0, { tries: 6, everyMs: cycle / 2, pause })))
      throw new ChipFault('silent', 'gives no data')
  }

  async verify(): Promise<void> {
    const { registers } = this
    const enable = await registers.read(ENABLE)
    const time = await registers.read(ATIME)
    const control = await registers.read(CONTROL)
    const { gain, cycles } = this.#exposure
    if (enable !== COUNTING || time !== 256 - cycles || (control & 0x03) !== gainCode(this.#part, gain))
      throw new ChipFault('reset', 'has lost its settings')
  }

  async sample(): Promise<ColourSample> {
    const { now } = this.#deps
    await this.#read()
    if ((this.#block.readUInt8(0) & VALID) === 0) {
      // Right after a change of exposure nothing is counted yet.
      if (this.#latest !== undefined && now() - this.#steppedAt < STEP_EVERY_MS) return this.#latest
      throw new ChipFault('frozen', 'gives no data')
    }
    if (same(this.#block)) return this.#otherWay()
    const counts = {
      clear: this.#block.readUInt16LE(1),
      red: this.#block.readUInt16LE(3),
      green: this.#block.readUInt16LE(5),
      blue: this.#block.readUInt16LE(7),
    }
    const exposure = this.#exposure
    this.#latest = sampleOf(counts, this.#part, exposure)
    await this.#adapt(counts.clear, now())
    return this.#latest
  }

  async #read(): Promise<void> {
    const { registers } = this
    if (this.#reading === 'block') return registers.block(STATUS, this.#block)
    if (this.#reading === 'stepping-block') return registers.block(STATUS | STEPPING, this.#block)
    // A low byte comes first: reading it holds the high one.
    for (let i = 0; i < this.#block.length; i++) this.#block[i] = await registers.read(STATUS + i)
  }

  /** A block that repeats its first register: the status, which no count is like for all four channels. */
  #otherWay(): Promise<ColourSample> {
    if (this.#reading !== 'block') throw new ChipFault('reset', 'repeats one register')
    this.#reading = this.#part === 'TCS34725' ? 'stepping-block' : 'bytes'
    return this.sample()
  }

  async #adapt(clear: number, now: number): Promise<void> {
    if (now - this.#steppedAt < STEP_EVERY_MS) return
    const next = nextExposure(this.#part, this.#exposure, clear)
    if (next === this.#exposure) return
    this.#steppedAt = now
    await this.#expose(next)
  }

  /** Switches counting off and on about it: what was begun with other settings is worth nothing. */
  async #expose(exposure: Exposure): Promise<void> {
    const { registers } = this
    this.#exposure = exposure
    await registers.write(ENABLE, POWERED)
    await registers.write(ATIME, 256 - exposure.cycles)
    await registers.write(CONTROL, gainCode(this.#part, exposure.gain))
    await registers.write(ENABLE, COUNTING)
  }
}

function sampleOf(counts: ColourCounts, part: ColourPart, exposure: Exposure): ColourSample {
  if (counts.clear >= saturation(part, exposure)) return { counts: null, illuminance: null }
  return {
    counts: normalised(counts, part, exposure),
    illuminance: illuminance(counts, part, exposure.gain, integrationMs(part, exposure)),
  }
}
