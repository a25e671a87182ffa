import { expect, it } from 'vitest'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { SEED } from './numbers.ts'
import { scheduleOf, type Weather } from './schedule.ts'
import { storm, untilItHasBitten } from './storm.ts'
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
  describeWithMosquitto(
    `kill -9 at any moment, and now and then the disk of the ${loses} is lost (seed ${SEED})`,
    () => {
      it.each(worlds)(
        'world $number: nothing is missing and nothing twice after $kills kills',
        async ({ number, kills }) => {
          const world = await startWorld({ name: `storm-${loses}-${number}`, variant: number, pis: PIS, faults: true })
          await storm(world, scheduleOf(world.numbers, { kills, pis: PIS, loses }))
          // Where it does not, the counts below say so.
          await untilItHasBitten(world).catch(() => undefined)
          await world.expectAllOnce()
          expect(world.tally.redelivered, 'redeliveries').toBeGreaterThan(0)
          expect(world.tally.replayed, 'rows replayed after the committed token').toBeGreaterThan(0)
          expect(world.tally.staleReopens(world.bridge.log), 'stale reopens').toBeGreaterThan(0)
        },
      )
    },
  )
}
