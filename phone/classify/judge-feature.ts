import type { Activity, LogitModel, ThresholdModel } from './parameters.ts'

/** An activity, and how sure the model is: 0 to 1. */
export interface Judgement {
  readonly activity: Activity
  readonly confidence: number
  /** Of stationary, walking and running, where the model has them. */
  readonly probabilities?: Readonly<Record<'stationary' | 'walking' | 'running', number>>
}

/** `value` of the model's feature, m/s². A lower bound belongs to its step. */
export function byThresholds({ steps }: ThresholdModel, value: number): Judgement {
  const step = steps.find(({ below }) => below === undefined || value < below)
  if (step === undefined) throw new Error('the last step has no bound')
  return { activity: step.activity, confidence: step.confidence }
}

/** Two logistic regressions on the feature's logarithm: moving or not, and of those who move running or not. */
export function byLogit({ moving, running }: Pick<LogitModel, 'moving' | 'running'>, value: number): Judgement {
  const ln = lnOf(value)
  const moves = sigmoid(moving.intercept + moving.slope * ln)
  const runs = sigmoid(running.intercept + running.slope * ln)
  const probabilities = { stationary: 1 - moves, walking: moves * (1 - runs), running: moves * runs }
  let activity: keyof typeof probabilities = 'stationary'
  for (const other of ['walking', 'running'] as const)
    if (probabilities[other] > probabilities[activity]) activity = other
  return { activity, confidence: probabilities[activity], probabilities }
}

/** Of a feature in m/s². A phone on a table has next to none, and the logarithm needs something: 0.001. */
export function lnOf(value: number): number {
  return Math.log(Math.max(value, 0.001))
}

export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z))
}
