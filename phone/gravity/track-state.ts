import { z } from 'zod'

const timed = z.object({ tUs: z.int(), x: z.number(), y: z.number(), z: z.number() })
const joined = z.object({ sample: timed, gravity: timed.nullable(), total: timed.nullable() })
const detector = z.object({
  /** Gravity is included. */
  found: z.boolean(),
  /** The first samples have been judged. */
  begun: z.boolean(),
  /** Start of the samples being looked at, µs; `null` before the first. */
  sinceUs: z.int().nullable(),
  length: z.object({ n: z.int(), mean: z.number(), m2: z.number() }),
  sum: z.object({ x: z.number(), y: z.number(), z: z.number() }),
})

/** The form in which a snapshot keeps a track. */
export const trackState = z.object({
  detector,
  /** Samples that wait for the first judgement. */
  held: z.array(joined),
  /** Gravity as it is estimated; `null` before it is needed. */
  estimate: timed.nullable(),
  /** The last of each, which may be near to what comes next. */
  gravity: z.array(timed),
  total: z.array(timed),
  /** The last samples, for those that come twice. */
  last: z.array(timed),
})

/** What is known of a recording's gravity. */
export type TrackState = z.infer<typeof trackState>
/** An accelerometer sample, with what was measured beside it. */
export type Joined = z.infer<typeof joined>
export type DetectorState = z.infer<typeof detector>
