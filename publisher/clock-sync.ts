import { execFile } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../src/clock.ts'
import type { BootClock } from './boot-clock.ts'

/** What can be said about the wall clock when a reading was taken. */
export type ClockState = 'synced' | 'unsynced'

export interface ClockLook {
  readonly state: ClockState
  /** It is not set, and as far as can be seen it will be: a time service is at work, or the time is surely wrong. */
  readonly expected: boolean
}

export interface ClockSync {
  look(): Promise<ClockLook>
}

export interface ClockSyncOptions {
  /** Directory that stands for `/`. */
  readonly root: string
  /** Epoch milliseconds: a clock before it is surely wrong. */
  readonly notBefore: () => number
  /** Answers like `timedatectl show`; `undefined` where that cannot be asked. */
  readonly timedatectl?: (() => Promise<string>) | undefined
}

/** The program is younger than that. */
export const NOT_BEFORE_MS = Date.UTC(2026, 0, 1)

/** Its directory is there while systemd-timesyncd runs, the mark from its first synchronisation on [documented]. */
const TIMESYNCD = 'run/systemd/timesync'
const MARK = 'run/systemd/timesync/synchronized'
/** Time services that timedated may not know of. */
const OTHER_SERVICES = ['run/chrony/chronyd.pid', 'run/chronyd.pid', 'run/ntpd.pid']
const BATTERY_CLOCK = 'sys/class/rtc/rtc0/since_epoch'
const TIMEDATECTL = 'usr/bin/timedatectl'
const SYSTEM_BUS = 'run/dbus/system_bus_socket'

const LOOK_EVERY_MS = 1_000
/** Asking starts a process, so it is done more rarely once the answer is no news. */
const ASK_EVERY_MS = 10_000
const ASK_LATE_EVERY_MS = 300_000
const ASK_OFTEN_FOR_MS = 600_000
const ASK_PATIENCE_MS = 2_000
/** No time service corrects so much in a second without setting the clock. */
const JUMP_MS = 2_000

const SYNCED: ClockLook = { state: 'synced', expected: false }

/** What this machine shows of its clock being set; ADR 0008 says what each sign is worth. Once set it stays so. */
export async function openClockSync(options: ClockSyncOptions, clock: Clock, boot: BootClock): Promise<ClockSync> {
  const ask = 'timedatectl' in options ? options.timedatectl : await findTimedatectl(options.root)
  return new MachineClock(options, ask, clock, boot)
}

class MachineClock implements ClockSync {
  readonly #options: ClockSyncOptions
  readonly #ask: (() => Promise<string>) | undefined
  readonly #clock: Clock
  readonly #boot: BootClock
  readonly #openedAt: number
  #latest: Promise<ClockLook> | undefined
  #lookedAt = 0
  #synced = false
  /** What the kernel was last heard to say. */
  #kernel: KernelWord | undefined
  #askedAt: number | undefined
  /** Wall clock minus boot clock: changes when the clock is set. */
  #offset: number
  #battery: boolean | undefined

  constructor(options: ClockSyncOptions, ask: (() => Promise<string>) | undefined, clock: Clock, boot: BootClock) {
    this.#options = options
    this.#ask = ask
    this.#clock = clock
    this.#boot = boot
    this.#openedAt = clock.monotonic()
    this.#offset = clock.now() - boot.ms()
  }

  async look(): Promise<ClockLook> {
    if (this.#synced) return SYNCED
    const now = this.#clock.monotonic()
    if (this.#latest === undefined || now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now
      this.#latest = this.#lookAround()
    }
    const look = await this.#latest
    if (look.state === 'synced') this.#synced = true
    return look
  }

  async #lookAround(): Promise<ClockLook> {
    const { root, notBefore } = this.#options
    const jumped = this.#hasJumped()
    if (await exists(root, MARK)) return SYNCED
    const timesyncd = await exists(root, TIMESYNCD)
    // Where timesyncd runs its mark says it all, and costs no process.
    const kernel = timesyncd ? undefined : await this.#askKernel()
    if (kernel?.synchronized) return SYNCED
    const surelyWrong = this.#clock.now() < notBefore()
    // Where no time service will ever say so, what is seen has to do.
    if (!timesyncd && kernel === undefined && jumped && !surelyWrong) return SYNCED
    if (surelyWrong) return { state: 'unsynced', expected: true }
    if (await this.#hasBattery()) return { state: 'unsynced', expected: false }
    return { state: 'unsynced', expected: timesyncd || (kernel !== undefined && (await this.#isServed(kernel))) }
  }

  /** Forward: the clock of a machine without a battery stood still while it was off. */
  #hasJumped(): boolean {
    const before = this.#offset
    this.#offset = this.#clock.now() - this.#boot.ms()
    return this.#offset - before >= JUMP_MS
  }

  /** The first answer is waited for, later ones are fetched beside the readings. */
  async #askKernel(): Promise<KernelWord | undefined> {
    const ask = this.#ask
    if (ask === undefined) return undefined
    const now = this.#clock.monotonic()
    const every = now - this.#openedAt < ASK_OFTEN_FOR_MS ? ASK_EVERY_MS : ASK_LATE_EVERY_MS
    const first = this.#askedAt === undefined
    if (this.#askedAt === undefined || now - this.#askedAt >= every) {
      this.#askedAt = now
      const answered = ask().then(
        (text) => {
          this.#kernel = kernelWord(text)
        },
        () => {
          this.#kernel = undefined
        },
      )
      if (first) await answered
    }
    return this.#kernel
  }

  async #isServed(kernel: KernelWord): Promise<boolean> {
    if (kernel.served) return true
    const found = await Promise.all(OTHER_SERVICES.map((path) => exists(this.#options.root, path)))
    return found.includes(true)
  }

  /** A clock chip that knows a plausible time was not without power: the time came from it. */
  async #hasBattery(): Promise<boolean> {
    if (this.#battery === undefined) {
      const text = await readFile(join(this.#options.root, BATTERY_CLOCK), 'utf8').catch(() => '')
      this.#battery = Number.parseInt(text, 10) * 1_000 >= this.#options.notBefore()
    }
    return this.#battery
  }
}

interface KernelWord {
  /** The kernel reports the time as synchronised, as whatever disciplines it says through adjtimex(2). */
  readonly synchronized: boolean
  /** A time service is switched on. */
  readonly served: boolean
}

/** From `timedatectl show`: lines of `Property=yes` or `no` [documented, org.freedesktop.timedate1(5)]. */
function kernelWord(text: string): KernelWord | undefined {
  const lines = text.split('\n').map((line) => line.trim())
  if (!lines.some((line) => line.startsWith('NTPSynchronized='))) return undefined
  return { synchronized: lines.includes('NTPSynchronized=yes'), served: lines.includes('NTP=yes') }
}

async function findTimedatectl(root: string): Promise<(() => Promise<string>) | undefined> {
  if (!(await exists(root, TIMEDATECTL)) || !(await exists(root, SYSTEM_BUS))) return undefined
  const run = promisify(execFile)
  const args = ['show', '--property=NTP', '--property=NTPSynchronized']
  return async () => (await run(join(root, TIMEDATECTL), args, { timeout: ASK_PATIENCE_MS })).stdout
}

function exists(root: string, path: string): Promise<boolean> {
  return access(join(root, path)).then(
    () => true,
    () => false,
  )
}
