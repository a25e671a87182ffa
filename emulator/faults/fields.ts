import { validateHeaderName, validateHeaderValue } from 'node:http'
import { z } from 'zod'
import { parseDuration } from '../../src/duration.ts'

/*
 * The fields faults are written with. Every message says what the value must be: it becomes one sentence with the name of
 * the field before it.
 */

/** `500ms`, `20s`, `5m`, or a bare number of seconds; held as milliseconds. */
export const duration = z.unknown().transform((written, context) => {
  const ms = durationOf(written)
  if (ms !== undefined) return ms
  context.addIssue({ code: 'custom', message: 'must be a time such as 500ms, 20s or 5m' })
  return z.NEVER
})

/** A duration that may lie in the past: `-5m`. */
export const shift = z.unknown().transform((written, context) => {
  const back = typeof written === 'string' && written.startsWith('-')
  const ms = durationOf(back ? written.slice(1) : written)
  if (ms !== undefined) return back ? -ms : ms
  context.addIssue({ code: 'custom', message: 'must be a time such as 5m or -5m' })
  return z.NEVER
})

export const longerThanNothing = duration.refine((ms) => ms > 0, { error: 'must be longer than nothing' })

export const atLeastOne = z
  .int({ error: 'must be a whole number from 1 on' })
  .min(1, { error: 'must be a whole number from 1 on' })

export const zeroOrMore = z
  .number({ error: 'must be a number from 0 on' })
  .min(0, { error: 'must be a number from 0 on' })

const TWO_TIMES = 'must be a number of milliseconds, or the least and the most in a list: [500, 5000]'

/** Milliseconds, or the least and the most of a time drawn anew for each hit. */
export const milliseconds = z
  .union([z.number().min(0), z.tuple([z.number().min(0), z.number().min(0)])], { error: TWO_TIMES })
  .refine((ms) => typeof ms === 'number' || ms[0] <= ms[1], { error: TWO_TIMES })

export const text = z.string({ error: 'must be a text' }).min(1, { error: 'must not be empty' })

export const headers = z.record(z.string(), z.string({ error: 'must be a text' })).refine(
  (record) => {
    try {
      for (const [name, value] of Object.entries(record)) {
        validateHeaderName(name)
        validateHeaderValue(name, value)
      }
      return true
    } catch {
      return false
    }
  },
  { error: 'must be names and values that HTTP allows' },
)

function durationOf(written: unknown): number | undefined {
  return typeof written === 'string' || typeof written === 'number' ? parseDuration(String(written)) : undefined
}
