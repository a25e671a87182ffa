import { byLogit, byThresholds, type Judgement, lnOf } from '../classify/judge-feature.ts'
import type { LogitModel, Model } from '../classify/parameters.ts'
import { fitLogistic } from './logistic-fit.ts'
import { DONE } from './motion-sense.ts'
import type { LabelledWindow } from './window-table.ts'

/** A window, what its person did, and what a model says. */
export interface Judged {
  readonly person: number
  readonly truth: (typeof DONE)[keyof typeof DONE]
  readonly judgement: Judgement
}

type Odds = Pick<LogitModel, 'moving' | 'running'>

export function featureOf(feature: Model['feature'], window: LabelledWindow): number {
  return feature === 'std_total' ? window.stdTotal : window.avgMagnitude
}

/** The two regressions of a logistic model, fitted to all of `windows`. Throws when an activity is missing. */
export function fitModel(feature: Model['feature'], windows: readonly LabelledWindow[]): Odds {
  const points = windows.map((window) => ({
    x: lnOf(featureOf(feature, window)),
    truth: DONE[window.done],
  }))
  const movers = points.filter(({ truth }) => truth !== 'stationary')
  return {
    moving: fitLogistic(points.map(({ x, truth }) => ({ x, y: truth !== 'stationary' }))),
    running: fitLogistic(movers.map(({ x, truth }) => ({ x, y: truth === 'running' }))),
  }
}

/**
 * Each person judged by a model fitted to all others. Windows of one person are alike: a model that has seen some of them
 * does better on the rest than on anybody new.
 */
export function leaveOneOut(feature: Model['feature'], windows: readonly LabelledWindow[]): Judged[] {
  return peopleOf(windows).flatMap((person) => {
    const odds = fitModel(
      feature,
      windows.filter((window) => window.person !== person),
    )
    const own = windows.filter((window) => window.person === person)
    return own.map((window) => judged(window, byLogit(odds, featureOf(feature, window))))
  })
}

/** All judged by a model that was never fitted to any of them, or whose judgement of them is not an estimate for others. */
export function judgeAll(model: Model, windows: readonly LabelledWindow[]): Judged[] {
  return windows.map((window) => {
    const value = featureOf(model.feature, window)
    return judged(window, model.kind === 'logit' ? byLogit(model, value) : byThresholds(model, value))
  })
}

export function peopleOf(windows: readonly { readonly person: number }[]): number[] {
  return [...new Set(windows.map(({ person }) => person))].sort((a, b) => a - b)
}

function judged({ person, done }: LabelledWindow, judgement: Judgement): Judged {
  return { person, truth: DONE[done], judgement }
}
