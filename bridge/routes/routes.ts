import { routeOfKey } from '../../src/device-key.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Topics } from '../../src/topics.ts'
import type { BridgeSettings } from '../config.ts'
import type { PipePath } from '../snowpipe/client.ts'
import { phoneRoutes } from './phone-routes.ts'
import { pipeOf } from './pipe-of.ts'
import { type RecordRouteSettings, recordRoute } from './record-route.ts'
import type { Route } from './route.ts'
import { readRouteFile } from './route-file.ts'
import { senseHatRoute } from './sense-hat-route.ts'

/** All routes of a bridge: which one a message takes, and where the rows of a device go. */
export class Routes {
  readonly #routes: readonly Route[]
  /** One object for each pipe: who groups by pipe compares nothing else. */
  readonly #pipes = new Map<string, PipePath>()

  /** Throws `E_CONFIG_INVALID` when two routes have one name, or would hear the same messages. */
  constructor(routes: readonly Route[]) {
    for (const [index, route] of routes.entries()) {
      const twin = routes.slice(0, index).find(({ name, filter }) => name === route.name || filter === route.filter)
      if (twin === undefined) continue
      const what = twin.name === route.name ? `are called ${route.name}` : `read ${route.filter}`
      throw new SnowhatError('E_CONFIG_INVALID', `two routes ${what}`, { hint: 'give each its own name and topic' })
    }
    this.#routes = routes
  }

  get filters(): string[] {
    return this.#routes.map(({ filter }) => filter)
  }

  /** The first whose message it is. */
  ofTopic(topic: string): Route | undefined {
    return this.#routes.find((route) => route.matches(topic))
  }

  /** `undefined` when its route is not configured any more. */
  ofDevice(key: string): Route | undefined {
    const name = routeOfKey(key)
    return this.#routes.find((route) => (name === undefined ? route.ownsHostnames : route.name === name))
  }

  /** `chosen`: the pipe it was given before, which it keeps, because a move would lose the channel's offset. */
  pipeOf(key: string, route: Route, chosen: string | null): PipePath {
    const { database, schema, pipes } = route.destination
    const pipe = chosen ?? pipeOf(key, pipes)
    const name = JSON.stringify([database, schema, pipe])
    const known = this.#pipes.get(name) ?? { database, schema, pipe }
    this.#pipes.set(name, known)
    return known
  }
}

/** The routes these settings name. Throws `E_CONFIG_INVALID`. */
export async function routesOf(settings: BridgeSettings, topics: Topics): Promise<Routes> {
  const { snowflake, phones, routes } = settings
  const own = await ownRoutes({ snowflake, routes })
  return new Routes([senseHatRoute(topics, snowflake), ...[...phoneRoutes(phones), ...own].map(recordRoute)])
}

/** Those of `routes.files`. Throws `E_CONFIG_INVALID`. */
export function ownRoutes({
  snowflake,
  routes,
}: Pick<BridgeSettings, 'snowflake' | 'routes'>): Promise<RecordRouteSettings[]> {
  return Promise.all(routes.files.map((file) => readRouteFile(file, snowflake)))
}
