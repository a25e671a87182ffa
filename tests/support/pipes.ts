import { Routes } from '../../bridge/routes/routes.ts'
import { senseHatRoute } from '../../bridge/routes/sense-hat-route.ts'
import type { PipePath } from '../../bridge/snowpipe/client.ts'
import { createTopics } from '../../src/topics.ts'

/** Where the readings of a test go. */
export const DESTINATION = { database: 'DEMO', schema: 'DEMO', pipes: ['SENSEHAT_STREAMING_PIPE'] } as const

const known = new Map<string, PipePath>()

/** A pipe of `DESTINATION`'s schema: the same object for the same name, as in a bridge. */
export function pipeNamed(pipe: string): PipePath {
  const path = known.get(pipe) ?? { database: DESTINATION.database, schema: DESTINATION.schema, pipe }
  known.set(pipe, path)
  return path
}

/** The Sense HAT's route alone. */
export function senseHatOnly(topics = createTopics('sensehat', 'homeassistant')): Routes {
  return new Routes([senseHatRoute(topics, DESTINATION)])
}
