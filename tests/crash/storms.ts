import { describe, expect, it } from 'vitest'
import { findMosquitto } from '../support/mosquitto-process.ts'
import { SEED } from './numbers.ts'
import { scheduleOf, type Weather } from './schedule.ts'
import { storm } from './storm.ts'
import { startWorld } from './world.ts'

/** Kills in all storms together; `.ci/full` does 200. */
const KILLS = Number(process.env.SNOWHAT_CRASH_KILLS ?? 30)
const KILLS_PER_WORLD = 15
const PIS = ['pi-one', 'pi-two', 'pi-three']

/** Half of all kills, in worlds of their own one after the other. Each file has its half, so that two run side by side. */
export function storms(loses: Weather['loses']): void {
  const kills = Math.ceil(KILLS / 2)
  const worlds = Array.from({ length: Math.ceil(kills / KILLS_PER_WORLD) }, (_, i) => ({
    number: i + 1,
    kills: Math.min(KILLS_PER_WORLD, kills - i * KILLS_PER_WORLD),
  }))
  describeCrash(`kill -9 at any moment, and now and then the disk of the ${loses} is lost`, () => {
    it.each(worlds)(
      'world $number: nothing is missing and nothing twice after $kills kills',
      async ({ number, kills }) => {
        const world = await startWorld({ name: `storm-${loses}-${number}`, variant: number, pis: PIS, faults: true })
        await storm(world, scheduleOf(world.numbers, { kills, pis: PIS, loses }))
        await world.expectAllOnce()
        expect(world.tally.redelivered, 'redeliveries').toBeGreaterThan(0)
        expect(world.tally.replayed, 'rows replayed after the committed token').toBeGreaterThan(0)
        expect(world.tally.staleReopens(world.bridge.log), 'stale reopens').toBeGreaterThan(0)
      },
    )
  })
}

/** Crash tests need Mosquitto on this machine, where its files and its process can be reached. */
export function describeCrash(name: string, tests: () => void): void {
  const missing = findMosquitto()
  if (missing === '') describe(`${name} (seed ${SEED})`, tests)
  else if (process.env.SNOWHAT_REQUIRE_MOSQUITTO === '1')
    it(`${name}: has Mosquitto`, () => {
      throw new Error(`SNOWHAT_REQUIRE_MOSQUITTO=1, and ${missing}`)
    })
  else describe.skip(`${name} (SKIPPED: ${missing})`, tests)
}
