import { expect, it } from 'vitest'
import { mountingOf } from '../../../publisher/calibration/mounting.ts'
import { type BiasOwner, KeptGyroBias } from '../../../publisher/orientation/kept-gyro-bias.ts'
import { DEGREE } from '../../../publisher/sensors/rotation.ts'
import { silentLog } from '../../../src/log.ts'
import { MemoryFileSystem } from '../../durable-log/support/memory-filesystem.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const REAL: BiasOwner = { simulated: false, mounting: null }
const BIAS = { x: 0.1, y: -0.02, z: 0.003 }
const MINUTE = 60_000

async function disk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem()
  await fs.makeDirectory('/outbox')
  return fs
}

const open = (fs: MemoryFileSystem, owner = REAL, clock = new ManualClock(), dir = '/outbox') =>
  new KeptGyroBias(dir, owner, { clock, log: silentLog(), fs })

it('what was learned is the first guess after a restart', async () => {
  const fs = await disk()
  const first = open(fs)
  expect(await first.read()).toBeNull()
  first.learned(BIAS)
  await first.close()
  expect(await open(fs).read()).toEqual(BIAS)
})

it('what another file guesses is not kept as if it had been learned', async () => {
  const fs = await disk()
  const first = open(fs)
  expect(await first.read(BIAS)).toEqual(BIAS)
  first.learned(BIAS)
  await first.close()
  expect(await open(fs).read({ ...BIAS, x: 0.2 })).toEqual({ ...BIAS, x: 0.2 })
})

it('a power cut takes what changed in the last ten minutes, and no more', async () => {
  const fs = await disk()
  const clock = new ManualClock()
  const one = open(fs, REAL, clock)
  const learn = async (x: number) => {
    one.learned({ ...BIAS, x })
    await new Promise(setImmediate)
  }
  await learn(0.1)
  await expect.poll(() => open(fs).read()).toMatchObject({ x: 0.1 })
  clock.stall(9 * MINUTE)
  await learn(0.2)
  expect(await open(fs).read()).toMatchObject({ x: 0.1 })
  clock.stall(2 * MINUTE)
  await learn(0.3)
  await expect.poll(() => open(fs).read()).toMatchObject({ x: 0.3 })
})

it('a change nobody would notice is not written', async () => {
  const fs = await disk()
  const one = open(fs)
  one.learned(BIAS)
  one.learned({ ...BIAS, x: BIAS.x + 0.01 * DEGREE })
  await one.close()
  expect(await open(fs).read()).toEqual(BIAS)
})

it('of the simulated board, or of another mounting, it is no guess', async () => {
  const fs = await disk()
  const one = open(fs, { simulated: true, mounting: mountingOf(3) })
  one.learned(BIAS)
  await one.close()
  expect(await open(fs, { simulated: true, mounting: mountingOf(3) }).read()).toEqual(BIAS)
  expect(await open(fs, { simulated: false, mounting: mountingOf(3) }).read()).toBeNull()
  expect(await open(fs, { simulated: true, mounting: mountingOf(4) }).read()).toBeNull()
})

it('without a directory nothing is kept, and a disk that fails stops nothing', async () => {
  const fs = await disk()
  const nowhere = open(fs, REAL, new ManualClock(), '')
  nowhere.learned(BIAS)
  await nowhere.close()
  expect(await nowhere.read()).toBeNull()
  const one = open(fs)
  fs.failNext('datasync', 'EIO', 1)
  one.learned(BIAS)
  await one.close()
  expect(await open(fs).read()).toBeNull()
})
