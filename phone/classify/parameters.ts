import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { didYouMean } from '../../src/nearest.ts'

/** What a phone's owner may be doing. `sprinting` is an intensity that no public data set labels. */
export const ACTIVITIES = ['stationary', 'walking', 'running', 'sprinting'] as const

export type Activity = (typeof ACTIVITIES)[number]

const probability = z.number().min(0).max(1)
const feature = z.enum(['std_total', 'avg_magnitude'])
/** The odds are e^(intercept + slope · ln feature). */
const odds = z.strictObject({ intercept: z.number(), slope: z.number() })

const logit = z.strictObject({
  kind: z.literal('logit'),
  feature,
  /** Moving, against stationary; running, against walking, of those who move. */
  moving: odds,
  running: odds,
  /** Running at this mean magnitude and above is called sprinting, m/s². */
  sprinting_at: z.number().positive().optional(),
})

const thresholds = z
  .strictObject({
    kind: z.literal('thresholds'),
    feature,
    /** In order; `below` is not in the step. The last has none. */
    steps: z
      .array(
        z.strictObject({
          activity: z.enum(ACTIVITIES),
          below: z.number().positive().optional(),
          confidence: probability,
        }),
      )
      .min(1),
  })
  .refine(({ steps }) => steps.every(({ below }, i) => (below === undefined) === (i === steps.length - 1)), {
    path: ['steps'],
    message: 'every step but the last needs "below"',
  })
  .refine(({ steps }) => steps.every(({ below }, i) => i === 0 || (below ?? Infinity) > (steps[i - 1]?.below ?? 0)), {
    path: ['steps'],
    message: '"below" must rise',
  })

const parameters = z
  .strictObject({
    schema: z.literal(1),
    classifiers: z.record(
      z.string(),
      z.strictObject({
        model: z.string(),
        /** For windows in which gravity is not known. */
        without_gravity: z.string().optional(),
      }),
    ),
    models: z.record(z.string(), z.discriminatedUnion('kind', [logit, thresholds])),
    /** What is too thin to say anything about (rule X-7). */
    unknown: z.strictObject({ fewer_samples_than: z.int().min(0), coverage_below: probability }),
  })
  .superRefine(({ classifiers, models }, context) => {
    for (const [name, { model, without_gravity: other }] of Object.entries(classifiers))
      for (const named of [model, ...(other === undefined ? [] : [other])])
        if (!Object.hasOwn(models, named))
          context.addIssue({ code: 'custom', path: ['classifiers', name], message: `there is no model ${named}` })
  })

/** Models by their version, and which of them each classifier uses. */
export type Parameters = z.infer<typeof parameters>
export type LogitModel = z.infer<typeof logit>
export type ThresholdModel = z.infer<typeof thresholds>
export type Model = LogitModel | ThresholdModel

/** The parameters that come with this version. */
export const SHIPPED_PARAMETERS = fileURLToPath(new URL('./parameters.json', import.meta.url))

/** Throws `E_CONFIG_INVALID` with the first thing that is wrong. */
export async function readParameters(file: string = SHIPPED_PARAMETERS): Promise<Parameters> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new SnowhatError(
      'E_CONFIG_INVALID',
      `cannot read the classifier's parameters in ${file}: ${messageOf(error)}`,
      {
        hint: 'give the path of a JSON file; without one, the parameters of this version are used',
        cause: error,
      },
    )
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(file, messageOf(error))
  }
  const parsed = parameters.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw invalid(file, `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is not as it must be'}`)
}

function invalid(file: string, why: string): SnowhatError {
  return new SnowhatError('E_CONFIG_INVALID', `the classifier's parameters in ${file} are wrong: ${why}`, {
    hint: 'docs/phone-activity.md shows what the file holds',
  })
}

/** The models of a classifier, with their versions. Throws `E_CONFIG_INVALID` when there is no such classifier. */
export function modelsOf({ classifiers, models }: Parameters, classifier: string) {
  const chosen = Object.hasOwn(classifiers, classifier) ? classifiers[classifier] : undefined
  if (chosen === undefined) {
    const names = Object.keys(classifiers)
    throw new SnowhatError('E_CONFIG_INVALID', `there is no classifier ${classifier}`, {
      hint: didYouMean(classifier, names) ?? `there are ${names.join(', ')}`,
    })
  }
  const versioned = (version: string) => ({ version, model: models[version] as Model })
  return {
    main: versioned(chosen.model),
    withoutGravity: chosen.without_gravity === undefined ? undefined : versioned(chosen.without_gravity),
  }
}
