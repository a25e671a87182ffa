import { cpSync, lstatSync } from 'node:fs'
import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { startWorld } from './world.ts'

describeWithMosquitto('two Pis with one host name', () => {
  it('a card that was copied with readings on it: both send them, and all come once', async () => {
    const world = await startWorld({ name: 'clones', pis: ['pi-one'], faults: true })
    world.cables.pis.refuse(true)
    world.cables.pis.cut()
    const original = world.pis.get('pi-one')
    await eventually('readings that nobody has', () => world.taken('pi-one') > 60)
    await original?.kill()
    // Sockets of dead locks cannot be copied.
    cpSync(world.outboxOf('pi-one'), world.outboxOf('pi-copy'), {
      recursive: true,
      filter: (file) => !lstatSync(file).isSocket(),
    })
    world.note('the card is copied, both cards run')
    world.cables.pis.refuse(false)
    const copy = world.addPi('pi-copy', { hostname: 'pi-one' })
    original?.start()
    copy.start()
    await Promise.all([original?.up(), copy.up()])
    for (const victim of [world.bridge, copy, world.bridge, original]) {
      await eventually(
        'some more readings',
        (
          (before) => () =>
            world.taken('pi-copy') > before + 40
        )(world.taken('pi-copy')),
      )
      world.note(`kill ${victim?.name}`)
      await victim?.kill()
      victim?.start()
    }
    await world.expectAllOnce()
    expect(world.tally.redelivered, 'redeliveries').toBeGreaterThan(0)
  })
})
