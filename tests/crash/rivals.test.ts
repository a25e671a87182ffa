import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { startWorld } from './world.ts'

describeWithMosquitto('two bridges at once', () => {
  it('the second does not start; told to take over, the first stands down', async () => {
    const world = await startWorld({ name: 'rivals', pis: ['pi-one', 'pi-two'] })
    const polite = await world.anotherBridge('polite', [])
    polite.start()
    expect(await polite.gone(30_000)).toBe(78)
    expect(polite.log).toMatch(/another bridge is running here/)
    const second = await world.anotherBridge('second', ['--take-over'])
    world.note('a second bridge starts')
    second.start()
    expect(await world.bridge.gone(30_000)).toBe(78)
    world.note('the first has stood down')
    expect(world.bridge.log).toMatch(
      /another bridge .* has announced itself|was committed to .*, and not by this bridge/,
    )
    await second.up()
    await second.kill()
    await world.expectAllOnce()
  })

  it('with the guard switched off they fight, it is said, and still nothing is missing and nothing twice', async () => {
    const guard = { SNOWHAT_BRIDGE_GUARD: 'false' }
    const world = await startWorld({ name: 'no-guard', pis: ['pi-one', 'pi-two'], faults: true, bridge: guard })
    const second = await world.anotherBridge('second', [], { SNOWHAT_BRIDGE_CLIENT_ID: 'second' })
    world.note('a second bridge starts, and neither looks for another')
    second.start()
    const bridges = [world.bridge, second]
    // Who finds another's rows in its channel stops all the same.
    const ends = bridges.map((bridge) => bridge.mayEnd())
    await Promise.any(bridges.map((bridge) => bridge.said(/two bridges at one broker|and not by this bridge/)))
    // They have met; now let them fight for a while.
    const before = world.taken('pi-one')
    await eventually('some more readings', () => world.taken('pi-one') > before + 200, 60_000)
    world.note(`they have fought, and ${bridges.filter(({ running }) => running).length} of them run`)
    await Promise.all(bridges.map((bridge) => bridge.kill()))
    await Promise.all(ends)
    await world.expectAllOnce()
  })

  it('a bridge that is cut off from the broker goes on beside its successor, and finds out', async () => {
    const world = await startWorld({ name: 'cut-off', pis: ['pi-one', 'pi-two'] })
    // It hears nothing any more, of a successor neither; what it has in its spool it still sends.
    world.cables.bridge.freeze()
    world.cables.bridge.refuse(true)
    const second = await world.anotherBridge('second', ['--take-over'], {
      SNOWHAT_MQTT_URL: world.broker.url,
      SNOWHAT_BRIDGE_CLIENT_ID: 'second',
    })
    world.note('the bridge is cut off from the broker, another one starts')
    second.start()
    await second.up()
    const found = world.bridge.gone(60_000)
    // The broker still says that the first is there, so the Pis send to both; the first hears of it when it is back.
    await second.says(/"msg":"a channel is open"/)
    world.cables.bridge.refuse(false)
    world.cables.bridge.cut()
    expect(await found).toBe(78)
    world.note('the first has stood down; the second is killed, and the first comes back with its old disk')
    await second.kill()
    await world.expectAllOnce()
  })

  it('the old one comes back from an old disk again and again, and each time the rows come once', async () => {
    const world = await startWorld({ name: 'in-turn', pis: ['pi-one', 'pi-two'], faults: true })
    const second = await world.anotherBridge('second', ['--take-over'])
    let [running, resting] = [world.bridge, second]
    for (let turn = 0; turn < 6; turn++) {
      await running.says(/"msg":"a channel is open"/)
      world.note(`${running.name} is killed, ${resting.name} takes over`)
      await running.kill()
      resting.start()
      ;[running, resting] = [resting, running]
      await running.up()
    }
    await second.kill()
    await world.expectAllOnce()
    expect(world.tally.redelivered, 'redeliveries').toBeGreaterThan(0)
  })
})
