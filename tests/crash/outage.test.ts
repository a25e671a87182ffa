import { readFileSync } from 'node:fs'
import { it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { startWorld } from './world.ts'

describeWithMosquitto('Snowpipe is away for longer than the broker can wait', () => {
  it('nothing is missing and nothing twice when the broker has dropped readings', async () => {
    const world = await startWorld({
      name: 'outage',
      pis: ['pi-one', 'pi-two'],
      interval: 0.01,
      // The shipped queue would take hours to overflow, and the shipped spool a day to be full.
      broker: { max_queued_messages: '50', max_inflight_messages: '20' },
      bridge: { SNOWHAT_SPOOL_MAX_BYTES: '2000000', SNOWHAT_BATCH_MAX_ROWS: '100' },
    })
    const { snowpipe } = world.cables
    snowpipe.refuse(true)
    snowpipe.cut()
    world.note('Snowpipe is away')
    const dropping = () => readFileSync(world.broker.logFile, 'utf8').includes('messages are being dropped')
    await eventually('the broker drops messages', dropping, 60_000)
    world.note('the broker drops messages; the bridge is killed, and comes back with a full spool and a full queue')
    await world.bridge.kill()
    world.bridge.start()
    await world.bridge.says(/the spool is full/)
    snowpipe.refuse(false)
    world.note('Snowpipe is back')
    await world.expectAllOnce()
  })
})
