import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { isRouteName } from '../../src/device-key.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { didYouMean } from '../../src/nearest.ts'
import { SQL_TYPES } from '../../src/table-columns.ts'
import type { SnowflakeSettings } from '../config.ts'
import { storedName } from '../snowpipe/address.ts'
import { READINGS_LIMITS } from './message.ts'
import type { RecordRouteSettings } from './record-route.ts'
import { topicPattern } from './topic-pattern.ts'

/** Names of the bridge's own routes, and of the channel in which `snowhat doctor` tries the way. */
const TAKEN = new Set(['sensehat', 'phone', 'activity', 'doctor'])

const KINDS = Object.keys(SQL_TYPES) as [keyof typeof SQL_TYPES, ...(keyof typeof SQL_TYPES)[]]

const routeFile = z.strictObject({
  name: z.string().refine((name) => isRouteName(name) && !TAKEN.has(name), {
    message: `must be [a-z0-9][a-z0-9_-]{0,31}, and none of ${[...TAKEN].join(', ')}`,
  }),
  topic: z.string(),
  database: z.string().min(1).optional(),
  schema: z.string().min(1).optional(),
  table: z.string().min(1).optional(),
  pipes: z.array(z.string().min(1)).min(1).optional(),
  columns: z.record(z.string(), z.enum(KINDS, { message: `must be one of ${KINDS.join(', ')}` })),
  scalar: z.string().min(1).optional(),
})

/** Reads a route of a user's own. Throws `E_CONFIG_INVALID` with one sentence for the first thing that is wrong. */
export async function readRouteFile(
  file: string,
  { database, schema }: SnowflakeSettings,
): Promise<RecordRouteSettings> {
  const found = routeFile.safeParse(await contentOf(file))
  if (!found.success) throw invalid(file, found.error.issues[0])
  const { name, topic, table, pipes, columns, scalar } = found.data
  if ((table === undefined) === (pipes === undefined))
    throw wrong(file, 'must name either the table, whose default pipe is used then, or pipes')
  if (scalar !== undefined && columns[scalar] === undefined)
    throw wrong(file, `scalar: ${scalar} is none of the columns`)
  topicPattern(topic)
  return {
    name,
    topic,
    destination: {
      database: found.data.database ?? database,
      schema: found.data.schema ?? schema,
      pipes: pipes ?? [`${storedName(table ?? '')}-STREAMING`],
    },
    columns: new Map(Object.entries(columns)),
    ...(scalar !== undefined && { scalar }),
    limits: READINGS_LIMITS,
  }
}

async function contentOf(file: string): Promise<unknown> {
  try {
    const { parse } = await import('yaml')
    return parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `cannot read the route in ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function invalid(file: string, issue: z.core.$ZodIssue | undefined): SnowhatError {
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    return wrong(file, `has no setting ${key}`, didYouMean(key, Object.keys(routeFile.shape)))
  }
  return wrong(file, `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'is not a route'}`)
}

function wrong(file: string, what: string, hint?: string): SnowhatError {
  return new SnowhatError('E_CONFIG_INVALID', `the route in ${file} ${what}`, {
    hint: hint ?? 'see docs/routes.md for an example',
  })
}
