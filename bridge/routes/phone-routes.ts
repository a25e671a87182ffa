import { PHONE_ROUTES } from '../../src/phone-records.ts'
import type { PhonesSettings } from '../../src/phones-section.ts'
import { READINGS_LIMITS } from './message.ts'
import type { RecordRouteSettings } from './record-route.ts'
import type { Destination } from './route.ts'

/** What `snowhat phone` publishes: what phones have sent, and what it has made of it. */
export function phoneRoutes({
  topic,
  database,
  schema,
  pipes,
  activity_schema,
  activity_pipes,
}: PhonesSettings): RecordRouteSettings[] {
  const route = (what: keyof typeof PHONE_ROUTES, destination: Destination): RecordRouteSettings => {
    const { level, route: name, columns } = PHONE_ROUTES[what]
    return {
      name,
      topic: `${topic}/+/${level}`,
      destination,
      columns: new Map(columns.map(({ key, kind }) => [key, kind])),
      limits: READINGS_LIMITS,
    }
  }
  return [
    route('records', { database, schema, pipes }),
    route('activity', { database, schema: activity_schema, pipes: activity_pipes }),
  ]
}
