import type { ActivityWindow } from '../windows/sample.ts'
import { byLogit, byThresholds, type Judgement } from './judge-feature.ts'
import { type Activity, type Model, modelsOf, type Parameters } from './parameters.ts'

/** What makes a window's activity less certain than its confidence says. */
export type Doubt = 'thin' | 'gravity_estimated' | 'gravity_included' | 'unvalidated_class'

export interface Classification {
  /** `unknown` where there is too little to say (rule X-7). */
  readonly activity: Activity | 'unknown'
  /** 0 to 1; `null` for `unknown`. */
  readonly confidence: number | null
  readonly probabilities: Judgement['probabilities'] | null
  /** Which model, in which version, said so. */
  readonly modelVersion: string
  readonly doubts: readonly Doubt[]
}

/** What a classifier looks at. */
export type Features = Pick<
  ActivityWindow,
  'samples' | 'coverage' | 'avgMagnitude' | 'stdTotal' | 'gravityIncluded' | 'gravityEstimated'
>

export interface ClassifierOptions {
  /** `std`, `thresholds`, or another that the parameters name. */
  readonly classifier: string
  /** Also judges windows that hold next to nothing, as the first system did. */
  readonly judgesThin?: boolean
  /** Gravity is left in the acceleration where a phone sends it so, as in the first system. */
  readonly leavesGravity?: boolean
}

/** Throws `E_CONFIG_INVALID` when the parameters have no such classifier. */
export function createClassifier(
  parameters: Parameters,
  { classifier, judgesThin = false, leavesGravity = false }: ClassifierOptions,
): (window: Features) => Classification {
  const { main, withoutGravity } = modelsOf(parameters, classifier)
  const { fewer_samples_than: fewest, coverage_below: leastCoverage } = parameters.unknown
  return (window) => {
    const { version, model } = hasFeature(main.model, window) ? main : (withoutGravity ?? main)
    const doubts: Doubt[] = []
    if (window.gravityEstimated) doubts.push('gravity_estimated')
    if (window.gravityIncluded && leavesGravity) doubts.push('gravity_included')
    const thin = window.samples < fewest || window.coverage < leastCoverage
    const value = model.feature === 'std_total' ? window.stdTotal : window.avgMagnitude
    if ((thin && !judgesThin) || value === null)
      return {
        activity: 'unknown',
        confidence: null,
        probabilities: null,
        modelVersion: version,
        doubts: ['thin', ...doubts],
      }
    const judged = model.kind === 'logit' ? byLogit(model, value) : byThresholds(model, value)
    const activity = isSprint(model, judged, window) ? 'sprinting' : judged.activity
    if (activity === 'sprinting') doubts.push('unvalidated_class')
    return {
      activity,
      confidence: judged.confidence,
      probabilities: judged.probabilities ?? null,
      modelVersion: version,
      doubts,
    }
  }
}

function hasFeature({ feature }: Model, { stdTotal }: Features): boolean {
  return feature === 'avg_magnitude' || stdTotal !== null
}

function isSprint(model: Model, { activity }: Judgement, { avgMagnitude }: Features): boolean {
  return model.kind === 'logit' && activity === 'running' && avgMagnitude >= (model.sprinting_at ?? Infinity)
}
