import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { unplug } from './storm.ts'
import { describeCrash } from './storms.ts'
import { startWorld } from './world.ts'

describeCrash('Snowpipe is away for longer than the broker can wait', () => {
  it('nothing is missing and nothing twice when the broker has dropped readings', async () => {
    const world = await startWorld({
      name: 'outage',
      pis: ['pi-one', 'pi-two'],
      // The shipped queue would take hours to overflow.
      broker: { max_queued_messages: '50', max_inflight_messages: '20' },
      // About 200 readings.
      bridge: { SNOWHAT_SPOOL_MAX_BYTES: '200000' },
    })
    const outage = unplug(world, 'snowpipe', 25_000)
    world.note('Snowpipe is away')
    const dropping = () => readFileSync(world.broker.logFile, 'utf8').includes('messages are being dropped')
    await eventually('the broker drops messages', dropping, 25_000)
    world.note('the broker drops messages')
    // What only the broker had is lost with it.
    await world.bridge.kill()
    world.bridge.start()
    await outage
    world.note('Snowpipe is back')
    await world.expectAllOnce()
    expect(world.bridge.log).toContain('the spool is full')
    expect(world.tally.redelivered, 'redeliveries').toBeGreaterThan(0)
  })
})
