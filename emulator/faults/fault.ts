import { z } from 'zod'
import { atLeastOne, duration, headers, longerThanNothing, milliseconds, shift, text, zeroOrMore } from './fields.ts'

/** The requests that can be disturbed. */
export const OPERATIONS = ['hostname', 'token', 'pipe-info', 'open', 'append', 'status', 'drop', 'statement'] as const
export type Operation = (typeof OPERATIONS)[number]

/** When a fault is in force, from the moment it was given. */
const window = { after: duration.default(0), for: longerThanNothing.optional() }

const chance = {
  /** So many hits, then no more. */
  count: atLeastOne.optional(),
  /** Of 1; drawn from a generator started with `seed`. */
  probability: z
    .number({ error: 'must be a number from 0 to 1' })
    .min(0, { error: 'must be a number from 0 to 1' })
    .max(1, { error: 'must be a number from 0 to 1' })
    .default(1),
  seed: z.int({ error: 'must be a whole number' }).default(1),
}

/** Name of a channel; `*` and `?` stand for anything and for one character. */
const channel = text.optional()

/** A fault of requests. */
const request = { operation: z.enum([...OPERATIONS, '*']), channel, ...chance, ...window }

/** A fault that strikes with requests, just before they are processed, or without `operation` by itself, at once. */
const happening = { ...request, operation: request.operation.optional(), every: longerThanNothing.optional() }

/** What becomes of rows that were accepted and not committed. */
const pending = z.enum(['lost', 'kept']).default('lost')

export const REOPEN = 'ERR_CHANNEL_MUST_BE_REOPENED'

/** The answers everybody needs sooner or later, by name. The request is not processed. */
const readyAnswers = [
  z.strictObject({ ...request, action: z.literal('stale-token') }),
  z.strictObject({ ...request, action: z.literal('bad-request') }),
  z.strictObject({ ...request, action: z.literal('unauthorized') }),
  z.strictObject({ ...request, action: z.literal('forbidden') }),
  z.strictObject({
    ...request,
    action: z.literal('not-found'),
    what: z.enum(['pipe', 'table', 'database', 'schema', 'role', 'channel']).default('pipe'),
  }),
  z.strictObject({ ...request, action: z.literal('no-route') }),
  z.strictObject({
    ...request,
    action: z.literal('time-out'),
    status: z.literal([408, 499], { error: 'must be 408 or 499' }).default(408),
  }),
  z.strictObject({
    ...request,
    action: z.literal('conflict'),
    what: z
      .enum(['open-in-progress', 'uncommitted-rows', 'invalid-pipe', 'channel-limit', 'other'])
      .default('open-in-progress'),
  }),
  z.strictObject({ ...request, action: z.literal('gone') }),
  z.strictObject({ ...request, action: z.literal('too-large') }),
  z.strictObject({
    ...request,
    action: z.literal('throttle'),
    /** Seconds, in the header `Retry-After`; without it there is no such header. */
    retryAfter: zeroOrMore.optional(),
    /** `''` for an answer without a body. */
    code: z.string({ error: 'must be a text' }).default('390701'),
  }),
  z.strictObject({
    ...request,
    action: z.literal('server-error'),
    status: z.literal([500, 502, 503, 504], { error: 'must be 500, 502, 503 or 504' }).default(500),
    body: z.string({ error: 'must be a text' }).default('"ERR_GENERAL_EXCEPTION_RETRY_REQUEST"'),
  }),
  z.strictObject({ ...request, action: z.literal('reject'), statusCode: atLeastOne.default(1) }),
  z.strictObject({
    ...request,
    action: z.literal('answer'),
    status: z
      .int({ error: 'must be a status from 200 to 599' })
      .min(200, { error: 'must be a status from 200 to 599' })
      .max(599, { error: 'must be a status from 200 to 599' }),
    body: z.unknown().optional(),
    headers: headers.optional(),
  }),
] as const

/** The request is processed, or not; the answer comes late, slowly, changed, or not at all. */
const detours = [
  z.strictObject({
    ...request,
    operation: z.enum([...OPERATIONS, '*', 'commit']),
    action: z.literal('delay'),
    ms: milliseconds,
  }),
  z.strictObject({ ...request, action: z.literal('lose-request') }),
  z.strictObject({ ...request, action: z.literal('lose-answer') }),
  z.strictObject({ ...request, action: z.literal('dribble'), over: longerThanNothing }),
  z.strictObject({
    ...request,
    operation: z.enum(['open', 'status']),
    action: z.literal('channel-status'),
    code: text,
  }),
  z.strictObject({ ...request, operation: z.literal('append').default('append'), action: z.literal('black-hole') }),
] as const

/** Something happens to the service itself, and stays so. */
const happenings = [
  z.strictObject({
    ...happening,
    action: z.literal('invalidate-channel'),
    code: text.default(REOPEN),
    pending,
  }),
  z.strictObject({ ...happening, action: z.literal('row-gap') }),
  z.strictObject({ ...happening, action: z.literal('lose-pending') }),
  z.strictObject({ ...happening, action: z.literal('drop-channel') }),
  z.strictObject({ ...happening, action: z.literal('replace-table'), table: text.optional() }),
  z.strictObject({ ...happening, action: z.literal('expire-tokens') }),
  z.strictObject({ ...happening, action: z.literal('fail-over'), to: text.optional(), pending }),
] as const

/** It is so while the fault is in force. */
const conditions = [
  z.strictObject({ operation: z.literal('commit').default('commit'), channel, ...window, action: z.literal('freeze') }),
  z.strictObject({ ...window, action: z.literal('skew-clock'), by: shift }),
] as const

export const FAULTS = [...readyAnswers, ...detours, ...happenings, ...conditions] as const

export type Fault = z.output<(typeof FAULTS)[number]>
export type Action = Fault['action']
export type ReadyAnswer = z.output<(typeof readyAnswers)[number]>
export type Happening = z.output<(typeof happenings)[number]>
/** Strikes requests. */
export type RequestFault = Exclude<Fault, z.output<(typeof conditions)[number]>>

const READY_ANSWERS: ReadonlySet<string> = new Set(readyAnswers.map(({ shape }) => shape.action.value))
const HAPPENINGS: ReadonlySet<string> = new Set(happenings.map(({ shape }) => shape.action.value))
const OF_CHANNELS: ReadonlySet<Action> = new Set(['invalidate-channel', 'row-gap', 'lose-pending', 'drop-channel'])

export function isReadyAnswer(fault: Fault): fault is ReadyAnswer {
  return READY_ANSWERS.has(fault.action)
}

export function isHappening(fault: Fault): fault is Happening {
  return HAPPENINGS.has(fault.action)
}

/** Strikes channels, and not the service as a whole. */
export function isOfChannels(fault: Happening): boolean {
  return OF_CHANNELS.has(fault.action)
}

export function isRequestFault(fault: Fault): fault is RequestFault {
  return fault.action !== 'freeze' && fault.action !== 'skew-clock'
}

export const Fault = z.discriminatedUnion('action', FAULTS).superRefine((fault, context) => {
  if (!isHappening(fault)) return
  const complain = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message })
  if (fault.operation !== undefined && fault.every !== undefined)
    complain('every', 'is for a fault without operation, which strikes by itself')
  if (fault.operation === undefined && fault.channel !== undefined && !isOfChannels(fault))
    complain('channel', `needs an operation here: ${fault.action} by itself strikes the whole service`)
})
