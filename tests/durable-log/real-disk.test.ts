import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { type DurableLog, openDurableLog } from '../../src/durable-log/durable-log.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { segmentName } from '../../src/durable-log/segment.ts'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import { silentLog } from '../../src/log.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { contents, readAll, text } from './support/logs.ts'

async function open(dir: string, settings: { segmentBytes?: number; syncEveryMs?: number } = {}): Promise<DurableLog> {
  const log = await openDurableLog({ dir, ...settings }, { clock: systemClock(), log: silentLog() })
  onTestFinished(() => log.close())
  return log
}

describe('on a real disk', () => {
  it('appends, rolls, reads, deletes and opens again', async () => {
    const dir = join(temporaryDirectory(), 'deep', 'log')
    const log = await open(dir, { segmentBytes: 10_000 })
    await Promise.all(Array.from({ length: 200 }, (_, i) => log.append(text(`record ${i + 1}`.padEnd(300)))))
    expect(log.durableSequence).toBe(200)
    expect(log.usage().segments).toBeGreaterThan(5)
    await log.deleteBefore(100)
    expect(log.firstSequence).toBeGreaterThan(50)
    await log.close()
    expect(readdirSync(dir).filter((name) => !/^\d{16}\.log$/.test(name))).toEqual([])
    const again = await open(dir)
    expect(again.report).toMatchObject({ closedProperly: true, nextSequence: 201, corrupt: [], gaps: [] })
    expect(again.report.freeBytes).toBeGreaterThan(0)
    const records = await readAll(again)
    expect(records.at(-1)?.sequence).toBe(200)
    for (const { sequence, body } of records) expect(Buffer.from(body).toString().trim()).toBe(`record ${sequence}`)
  })

  it('cuts a torn tail', async () => {
    const dir = temporaryDirectory()
    const log = await open(dir)
    await log.append(text('one'))
    await log.append(text('two'))
    await log.close()
    const file = join(dir, segmentName(1))
    truncateSync(file, statSync(file).size - 17)
    const again = await open(dir)
    expect(again.report.tornTail).toMatchObject({ file: segmentName(1), bytes: 18 })
    expect(await contents(again)).toEqual(['1:one'])
  })

  it('refuses a second owner with one clear sentence', async () => {
    const dir = temporaryDirectory()
    await open(dir)
    await expect(open(dir)).rejects.toMatchObject({
      code: 'E_RIVAL',
      message: `The log in ${dir} is in use by process ${process.pid}.`,
      hint: expect.any(String),
    })
  })

  it('holds its lock in a directory of any length of name', async () => {
    const dir = join(temporaryDirectory(), 'x'.repeat(120))
    await open(dir)
    await expect(open(dir)).rejects.toMatchObject({ code: 'E_RIVAL' })
  })

  it('says in one sentence that a path is no directory', async () => {
    const path = join(temporaryDirectory(), 'file')
    writeFileSync(path, '')
    await expect(open(path)).rejects.toMatchObject({ code: 'E_LOG_IO', hint: expect.any(String) })
  })

  it.skipIf(process.getuid?.() === 0)('says in one sentence that a directory may not be written', async () => {
    const dir = join(temporaryDirectory(), 'locked')
    mkdirSync(dir)
    chmodSync(dir, 0o500)
    await expect(open(dir)).rejects.toMatchObject({
      code: 'E_LOG_IO',
      message: `The directory ${dir} cannot be used for a log: permission denied.`,
    })
  })

  it('keeps snapshots', async () => {
    const path = join(temporaryDirectory(), 'state')
    const fs = nodeFileSystem()
    await writeSnapshot(fs, path, text('one'))
    await writeSnapshot(fs, path, text('two'))
    expect(await readSnapshot(fs, path)).toEqual({ bytes: text('two'), previous: false })
  })
})

/** A smoke test: the page cache survives kill -9, so it says nothing about power cuts. Only the model test does. */
describe('a process killed while it appends', () => {
  it('leaves a lock nobody holds and every record it was told of', async () => {
    const dir = temporaryDirectory()
    let told = 0
    for (let round = 0; round < 3; round++) {
      const child = appender(dir)
      await child.said(/^open/m)
      await expect(open(dir)).rejects.toMatchObject({ code: 'E_RIVAL' })
      await child.said(new RegExp(`^${told + 200}$`, 'm'))
      told = await child.kill()
    }
    const log = await open(dir)
    expect(log.report.corrupt).toEqual([])
    expect(log.nextSequence).toBeGreaterThan(told)
    const records = await readAll(log)
    expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, i) => i + 1))
    for (const { sequence, body } of records) expect(Buffer.from(body).toString()).toBe(`body of ${sequence}`)
  })
})

interface Appender {
  said(pattern: RegExp): Promise<void>
  /** Kills it without warning; gives the largest number it was told. */
  kill(): Promise<number>
}

function appender(dir: string): Appender {
  const script = fileURLToPath(new URL('./support/appender.ts', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let output = ''
  let look = (): void => undefined
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    output += more
    look()
  })
  return {
    said: (pattern) =>
      new Promise((resolve) => {
        look = () => {
          if (pattern.test(output)) resolve()
        }
        look()
      }),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
      const lines = output.split('\n').slice(0, -1).map(Number)
      return Math.max(...lines.filter((line) => !Number.isNaN(line)))
    },
  }
}
