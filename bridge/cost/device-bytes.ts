import type { Clock } from '../../src/clock.ts'
import { dayName, dayStart, monthName } from '../status/local-day.ts'

/** What one device has sent. `billed` is what Snowflake counts of it, as far as that can be known (`billed-bytes.ts`). */
export interface BytesOfDevice {
  /** Before compression, since midnight. */
  readonly sentToday: number
  readonly billedToday: number
  readonly billedYesterday: number
  /** Since the first of the month. */
  readonly billedMonth: number
}

type Counts = { -readonly [K in keyof BytesOfDevice]: BytesOfDevice[K] }

/** What outlives a restart. Days and months are those of the process's time zone. */
export interface DeviceBytesState {
  /** `2026-11-22`. */
  readonly day: string
  /** `sentToday`, `billedToday`, `billedYesterday` and `billedMonth` of each device. */
  readonly devices: Readonly<Record<string, readonly [number, number, number, number]>>
}

const NOTHING: BytesOfDevice = { sentToday: 0, billedToday: 0, billedYesterday: 0, billedMonth: 0 }

/** Bytes of each device: today, yesterday, this month. A day that nobody looked at ends all the same. */
export class DeviceBytes {
  readonly #clock: Clock
  readonly #devices = new Map<string, Counts>()
  #day: string

  constructor(clock: Clock, state?: DeviceBytesState) {
    this.#clock = clock
    this.#day = state?.day ?? dayName(clock.now())
    for (const [hostname, counts] of Object.entries(state?.devices ?? {})) {
      const [sentToday, billedToday, billedYesterday, billedMonth] = counts
      this.#devices.set(hostname, { sentToday, billedToday, billedYesterday, billedMonth })
    }
  }

  /** How many devices have sent anything since yesterday, or this month. */
  get size(): number {
    return this.#devices.size
  }

  add(hostname: string, sent: number, billed: number): void {
    this.#turnPage()
    const counts = this.#devices.get(hostname) ?? { ...NOTHING }
    this.#devices.set(hostname, counts)
    counts.sentToday += sent
    counts.billedToday += billed
    counts.billedMonth += billed
  }

  of(hostname: string): BytesOfDevice {
    this.#turnPage()
    return this.#devices.get(hostname) ?? NOTHING
  }

  forget(hostname: string): void {
    this.#devices.delete(hostname)
  }

  /** Those that have cost most this month, the dearest first. */
  top(most: number): { readonly hostname: string; readonly billedMonth: number }[] {
    this.#turnPage()
    const found: { hostname: string; billedMonth: number }[] = []
    for (const [hostname, { billedMonth }] of this.#devices) {
      if (billedMonth === 0 || (found.length >= most && billedMonth <= (found.at(-1)?.billedMonth ?? 0))) continue
      const at = found.findIndex((one) => one.billedMonth < billedMonth)
      found.splice(at < 0 ? found.length : at, 0, { hostname, billedMonth })
      if (found.length > most) found.pop()
    }
    return found
  }

  toJSON(): DeviceBytesState {
    this.#turnPage()
    const devices = [...this.#devices].map(([hostname, one]) => [
      hostname,
      [one.sentToday, one.billedToday, one.billedYesterday, one.billedMonth],
    ])
    return { day: this.#day, devices: Object.fromEntries(devices) }
  }

  #turnPage(): void {
    const now = this.#clock.now()
    const day = dayName(now)
    if (day === this.#day) return
    const isNext = dayName(dayStart(now, -1)) === this.#day
    const isOtherMonth = monthName(this.#day) !== monthName(day)
    for (const [hostname, counts] of this.#devices) {
      counts.billedYesterday = isNext ? counts.billedToday : 0
      counts.sentToday = 0
      counts.billedToday = 0
      if (isOtherMonth) counts.billedMonth = 0
      if (counts.billedYesterday === 0 && counts.billedMonth === 0) this.#devices.delete(hostname)
    }
    this.#day = day
  }
}
