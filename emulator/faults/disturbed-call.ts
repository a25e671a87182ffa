import type { Clock } from '../../src/clock.ts'
import { type Answer, type Outcome, Refusal } from '../answer.ts'
import { spokenRefusal } from '../answer-dialect.ts'
import type { Channels } from '../channels.ts'
import type { Disturber } from './disturber.ts'
import { isHappening, isReadyAnswer, type Operation } from './fault.ts'
import type { Faults, Strike } from './faults.ts'
import { readyAnswer } from './ready-answer.ts'

/** A request the service knows how to answer. */
export interface Route {
  readonly operation: Operation
  readonly channels: readonly string[]
  /** `swallow`: the rows are accepted and go nowhere. */
  readonly run: (swallow: boolean) => Promise<Answer>
}

export interface DisturbedCallDeps {
  readonly faults: Faults
  readonly disturber: Disturber
  readonly channels: Channels
  readonly clock: Clock
}

/** One request with its faults: first what happens before it is processed, then what becomes of the answer. */
export async function disturbedCall(route: Route, host: string, deps: DisturbedCallDeps): Promise<Outcome> {
  const struck = deps.faults.strike(route.operation, route.channels)
  const before = await beforeProcessing(struck, host, deps)
  if (before === 'lost') return 'lost'
  const answer = before ?? (await processed(route, struck, deps))
  return afterProcessing(answer, struck)
}

async function beforeProcessing(
  struck: readonly Strike[],
  host: string,
  { faults, disturber, channels, clock }: DisturbedCallDeps,
): Promise<Outcome | undefined> {
  for (const { fault, channels: names, ms, replaced } of struck) {
    if (fault.action === 'delay') await clock.sleep(ms, replaced).catch(() => undefined)
    else if (fault.action === 'lose-request') return 'lost'
    else if (isHappening(fault)) await disturber.carryOut(fault, channels.named(names), host)
    else if (fault.action === 'answer') return readyAnswer(fault)
    else if (isReadyAnswer(fault)) return spokenRefusal(readyAnswer(fault), faults.dialect)
  }
  return undefined
}

async function processed(route: Route, struck: readonly Strike[], { faults }: DisturbedCallDeps): Promise<Answer> {
  try {
    return await route.run(struck.some(({ fault }) => fault.action === 'black-hole'))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    // The SQL API has a form of its own.
    return route.operation === 'statement' ? error.answer : spokenRefusal(error.answer, faults.dialect)
  }
}

function afterProcessing(answer: Answer, struck: readonly Strike[]): Outcome {
  let outcome = answer
  for (const { fault, channels, replaced } of struck) {
    if (fault.action === 'lose-answer') return 'lost'
    if (fault.action === 'dribble') outcome = { ...outcome, slowly: { overMs: fault.over, until: replaced } }
    if (fault.action === 'channel-status') outcome = withStatusCode(outcome, channels, fault.code)
  }
  return outcome
}

interface StatusBody {
  readonly channel_status?: object
  readonly channel_statuses?: Readonly<Record<string, object>>
}

/** What the answer says of these channels, whatever is true of them. */
function withStatusCode(answer: Answer, channels: readonly string[], code: string): Answer {
  const body = answer.body as StatusBody
  if (answer.status !== 200) return answer
  const told = (status: object) => ({ ...status, channel_status_code: code })
  if (body.channel_status) return { ...answer, body: { ...body, channel_status: told(body.channel_status) } }
  const statuses = Object.entries(body.channel_statuses ?? {})
  const changed = statuses.map(([name, status]) => [name, channels.includes(name) ? told(status) : status])
  return { ...answer, body: { ...body, channel_statuses: Object.fromEntries(changed) } }
}
