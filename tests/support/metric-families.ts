import { BridgeMetrics, type Family } from '../../bridge/metrics/metrics.ts'
import { LaneWorld } from './lane-world.ts'
import { statusOf } from './status.ts'

/** Every metric of a bridge, as its registry lists them. */
export async function metricFamilies(): Promise<Family[]> {
  const world = new LaneWorld()
  try {
    const { metrics } = statusOf(world)
    if (!(metrics instanceof BridgeMetrics)) throw new Error('a bridge has its own metrics')
    return await metrics.families()
  } finally {
    const closing = world.close()
    await world.clock.advance(60_000)
    await closing
  }
}
