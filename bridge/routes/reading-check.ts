import { z } from 'zod'
import { FIELDS, type Field, type FieldKind } from '../../src/reading.ts'
import { AFTER, ISO_8601, STREAM } from './forms.ts'

/*
 * Whether a reading may become a row. The schema is what counts, and it has the words for what is wrong; but it costs more
 * than parsing the JSON did. So there is a look before it, which only ever says that all is well: property tests hold it to
 * the schema.
 */

const KIND: Readonly<Record<FieldKind, z.ZodType>> = {
  string: z.string(),
  // JSON has no NaN, but 1e999 parses to Infinity: z.number() refuses both.
  number: z.number(),
  integer: z.int(),
  boolean: z.boolean(),
  // What Snowflake would refuse row by row is better refused here, where the original bytes are kept.
  timestamp: z.string().regex(ISO_8601, 'must be an ISO 8601 time'),
}

/**
 * Every field may be missing or null, whoever publishes: other people's publishers know only some of them, and
 * a null is what a failed sensor gives. What is there must be of its type. Keys unknown to us pass.
 */
const readingSchema = z.looseObject({
  ...Object.fromEntries((FIELDS as readonly Field[]).map((field) => [field.key, KIND[field.kind].nullish()])),
  stream: z.string().regex(STREAM, 'must be 8 of [0-9a-z]').nullish(),
  seq: z.int().min(1).nullish(),
  after: z.string().regex(AFTER, 'must be <stream>.<seq>').nullish(),
})

/** The first thing that is wrong with a reading, in one sentence; `undefined` when nothing is. */
export function faultOf(reading: object): string | undefined {
  const parsed = readingSchema.safeParse(reading)
  if (parsed.success) return undefined
  const issue = parsed.error.issues[0]
  return `${issue?.path.join('.') ?? 'a value'}: ${issue?.message ?? 'not of its type'}`
}

type Fits = (value: unknown) => boolean

const FITS: Readonly<Record<FieldKind, Fits>> = {
  string: (value) => typeof value === 'string',
  number: Number.isFinite,
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === 'boolean',
  timestamp: (value) => typeof value === 'string' && ISO_8601.test(value),
}

/** The keys a publisher may write, and what their values have to be. */
const WRITTEN: ReadonlyMap<string, Fits> = new Map<string, Fits>([
  ...(FIELDS as readonly Field[])
    .filter((field) => !field.byBridge)
    .map((field): [string, Fits] => [field.key, FITS[field.kind]]),
  ['stream', (value) => typeof value === 'string' && STREAM.test(value)],
  ['seq', (value) => Number.isSafeInteger(value) && (value as number) >= 1],
  ['after', (value) => typeof value === 'string' && AFTER.test(value)],
])

/**
 * Whether this is a reading whose keys are all such as a publisher writes, and whose values are right. If so, how many quotation marks
 * its JSON has at least; `undefined` says nothing but that the schema has to be asked.
 */
export function quotesIfPlain(reading: unknown): number | undefined {
  if (typeof reading !== 'object' || reading === null || Array.isArray(reading)) return undefined
  const keys = Object.keys(reading)
  let texts = keys.length
  for (const key of keys) {
    const value = (reading as Readonly<Record<string, unknown>>)[key]
    const fits = WRITTEN.get(key)
    if (fits === undefined || (value !== null && !fits(value))) return undefined
    if (typeof value === 'string') texts++
  }
  return 2 * texts
}
