import {
  type DurableLog,
  type DurableLogDeps,
  type DurableLogSettings,
  openDurableLog,
} from '../../../src/durable-log/durable-log.ts'
import type { LogRecord } from '../../../src/durable-log/reader.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import type { Chance, MemoryFileSystem } from './memory-filesystem.ts'

export const DIR = '/data/outbox'

/** A log on a disk in memory, with small segments. */
export function openOn(
  fs: MemoryFileSystem,
  settings: Partial<DurableLogSettings> = {},
  deps: Partial<DurableLogDeps> = {},
): Promise<DurableLog> {
  return openDurableLog(
    { dir: DIR, segmentBytes: 4096, ...settings },
    { clock: new ManualClock(), log: silentLog(), fs, ...deps },
  )
}

export async function readAll(log: DurableLog, from = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const record of log.read(from)) records.push(record)
  return records
}

/** What it holds as `number:text`. */
export async function contents(log: DurableLog, from = 0): Promise<string[]> {
  return (await readAll(log, from)).map(({ sequence, body }) => `${sequence}:${Buffer.from(body).toString()}`)
}

export function text(value: string): Buffer {
  return Buffer.from(value)
}

/** Chance that a seed repeats (mulberry32). */
export function seeded(seed: number): Chance {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
