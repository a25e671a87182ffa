import { PHONE_ROUTES } from '../../src/phone-records.ts'
import type { PhonesSettings } from '../../src/phones-section.ts'
import { READINGS_LIMITS } from './message.ts'
import { recordRoute } from './record-route.ts'
import type { Destination, Route } from './route.ts'

/** What `snowhat phone` publishes: what phones have sent, and what it has made of it. */
export function phoneRoutes({
  topic,
  database,
  schema,
  pipes,
  activity_schema,
  activity_pipes,
}: PhonesSettings): Route[] {
  const route = (what: keyof typeof PHONE_ROUTES, destination: Destination) => {
    const { level, route: name, columns } = PHONE_ROUTES[what]
    return recordRoute({
      name,
      topic: `${topic}/+/${level}`,
      destination,
      columns: new Map(columns.map(({ key, kind }) => [key, kind])),
      limits: READINGS_LIMITS,
    })
  }
  return [
    route('records', { database, schema, pipes }),
    route('activity', { database, schema: activity_schema, pipes: activity_pipes }),
  ]
}
