import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../../../src/duration.ts'
import { messageOf, SnowhatError } from '../../../src/errors.ts'
import { nearest } from '../../../src/nearest.ts'

/** A chip of the simulated board, by what it measures. */
export const CHIPS = ['humidity', 'pressure', 'motion', 'magnetic', 'colour'] as const
export type ScenarioChip = (typeof CHIPS)[number]

const TIME = 'must be a time such as 90s, 5m or 1h'
const duration = z.union([z.string(), z.number()], { error: TIME }).transform((value, context) => {
  const ms = parseDuration(String(value))
  if (ms !== undefined) return ms
  context.addIssue({ code: 'custom', message: TIME })
  return z.NEVER
})
const at = duration
const lasting = { at, for: duration }
const chip = z.enum(CHIPS)
const degrees = z.number({ error: 'must be a number of °C' }).min(-40).max(60)

const shapes = [
  /** Air from outside comes in: °C and its dew point. */
  z.strictObject({
    event: z.literal('door-opens'),
    ...lasting,
    outside: degrees.default(5),
    dew_point: degrees.default(2),
  }),
  /** The board is held in a hand, then put back. */
  z.strictObject({ event: z.literal('picked-up'), ...lasting }),
  /** Nobody answers at its address. */
  z.strictObject({ event: z.literal('chip-dies'), ...lasting, chip }),
  /** It answers the same again and again. */
  z.strictObject({ event: z.literal('chip-freezes'), ...lasting, chip }),
  /** A dip of its supply: all registers as at power-up. Without `chip`, all of them. */
  z.strictObject({ event: z.literal('brown-out'), at, chip: chip.exactOptional() }),
  /** A kernel driver takes it: EBUSY. */
  z.strictObject({ event: z.literal('driver-claims'), ...lasting, chip }),
  /** Every transfer times out. */
  z.strictObject({ event: z.literal('bus-hangs'), ...lasting }),
  /** A share of the transfers is not acknowledged. */
  z.strictObject({
    event: z.literal('bad-contact'),
    ...lasting,
    share: z
      .number({ error: 'must be a share between 0 and 1' })
      .min(0, { error: 'must be a share between 0 and 1' })
      .max(1, { error: 'must be a share between 0 and 1' }),
  }),
  /** Another program sets the motion sensor up in its own way, so that blocks repeat one register. */
  z.strictObject({ event: z.literal('other-program'), at }),
] as const

const Event = z.discriminatedUnion('event', shapes)
const Scenario = z.strictObject({ events: z.array(Event, { error: 'must be a list of events' }) })

/** Something that happens `at` milliseconds after the board was opened, and lasts `for` milliseconds where it lasts. */
export type ScenarioEvent = z.output<typeof Event>
export type Scenario = z.output<typeof Scenario>

const EVENTS = shapes.map((shape) => shape.shape.event.value)

/** Throws a sentence that says what is wrong first, and where. */
export function readScenario(text: string): Scenario {
  const document: unknown = parse(text)
  const read = Scenario.safeParse(document)
  if (read.success) return read.data
  throw new Error(sentenceOf(read.error, document))
}

export async function readScenarioFile(file: string): Promise<Scenario> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `cannot read the scenario in ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: 'is the path in publisher.scenario right, and may this user read it?',
    })
  }
  try {
    return readScenario(text)
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `${file} holds no scenario that can be used: ${messageOf(error)}`, {
      cause: error,
      hint: 'docs/examples/scenario.yaml shows every event',
    })
  }
}

function sentenceOf(error: z.ZodError, document: unknown): string {
  const issue = error.issues[0]
  if (issue === undefined) return error.message
  const place = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  const name = place.slice(1) || 'the document'
  const value = issue.path.reduce<unknown>(
    (inner, step) => (inner as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[step],
    document,
  )
  if (issue.code === 'unrecognized_keys') return `${name} has "${issue.keys[0]}", which is unknown`
  if (value === undefined) return `${name} is missing`
  const known = issue.code === 'invalid_value' ? issue.values.map(String) : issue.path.at(-1) === 'event' ? EVENTS : []
  if (known.length === 0) return `${name} ${issue.message.startsWith('must') ? issue.message : 'is of the wrong kind'}`
  const guess = nearest(String(value), known)
  return `${name} is ${JSON.stringify(value)}, ${guess === undefined ? `which is none of ${known.join(', ')}` : `which is unknown; did you mean "${guess}"?`}`
}
