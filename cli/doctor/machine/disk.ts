import { readFile, realpath, stat, statfs } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Clock } from '../../../src/clock.ts'
import { networkShare } from '../../../src/durable-log/network-share.ts'
import { type Finding, ok, skipped, warn } from '../finding.ts'
import { type KeptDirectory, nearestDirectory, withTrialFile } from './directory.ts'

/** `f_type` of file systems that a restart empties [documented: statfs(2)]. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])
const MIB = 1_048_576
/** Below it other programs of a small machine begin to fail as well. */
const LEAST_FREE = 200 * MIB

const BLOCK = Buffer.alloc(4_096, 'snowhat ')
const SYNCS = 40
const SYNC_LIMIT_MS = 4_000
/** Slower than that a group commit keeps the broker waiting; SD cards take 5 to 50 ms [observed]. */
const SLOW_MS = 100
const VERY_SLOW_MS = 1_000

export async function diskKindFinding({ name, path }: KeptDirectory): Promise<Finding> {
  const at = await nearestDirectory(path)
  const share = await networkShare(at)
  if (share !== undefined)
    return warn('machine.disk-kind', `the ${name} lies on a network share (${share})`, {
      why: 'its lock holds on one machine only, and what a sync promises is the server’s affair',
      fix: `put it on a disk of this machine: ${name === 'outbox' ? 'SNOWHAT_PUBLISHER_OUTBOX_DIR' : 'SNOWHAT_SPOOL_DIR'}`,
    })
  const { type } = await statfs(at)
  if (IN_MEMORY.has(type))
    return warn('machine.disk-kind', `the ${name} lies in memory (tmpfs): a restart of the machine empties it`, {
      fix: 'put it on a disk',
    })
  const kind = await blockDevice(at)
  return kind === undefined
    ? skipped('machine.disk-kind', 'the system does not say what the directory lies on')
    : ok('machine.disk-kind', `the ${name} lies on ${kind}`)
}

/** Of the device below a directory, as sysfs tells it; undefined for file systems without one. */
async function blockDevice(path: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  const { dev } = await stat(path)
  // major and minor as glibc packs them [documented: makedev(3)]; below 2^20 both are small.
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)]
  const device = await realpath(`/sys/dev/block/${major}:${minor}`).catch(() => undefined)
  if (device === undefined) return undefined
  const read = (directory: string, file: string) => readFile(`${directory}/${file}`, 'utf8').catch(() => undefined)
  // A partition's directory is below its disk's.
  const disk = (await read(device, 'partition')) === undefined ? device : dirname(device)
  const name = basename(disk)
  if (name.startsWith('mmcblk')) return `an SD card or eMMC (${name})`
  const rotational = (await read(disk, 'queue/rotational'))?.trim()
  if (rotational === undefined) return undefined
  return rotational === '1' ? `a disk that turns, or says so (${name})` : `an SSD (${name})`
}

export async function diskSyncFinding(directory: KeptDirectory, clock: Clock, signal: AbortSignal): Promise<Finding> {
  const at = await nearestDirectory(directory.path)
  const times = await syncTimes(at, clock, signal).catch(() => undefined)
  if (times === undefined)
    return skipped('machine.disk-sync', `${at} cannot be written to; machine.directory says whether that matters`)
  const p50 = quantile(times, 0.5)
  const p99 = quantile(times, 0.99)
  const what = `making 4 KiB durable for the ${directory.name} takes ${shown(p50)} (half), ${shown(p99)} (99 of 100)`
  if (p50 < SLOW_MS && p99 < VERY_SLOW_MS) return ok('machine.disk-sync', what)
  return warn('machine.disk-sync', what, {
    why: 'every group of rows waits for that, and the broker waits for the rows',
    fix: 'another card or disk; an A2 card or a USB SSD takes a few milliseconds; look at dmesg for errors of the old one',
  })
}

/** Milliseconds, rising. */
async function syncTimes(path: string, clock: Clock, signal: AbortSignal): Promise<number[]> {
  const times: number[] = []
  await withTrialFile(path, async (file) => {
    const until = clock.monotonic() + SYNC_LIMIT_MS
    while (times.length < SYNCS && clock.monotonic() < until && !signal.aborted) {
      const before = clock.monotonic()
      await file.write(BLOCK)
      await file.datasync()
      times.push(clock.monotonic() - before)
    }
  })
  return times.sort((a, b) => a - b)
}

export async function diskSpaceFinding({ name, path, mayHold }: KeptDirectory): Promise<Finding> {
  const { bavail, bsize } = await statfs(await nearestDirectory(path))
  const free = bavail * bsize
  const what = `${Math.round(free / MIB)} MiB are free for the ${name}`
  if (free < LEAST_FREE)
    return warn('machine.disk-space', what, { fix: 'make room: a full disk stops what writes to it' })
  if (mayHold !== null && free < mayHold)
    return warn('machine.disk-space', `${what}, and it may grow to ${Math.round(mayHold / MIB)} MiB`, {
      why: 'the disk is full before the limit protects it',
      fix: 'make room, or set SNOWHAT_SPOOL_MAX_BYTES and SNOWHAT_SPOOL_DEAD_LETTERS_MAX_BYTES below what is free',
    })
  return ok('machine.disk-space', what)
}

function quantile(rising: readonly number[], part: number): number {
  return rising[Math.min(rising.length - 1, Math.floor(rising.length * part))] ?? Number.NaN
}

function shown(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}
