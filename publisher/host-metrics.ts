import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { access, readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../src/clock.ts'
import {
  type CpuTimes,
  cpuPercent,
  diskUsedMib,
  parseCpuTimes,
  parseMemoryPercent,
  parseMilliCelsius,
  parseThrottled,
  parseUptime,
  parseWirelessDbm,
} from './proc-parsers.ts'

export const HOST_KEYS = [
  'cpu_percent',
  'memory_percent',
  'disk_usage_mb',
  'cputempc',
  'uptime_s',
  'wifi_rssi_dbm',
  'throttled',
] as const

export type HostKey = (typeof HOST_KEYS)[number]

/** Named and in the units of the reading; `null` where this machine does not tell. */
export type HostValues = { readonly [K in HostKey]: number | null }

export interface HostMetrics {
  /** What this machine tells at all. */
  readonly keys: readonly HostKey[]
  read(): Promise<HostValues>
}

export const NOTHING_KNOWN: HostValues = Object.fromEntries(HOST_KEYS.map((key) => [key, null])) as HostValues

export interface HostMetricsOptions {
  /** Directory that stands for `/`. */
  readonly root: string
  /** Asks the firmware for its throttling bits; `undefined` where it cannot be asked. */
  readonly throttled?: (() => Promise<string>) | undefined
}

const STAT = 'proc/stat'
const MEMINFO = 'proc/meminfo'
const UPTIME = 'proc/uptime'
const WIRELESS = 'proc/net/wireless'
const CPU_ZONE = 'sys/class/thermal/thermal_zone0'
const VCGENCMD = 'usr/bin/vcgencmd'
/** Faster readings see the same values: the load over less than that is mostly chance. */
const FRESH_MS = 1_000
/** Asking the firmware starts a process, so it is done rarely and beside the readings. */
const THROTTLED_FRESH_MS = 60_000
const THROTTLED_PATIENCE_MS = 5_000

/** Looks once for what there is, so that what is not there is not announced. */
export async function openHostMetrics(options: HostMetricsOptions, clock: Clock): Promise<HostMetrics> {
  const throttled = 'throttled' in options ? options.throttled : await findVcgencmd(options.root)
  const host = new LinuxHost(options.root, throttled, clock)
  await host.probe()
  return host
}

class LinuxHost implements HostMetrics {
  keys: readonly HostKey[] = []
  readonly #root: string
  readonly #askThrottled: (() => Promise<string>) | undefined
  readonly #clock: Clock
  #cpuBefore: CpuTimes | null = null
  /** The zone is that of the processor; others are batteries and radios. */
  #tellsCpuTemperature = false
  #values: HostValues = NOTHING_KNOWN
  #readAt = Number.NEGATIVE_INFINITY
  #throttled: number | null = null
  #throttledAskedAt = Number.NEGATIVE_INFINITY

  constructor(root: string, askThrottled: (() => Promise<string>) | undefined, clock: Clock) {
    this.#root = root
    this.#askThrottled = askThrottled
    this.#clock = clock
  }

  async probe(): Promise<void> {
    this.#tellsCpuTemperature = this.#textAtOnce(join(CPU_ZONE, 'type')).trim() === 'cpu-thermal'
    const first = await this.#readAll()
    this.keys = HOST_KEYS.filter((key) =>
      // The load needs two looks, the firmware is asked beside; both are known to be there.
      key === 'cpu_percent'
        ? this.#cpuBefore !== null
        : key === 'throttled'
          ? this.#askThrottled !== undefined
          : first[key] !== null,
    )
  }

  async read(): Promise<HostValues> {
    const now = this.#clock.monotonic()
    if (now - this.#readAt >= FRESH_MS) {
      this.#readAt = now
      this.#values = await this.#readAll()
    }
    return this.#values
  }

  async #readAll(): Promise<HostValues> {
    this.#refreshThrottled()
    const [wireless, disk] = await Promise.all([this.#text(WIRELESS), statfs(this.#root).catch(() => null)])
    const cpu = parseCpuTimes(this.#textAtOnce(STAT))
    const before = this.#cpuBefore
    this.#cpuBefore = cpu
    return {
      cpu_percent: before && cpu && cpuPercent(before, cpu),
      memory_percent: parseMemoryPercent(this.#textAtOnce(MEMINFO)),
      disk_usage_mb: disk && diskUsedMib(disk),
      cputempc: this.#tellsCpuTemperature ? parseMilliCelsius(this.#textAtOnce(join(CPU_ZONE, 'temp'))) : null,
      uptime_s: parseUptime(this.#textAtOnce(UPTIME)),
      wifi_rssi_dbm: parseWirelessDbm(wireless),
      throttled: this.#throttled,
    }
  }

  #refreshThrottled(): void {
    const now = this.#clock.monotonic()
    if (!this.#askThrottled || now - this.#throttledAskedAt < THROTTLED_FRESH_MS) return
    this.#throttledAskedAt = now
    void this.#askThrottled().then(
      (text) => {
        this.#throttled = parseThrottled(text)
      },
      () => {
        this.#throttled = null
      },
    )
  }

  /** What the kernel has in memory or in a register: that takes microseconds, and handing it to a thread takes longer. */
  #textAtOnce(path: string): string {
    try {
      return readFileSync(join(this.#root, path), 'utf8')
    } catch {
      return ''
    }
  }

  /** Where a driver may ask its device first, as those of radios do. */
  async #text(path: string): Promise<string> {
    return readFile(join(this.#root, path), 'utf8').catch(() => '')
  }
}

async function findVcgencmd(root: string): Promise<(() => Promise<string>) | undefined> {
  const path = join(root, VCGENCMD)
  try {
    await access(path)
  } catch {
    return undefined
  }
  const run = promisify(execFile)
  return async () => (await run(path, ['get_throttled'], { timeout: THROTTLED_PATIENCE_MS })).stdout
}
