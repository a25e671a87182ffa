import { Doubling } from '../../src/doubling.ts'
import type { Log } from '../../src/log.ts'

/**
 * Tells of what hits lanes alike (Snowflake out of reach, a key, a grant, a pipe) once and then at each doubling, not
 * once per device and attempt; and tells when it is over for all of them.
 */
export class Trouble {
  readonly #log: Log
  readonly #codes = new Map<string, { readonly devices: Set<string>; readonly times: Doubling }>()

  constructor(log: Log) {
    this.#log = log
  }

  /** The codes that hold rows back now. */
  get codes(): string[] {
    return [...this.#codes.keys()]
  }

  /** A person must act: names, grants, credentials. */
  refused(device: string, code: string, reason: string, hint: string): void {
    this.#tell(device, code, (times, devices) =>
      this.#log.error({ code, reason, times, devices, hint }, 'Snowflake refuses rows; they wait in the spool'),
    )
  }

  /** It will pass: no answer, throttling, a server's hiccup. */
  unavailable(device: string, code: string, reason: string): void {
    this.#tell(device, code, (times, devices) =>
      this.#log.warn({ code, reason, times, devices }, 'Snowflake cannot take rows now; they wait in the spool'),
    )
  }

  /** Snowflake has taken something of this device. */
  over(device: string): void {
    for (const [code, { devices }] of this.#codes) {
      if (!devices.delete(device) || devices.size > 0) continue
      this.#codes.delete(code)
      this.#log.info({ code }, 'that is over, rows go through again')
    }
  }

  #tell(device: string, code: string, write: (times: number, devices: number) => void): void {
    const known = this.#codes.get(code) ?? { devices: new Set<string>(), times: new Doubling() }
    this.#codes.set(code, known)
    known.devices.add(device)
    known.times.when((times) => write(times, known.devices.size))
  }
}
