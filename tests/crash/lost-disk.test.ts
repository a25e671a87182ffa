import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { startWorld, type World } from './world.ts'

describeWithMosquitto("the bridge's disk is lost with rows on it that are not committed", () => {
  const waiting = async (world: World, rows: number) =>
    eventually(`${rows} rows wait`, async () => (await world.health()).rows_waiting > rows)

  it('rows that Snowflake has taken and not committed come once', async () => {
    const world = await startWorld({ name: 'lost-disk-frozen', pis: ['pi-one', 'pi-two'] })
    for (let round = 0; round < 3; round++) {
      await world.faults([{ operation: 'commit', action: 'freeze' }])
      await waiting(world, 50 + 50 * round)
      world.note('nothing commits; the bridge is killed and its disk is lost')
      await world.bridge.kill()
      world.wipeSpool()
      world.bridge.start()
      await world.bridge.up()
      await world.faults([])
      await eventually('commits go on', async () => (await world.health()).rows_waiting < 20)
    }
    await world.expectAllOnce()
    expect(world.tally.redelivered, 'redeliveries').toBeGreaterThan(0)
  })

  it('rows that never left the bridge come once', async () => {
    const world = await startWorld({ name: 'lost-disk-unsent', pis: ['pi-one', 'pi-two'], faults: true })
    world.cables.snowpipe.refuse(true)
    world.cables.snowpipe.cut()
    await waiting(world, 100)
    world.note('Snowpipe is away; the bridge is killed and its disk is lost')
    await world.bridge.kill()
    world.wipeSpool()
    world.bridge.start()
    await waiting(world, 50)
    world.cables.snowpipe.refuse(false)
    world.note('Snowpipe is back')
    await world.expectAllOnce()
  })
})
