import { expect, it } from 'vitest'
import { KeptIntervals } from '../../publisher/kept-intervals.ts'
import { silentLog } from '../../src/log.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'

const CONFIGURED = { interval: 1, state_interval: 10 }
const COMMANDED = { interval: 0.5, state_interval: 60 }

async function disk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem()
  await fs.makeDirectory('/outbox')
  return fs
}

const kept = (fs: MemoryFileSystem, configured = CONFIGURED, dir = '/outbox') =>
  new KeptIntervals(dir, configured, { log: silentLog(), fs })

it('what was commanded is in force after a restart', async () => {
  const fs = await disk()
  expect(await kept(fs).read()).toEqual(CONFIGURED)
  await kept(fs).write(COMMANDED)
  expect(await kept(fs).read()).toEqual(COMMANDED)
})

it('whoever changes the settings afterwards means them', async () => {
  const fs = await disk()
  await kept(fs).write(COMMANDED)
  const changed = { ...CONFIGURED, interval: 2 }
  expect(await kept(fs, changed).read()).toEqual(changed)
  // Also when somebody takes the change back.
  expect(await kept(fs).read()).toEqual(CONFIGURED)
})

it('without a directory nothing is kept', async () => {
  const fs = await disk()
  await kept(fs, CONFIGURED, '').write(COMMANDED)
  expect(await kept(fs, CONFIGURED, '').read()).toEqual(CONFIGURED)
})

it('a disk that fails takes nothing from what is in force, and a later command is kept all the same', async () => {
  const fs = await disk()
  const one = kept(fs)
  fs.failNext('datasync', 'EIO', 1)
  await one.write(COMMANDED)
  expect(await kept(fs).read()).toEqual(CONFIGURED)
  await one.write(COMMANDED)
  expect(await kept(fs).read()).toEqual(COMMANDED)
})
