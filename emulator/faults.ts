import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { messageOf, SnowhatError } from '../src/errors.ts'
import { type Answer, Refusal } from './answer.ts'

/** What can be disturbed; `*` is any request, `commit` the emulator's own commits. */
export const OPERATIONS = ['hostname', 'token', 'open', 'append', 'status', 'drop', 'statement'] as const
export type Operation = (typeof OPERATIONS)[number]

const request = {
  operation: z.enum([...OPERATIONS, '*']),
  /** Only requests that name this channel. */
  channel: z.string().optional(),
  /** So many times, then no more. */
  count: z.int().positive().optional(),
  /** Of 1; drawn from a generator started with `seed`. */
  probability: z.number().min(0).max(1).default(1),
  seed: z.int().default(1),
}

const Fault = z.discriminatedUnion('action', [
  /** Answers this and does not process the request. */
  z.strictObject({
    ...request,
    action: z.literal('answer'),
    status: z.int().min(200).max(599),
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  /** Waits before processing. */
  z.strictObject({ ...request, action: z.literal('delay'), ms: z.number().nonnegative() }),
  /** Cuts the connection before processing. */
  z.strictObject({ ...request, action: z.literal('lose-request') }),
  /** Processes, then cuts the connection. */
  z.strictObject({ ...request, action: z.literal('lose-answer') }),
  /** The channels the request names, before processing: what they had not committed is lost. */
  z.strictObject({
    ...request,
    action: z.literal('invalidate-channel'),
    code: z.string().default('ERR_CHANNEL_MUST_BE_REOPENED'),
  }),
  /** Nothing commits while this stands in the list. */
  z.strictObject({ operation: z.literal('commit'), action: z.literal('freeze') }),
])

const FaultList = z.union([
  z.array(Fault),
  z.strictObject({ faults: z.array(Fault) }).transform(({ faults }) => faults),
])

export type Fault = z.output<typeof Fault>
export type RequestFault = Exclude<Fault, { action: 'freeze' }>

interface Rule {
  readonly fault: RequestFault
  readonly random: () => number
  hits: number
}

/** The faults in force. A new list takes the place of the old one. */
export class Faults {
  #list: readonly Fault[] = []
  #rules: readonly Rule[] = []
  readonly #onFreeze: (frozen: boolean) => void

  constructor(onFreeze: (frozen: boolean) => void) {
    this.#onFreeze = onFreeze
  }

  /** Throws a `Refusal` with one sentence for what is wrong. */
  replace(list: unknown): void {
    const read = FaultList.safeParse(list)
    if (!read.success) throw new Refusal(400, 'INVALID_FAULTS', z.prettifyError(read.error))
    this.#list = read.data
    this.#rules = read.data.flatMap((fault) =>
      fault.action === 'freeze' ? [] : [{ fault, random: generator(fault.seed), hits: 0 }],
    )
    this.#onFreeze(read.data.some((fault) => fault.action === 'freeze'))
  }

  /** Those that strike this request, in the order of the list. */
  strike(operation: Operation, channels: readonly string[]): RequestFault[] {
    return this.#rules.filter((rule) => strikes(rule, operation, channels)).map((rule) => rule.fault)
  }

  get answer(): Answer {
    return { status: 200, body: { faults: this.#list, hits: this.#rules.map((rule) => rule.hits) } }
  }
}

function strikes(rule: Rule, operation: Operation, channels: readonly string[]): boolean {
  const { fault } = rule
  if (fault.operation !== '*' && fault.operation !== operation) return false
  if (fault.channel !== undefined && !channels.includes(fault.channel)) return false
  if (fault.count !== undefined && rule.hits >= fault.count) return false
  if (fault.probability < 1 && rule.random() >= fault.probability) return false
  rule.hits += 1
  return true
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export async function readFaultFile(file: string, faults: Faults): Promise<void> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new SnowhatError('E_FILE_UNREADABLE', `cannot read the faults in ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  try {
    faults.replace(JSON.parse(text))
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `${file} is not a list of faults: ${messageOf(error)}`, { cause: error })
  }
}
