import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { SNOWHAT, startWorld } from './world.ts'

/** A second bridge that is told to may start beside a live one. */
const help = execFileSync(process.execPath, [SNOWHAT, 'bridge', '--help']).toString()
const TAKE_OVER = help.includes('--take-over') ? ['--take-over'] : []

describeWithMosquitto('two bridges at once', () => {
  it('one of them stands down with 78 and says why, and nothing is missing and nothing twice', async () => {
    const world = await startWorld({ name: 'rivals', pis: ['pi-one', 'pi-two'] })
    const second = await world.anotherBridge('second', TAKE_OVER, { SNOWHAT_BRIDGE_CLIENT_ID: 'second' })
    world.note('a second bridge starts')
    second.start()
    const loser = await Promise.race(
      [world.bridge, second].map(async (bridge) => {
        expect(await bridge.gone(30_000)).toBe(78)
        return bridge
      }),
    )
    world.note(`${loser.name} has stood down`)
    expect(loser.log).toMatch(/another bridge .* has announced itself|was committed to .*, and not by this bridge/)
    await second.kill()
    await world.expectAllOnce()
  })

  it('a bridge that is cut off from the broker goes on beside its successor, and finds out', async () => {
    const world = await startWorld({ name: 'cut-off', pis: ['pi-one', 'pi-two'] })
    // It hears nothing any more, of a successor neither; what it has in its spool it still sends.
    world.cables.bridge.freeze()
    world.cables.bridge.refuse(true)
    const second = await world.anotherBridge('second', TAKE_OVER, {
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
    const second = await world.anotherBridge('second', TAKE_OVER)
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
