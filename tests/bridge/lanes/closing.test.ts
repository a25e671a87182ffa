import { expect, it, onTestFinished } from 'vitest'
import { LaneWorld } from '../../support/lane-world.ts'

it('rows that come while the lanes are closed make no new lane: nobody would close it, and the process would not end', async () => {
  const world = new LaneWorld()
  onTestFinished(() => world.close())
  await world.lanes.close()
  world.take(1, 3)
  await world.run(5_000)
  expect(world.device.waiting).toBe(3)
  expect([...world.lanes]).toEqual([])
  expect(world.snowpipe.appends).toEqual([])
})
