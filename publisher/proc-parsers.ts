/** Readers of what Linux prints under `/proc` and `/sys`; each gives `null` for what it cannot read. */

/** Ticks since boot, all and idle. */
export interface CpuTimes {
  readonly total: number
  readonly idle: number
}

/**
 * The first line of `/proc/stat`: user nice system idle iowait irq softirq steal (guest …). Guest times are
 * already inside user and nice, so only the first eight count; waiting for a disk is idle.
 */
export function parseCpuTimes(stat: string): CpuTimes | null {
  const line = /^cpu\s+(.+)$/m.exec(stat)?.[1]
  const ticks = line?.trim().split(/\s+/).slice(0, 8).map(Number) ?? []
  if (ticks.length < 4 || ticks.some((n) => !Number.isFinite(n))) return null
  return { total: ticks.reduce((sum, n) => sum + n, 0), idle: (ticks[3] ?? 0) + (ticks[4] ?? 0) }
}

/** Load between two moments, %; iowait may run backwards, so it is clamped. */
export function cpuPercent(before: CpuTimes, after: CpuTimes): number | null {
  const total = after.total - before.total
  if (total <= 0) return null
  const idle = Math.max(0, after.idle - before.idle)
  return Math.max(0, Math.min(100, (100 * (total - idle)) / total))
}

/** Share of memory that programs cannot have any more, %, from `/proc/meminfo`. */
export function parseMemoryPercent(meminfo: string): number | null {
  const total = Number(/^MemTotal:\s+(\d+)/m.exec(meminfo)?.[1])
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1])
  return total > 0 && Number.isFinite(available) ? (100 * (total - available)) / total : null
}

/** Used on a file system, MiB, as `df` counts it: blocks that are not free, reserved ones included. */
export function diskUsedMib(fs: { readonly blocks: number; readonly bfree: number; readonly bsize: number }): number {
  return ((fs.blocks - fs.bfree) * fs.bsize) / 2 ** 20
}

/** Seconds since boot, the first number of `/proc/uptime`. */
export function parseUptime(uptime: string): number | null {
  const seconds = Number.parseFloat(uptime)
  return Number.isFinite(seconds) ? Math.floor(seconds) : null
}

/** Signal of the first wireless interface, dBm, from `/proc/net/wireless`. Old drivers count from 0 to 255. */
export function parseWirelessDbm(wireless: string): number | null {
  const level = /^\s*\S+:\s+\S+\s+\S+\s+(-?\d+)/m.exec(wireless)?.[1]
  if (level === undefined) return null
  const value = Number(level)
  return value > 63 ? value - 256 : value
}

/** `/sys/class/thermal/thermal_zone0/temp`, thousandths of °C. */
export function parseMilliCelsius(text: string): number | null {
  const value = Number.parseInt(text, 10)
  return Number.isFinite(value) ? value / 1000 : null
}

/** `throttled=0x50005`, what `vcgencmd get_throttled` prints: bits 0 to 3 now, 16 to 19 since boot. */
export function parseThrottled(text: string): number | null {
  const bits = /throttled=(0x[0-9a-f]+)/i.exec(text)?.[1]
  return bits === undefined ? null : Number.parseInt(bits, 16)
}
