import type { Clock } from '../../src/clock.ts'
import { FIELDS } from '../../src/reading.ts'
import { PLOTTED, type Plotted, Ring, STEP_MS } from './ring.ts'

/** Numbers that tell how a device is; its place in a stream and its time are told elsewhere. */
const KEPT = FIELDS.filter(
  ({ key, kind }) => (kind === 'number' || kind === 'integer') && key !== 'ts' && key !== 'seq',
)
/** So many devices keep all plots, further ones their temperature alone: what the hour of a large fleet takes is bounded. */
export const FULL_DEVICES = 2_000
/** How often a reading of a device is looked at: while nobody does, and while somebody watches the page. */
const SAMPLE_MS = { idle: 10_000, watched: 1_000 }
/** A large fleet is looked at less often, and still in every step of the plots. */
const MS_PER_DEVICE = { idle: 2, watched: 1 }
/** A clock may be ahead by this much; more is a clock that is wrong. */
const AHEAD_MS = 60_000

export interface LastValues {
  /** Epoch milliseconds: of measuring where the device's clock was set, of arrival otherwise. */
  readonly measuredAt: number
  readonly simulated: boolean
  /** The newest temperature to show, compensated where the device compensates; `null`: not measured. */
  readonly temperature: number | null
  readonly compensated: boolean
}

interface Remembered {
  dueAt: number
  /** Epoch milliseconds: when a message with new readings came. */
  seenAt: number
  last: LastValues | undefined
  readonly values: Float64Array
  readonly ring: Ring
}

/**
 * The last hour of every device, sampled from the readings that pass: most are not looked at, so that it costs the intake
 * next to nothing. In memory only.
 */
export class History {
  readonly #clock: Clock
  readonly #devices = new Map<string, Remembered>()
  #watched = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** While somebody looks, samples are taken every second. */
  set watched(watched: boolean) {
    this.#watched = watched
    if (watched) for (const device of this.#devices.values()) device.dueAt = Number.NEGATIVE_INFINITY
  }

  /** New readings of a device are in the spool; `newest` is the row of the last of them. */
  passed(hostname: string, newest: Buffer): void {
    const now = this.#clock.monotonic()
    const device = this.heard(hostname)
    if (now < device.dueAt) return
    device.dueAt = now + this.#interval()
    sample(device, JSON.parse(newest.toString('utf8')) as Readonly<Record<string, unknown>>)
  }

  /** Something came of a device, whatever it is. */
  heard(hostname: string): Remembered {
    const device = this.#devices.get(hostname) ?? this.#remember(hostname)
    device.seenAt = this.#clock.now()
    return device
  }

  /** Epoch milliseconds; `null`: not since this process has started. */
  seenAt(hostname: string): number | null {
    return this.#devices.get(hostname)?.seenAt ?? null
  }

  last(hostname: string): LastValues | undefined {
    return this.#devices.get(hostname)?.last
  }

  /** All numbers of the last sample by key; what was not measured is `null`. */
  values(hostname: string): Readonly<Record<string, number | null>> {
    const { values } = this.#devices.get(hostname) ?? {}
    return values === undefined
      ? {}
      : Object.fromEntries(KEPT.map(({ key }, i) => [key, Number.isNaN(values[i]) ? null : (values[i] ?? null)]))
  }

  /** One value per 30 s, the oldest first, the last of the step of this moment. */
  points(hostname: string, field: Plotted): (number | null)[] | undefined {
    return this.#devices.get(hostname)?.ring.points(field, stepOf(this.#clock.now()))
  }

  /** Epoch milliseconds of the first point `points` gives. */
  get firstPointAt(): number {
    return Ring.firstOf(stepOf(this.#clock.now())) * STEP_MS
  }

  forget(hostname: string): void {
    this.#devices.delete(hostname)
  }

  #interval(): number {
    const mode = this.#watched ? 'watched' : 'idle'
    return Math.min(STEP_MS * 0.9, Math.max(SAMPLE_MS[mode], this.#devices.size * MS_PER_DEVICE[mode]))
  }

  #remember(hostname: string): Remembered {
    const device: Remembered = {
      dueAt: Number.NEGATIVE_INFINITY,
      seenAt: 0,
      last: undefined,
      values: new Float64Array(KEPT.length).fill(Number.NaN),
      ring: new Ring(this.#devices.size < FULL_DEVICES ? PLOTTED.length : 1),
    }
    this.#devices.set(hostname, device)
    return device
  }
}

function sample(device: Remembered, row: Readonly<Record<string, unknown>>): void {
  const number = (key: string) => {
    const value = row[key]
    return typeof value === 'number' ? value : Number.NaN
  }
  const told = row.clock === 'unsynced' ? Number.NaN : number('ts') * 1000
  const measuredAt = told <= device.seenAt + AHEAD_MS ? told : device.seenAt
  const compensated = !Number.isNaN(number('temperature_compensated'))
  const temperature = number(compensated ? 'temperature_compensated' : 'temperature')
  const humidity = number('humidity_compensated')
  device.ring.put(stepOf(measuredAt), (field) => {
    if (field === 'temperature') return temperature
    return field === 'humidity' && !Number.isNaN(humidity) ? humidity : number(field)
  })
  // What a Pi held back while it was away comes oldest first, and may come beside what it measures now.
  if (device.last !== undefined && measuredAt < device.last.measuredAt) return
  device.last = {
    measuredAt,
    simulated: row.simulated === true,
    temperature: Number.isNaN(temperature) ? null : temperature,
    compensated,
  }
  for (const [i, { key }] of KEPT.entries()) device.values[i] = number(key)
}

function stepOf(at: number): number {
  return Math.floor(at / STEP_MS)
}
