import fs from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../src/clock.ts'
import { openDurableLog } from '../src/durable-log/durable-log.ts'
import type { FileSystem, OpenFile } from '../src/durable-log/filesystem.ts'
import { FRAME_OVERHEAD } from '../src/durable-log/frame.ts'
import { nodeFileSystem } from '../src/durable-log/node-filesystem.ts'
import { silentLog } from '../src/log.ts'

/**
 * What the log costs above the disk, in records per second, each append awaited until it is durable. Beside it, in turn in
 * the same run, medians of fifteen:
 *
 *   loop    64 (1, 16, 512) appenders and the least that can serve them: what waits is put together, written, synced, and
 *           all are told. As many bytes per record as the log; no frames, no checksums, no segments, no limits.
 *   disk    no appenders at all: the writes and syncs the log made, again, from one buffer. What no log can reach.
 *
 *   npx tsx bench/durable-log.ts [DIRECTORY]
 *
 * Ends with 1 when at 64 appenders the log does not reach 0.8 of the loop. The faster the sync, the lower the ratios:
 * what the log does between two syncs is then a larger part.
 */
const BODY = Buffer.alloc(500, 'b')
const ROUNDS = 15
const ROUND_MS = 300
const SLOW_MS = 10
const ASKED = { appenders: 64, ratio: 0.8 }

type Step = number | 'datasync'

const clock = systemClock()
const base = process.argv[2] ?? tmpdir()
let failed = false
// A machine that is just starting compiles: of that the figures are to say nothing.
for (let i = 0; i < 3; i++) {
  const { steps } = await withLog(16, 0, 20_000)
  await withLoop(16, 0, 20_000)
  await replay(steps, 0, 20_000)
}
for (const slowMs of [0, SLOW_MS])
  for (const appenders of [1, 16, 64, 512]) {
    // Sizes the round.
    const warm = await withLog(appenders, slowMs, 20 * appenders)
    const sized = Math.max(4 * appenders, Math.floor((warm.rate * ROUND_MS) / 1000))
    const rates: { log: number; loop: number; disk: number }[] = []
    let perSync = 0
    for (let round = 0; round < ROUNDS; round++) {
      const { rate: log, steps } = await withLog(appenders, slowMs, sized)
      const loop = await withLoop(appenders, slowMs, sized)
      const disk = await replay(steps, slowMs, sized)
      rates.push({ log, loop, disk })
      perSync = sized / steps.filter((step) => step === 'datasync').length
    }
    const ratio = median(rates.map(({ log, loop }) => log / loop))
    if (slowMs === 0 && appenders === ASKED.appenders && ratio < ASKED.ratio) failed = true
    const row = {
      bench: 'durable-log',
      node: process.version,
      sync_extra_ms: slowMs,
      appenders,
      log_per_s: Math.round(median(rates.map(({ log }) => log))),
      loop_per_s: Math.round(median(rates.map(({ loop }) => loop))),
      disk_per_s: Math.round(median(rates.map(({ disk }) => disk))),
      log_to_loop: Number(ratio.toFixed(3)),
      log_to_disk: Number(median(rates.map(({ log, disk }) => log / disk)).toFixed(3)),
      records_per_sync: Number(perSync.toFixed(1)),
    }
    process.stdout.write(`${JSON.stringify(row)}\n`)
  }
if (failed) process.exitCode = 1

async function withLog(appenders: number, slowMs: number, records: number): Promise<{ rate: number; steps: Step[] }> {
  const dir = await mkdtemp(join(base, 'snowhat-bench-'))
  const steps: Step[] = []
  const log = await openDurableLog({ dir }, { clock, log: silentLog(), fs: watched(nodeFileSystem(), slowMs, steps) })
  steps.length = 0
  const rate = await rateOf(appenders, records, () => log.append(BODY))
  const taken = [...steps]
  await log.close()
  await rm(dir, { recursive: true })
  return { rate, steps: taken }
}

async function withLoop(appenders: number, slowMs: number, records: number): Promise<number> {
  const body = Buffer.alloc(BODY.length + FRAME_OVERHEAD, 'b')
  return onFile(async (fd) => {
    let waiting: { readonly body: Buffer; readonly resolve: () => void }[] = []
    let position = 0
    let running = false
    const run = async () => {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve))
        const group = waiting
        waiting = []
        if (group.length === 0) break
        const bytes = Buffer.concat(group.map((one) => one.body))
        await write(fd, bytes, bytes.length, position)
        position += bytes.length
        await datasync(fd, slowMs)
        for (const { resolve } of group) resolve()
      }
      running = false
    }
    return rateOf(
      appenders,
      records,
      () =>
        new Promise<void>((resolve) => {
          waiting.push({ body, resolve })
          if (!running) void run()
          running = true
        }),
    )
  })
}

async function replay(steps: readonly Step[], slowMs: number, records: number): Promise<number> {
  const bytes = Buffer.alloc(2 * 1024 * 1024, 'x')
  return onFile(async (fd) => {
    let position = 0
    const started = performance.now()
    for (const step of steps) {
      if (step === 'datasync') await datasync(fd, slowMs)
      else {
        await write(fd, bytes, step, position)
        position += step
      }
    }
    return (records * 1000) / (performance.now() - started)
  })
}

async function rateOf(appenders: number, records: number, append: () => Promise<unknown>): Promise<number> {
  let left = records
  const started = performance.now()
  await Promise.all(
    Array.from({ length: appenders }, async () => {
      while (left-- > 0) await append()
    }),
  )
  return (records * 1000) / (performance.now() - started)
}

async function onFile<T>(act: (fd: number) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(base, 'snowhat-bench-'))
  const fd = fs.openSync(join(dir, 'bare'), 'w')
  try {
    return await act(fd)
  } finally {
    fs.closeSync(fd)
    await rm(dir, { recursive: true })
  }
}

function write(fd: number, bytes: Buffer, length: number, position: number): Promise<void> {
  return new Promise((resolve, reject) =>
    fs.write(fd, bytes, 0, length, position, (error) => (error ? reject(error) : resolve())),
  )
}

async function datasync(fd: number, slowMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())))
  if (slowMs > 0) await clock.sleep(slowMs)
}

/** The disk, slower by so much per sync, and what was asked of it. */
function watched(disk: FileSystem, slowMs: number, steps: Step[]): FileSystem {
  const watch = (file: OpenFile): OpenFile => ({
    size: () => file.size(),
    read: (position, length) => file.read(position, length),
    write: (bytes, position) => {
      steps.push(bytes.length)
      return file.write(bytes, position)
    },
    datasync: async () => {
      steps.push('datasync')
      await file.datasync()
      if (slowMs > 0) await clock.sleep(slowMs)
    },
    truncate: (length) => file.truncate(length),
    close: () => file.close(),
  })
  return { ...disk, open: async (path, mode) => watch(await disk.open(path, mode)) }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
