import {
  ACTIVITY_COLUMNS,
  MAX_PHONE_MESSAGE_BYTES,
  PHONE_RECORD_COLUMNS,
  PHONE_ROUTES,
  PHONE_TOPICS,
} from '../../src/phone-records.ts'
import { MAX_READINGS_PER_MESSAGE } from '../../src/reading.ts'
import type { TableColumn } from '../../src/table-columns.ts'
import type { PhonesSettings } from '../config.ts'
import { recordRoute } from './record-route.ts'
import type { Route } from './route.ts'

const LIMITS = { bytes: MAX_PHONE_MESSAGE_BYTES, readings: MAX_READINGS_PER_MESSAGE }

/** What `snowhat phone` publishes: what phones have sent, and what it has made of it. */
export function phoneRoutes({ database, schema, pipes, activity_schema, activity_pipes }: PhonesSettings): Route[] {
  const route = (what: keyof typeof PHONE_ROUTES, columns: readonly TableColumn[], destination: Route['destination']) =>
    recordRoute({
      name: PHONE_ROUTES[what],
      topic: PHONE_TOPICS[what],
      destination,
      columns: new Map(columns.map(({ key, kind }) => [key, kind])),
      limits: LIMITS,
    })
  return [
    route('records', PHONE_RECORD_COLUMNS, { database, schema, pipes }),
    route('activity', ACTIVITY_COLUMNS, { database, schema: activity_schema, pipes: activity_pipes }),
  ]
}
