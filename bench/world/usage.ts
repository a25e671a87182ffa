import { readdir, readFile } from 'node:fs/promises'

/** What a process of this machine has used so far; Linux only. */
export interface Usage {
  /** Processor time of all its threads, in the kernel too, milliseconds. */
  readonly cpuMs: number
  /** Resident memory, bytes: now, and the most there ever was. */
  readonly rss: number
  readonly peakRss: number
}

/** USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  // The name of the program stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return {
    cpuMs: (ticks * 1000) / TICKS_PER_SECOND,
    rss: kilobytesOf(status, 'VmRSS') * 1024,
    peakRss: kilobytesOf(status, 'VmHWM') * 1024,
  }
}

/** Open descriptors of a process. */
export async function descriptorsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length
}

function kilobytesOf(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN)
}
