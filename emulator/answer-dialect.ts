import { z } from 'zod'
import type { Answer } from './answer.ts'

/**
 * The same answer in other words. Documentation, the service and its clients do not agree on some forms; a client must
 * take all of them. The defaults are what was observed, where that is known.
 */
export const dialectShape = {
  /** The name the `hostname` call gives, in the place of the one in the request's Host header; an underscore is possible. */
  ingestHost: z
    .string()
    .regex(/^[\w.-]+$/, { error: 'must be a host name without port' })
    .exactOptional(),
  /** Plain text [observed], an object [documented], or a JSON string. */
  hostnameAnswer: z.enum(['text', 'json', 'quoted']).exactOptional(),
  tokenAnswer: z.enum(['text', 'json', 'quoted']).exactOptional(),
  /** What a good channel's status code is [documented: both names]; `none` leaves it out. */
  goodStatus: z.enum(['SUCCESS', 'ACTIVE', '0', 'none']).exactOptional(),
  /** Name of the counter [documented: both]. */
  errorCounter: z.enum(['rows_error_count', 'rows_errors']).exactOptional(),
  /** `string`: numbers as text. `iso`: `last_error_timestamp` as ISO 8601. */
  timestamps: z.enum(['number', 'string', 'iso']).exactOptional(),
  /** What a refusal names its code, or the code alone as a JSON string [observed]. */
  errorBody: z.enum(['code', 'error_code', 'string']).exactOptional(),
} as const

const dialectSchema = z.strictObject(dialectShape)

type Spoken = z.output<typeof dialectSchema>

export type Dialect = Required<Omit<Spoken, 'ingestHost'>> & Pick<Spoken, 'ingestHost'>

export function defaultDialect(answers: 'text' | 'json'): Dialect {
  return {
    hostnameAnswer: answers,
    tokenAnswer: answers,
    goodStatus: 'SUCCESS',
    errorCounter: 'rows_error_count',
    timestamps: 'number',
    errorBody: 'code',
  }
}

/** A single value: bare, in an object under `key`, or as a JSON string. */
export function valueAnswer(value: string, key: string, form: Dialect['hostnameAnswer']): Answer {
  if (form === 'text') return { status: 200, body: value }
  if (form === 'json') return { status: 200, body: { [key]: value } }
  return { status: 200, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } }
}

/**
 * A channel's fields in the dialect: the 14 of the documentation, and the time of the last error once more as the official SDK reads
 * it: `last_error_timestamp_ms` [observed].
 */
export function spokenStatus(status: Readonly<Record<string, unknown>>, dialect: Dialect): Record<string, unknown> {
  const { channel_status_code: code, rows_error_count: errors, ...rest } = status
  const good = code === 'SUCCESS' ? dialect.goodStatus : code
  return {
    ...rest,
    ...(good === 'none' ? {} : { channel_status_code: good }),
    [dialect.errorCounter]: errors,
    created_on_ms: dialect.timestamps === 'string' ? String(rest.created_on_ms) : rest.created_on_ms,
    last_error_timestamp: spokenTime(rest.last_error_timestamp, dialect.timestamps),
    last_error_timestamp_ms: rest.last_error_timestamp,
  }
}

function spokenTime(ms: unknown, form: Dialect['timestamps']): unknown {
  if (typeof ms !== 'number' || form === 'number') return ms
  return form === 'string' ? String(ms) : new Date(ms).toISOString()
}

/** A refusal, `{"code": …, "message": …}`, in the dialect; other answers as they are. */
export function spokenRefusal(answer: Answer, dialect: Dialect): Answer {
  const { code, ...rest } = (answer.body ?? {}) as Readonly<Record<string, unknown>>
  if (dialect.errorBody === 'code' || code === undefined) return answer
  if (dialect.errorBody === 'error_code') return { ...answer, body: { error_code: code, ...rest } }
  return { ...answer, body: JSON.stringify(code), headers: { 'content-type': 'application/json', ...answer.headers } }
}
