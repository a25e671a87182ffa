import { SnowhatError } from '../../src/errors.ts'
import { type Model, modelsOf, type Parameters } from '../classify/parameters.ts'
import { fitModel, judgeAll, leaveOneOut, peopleOf } from './leave-one-out.ts'
import { DONE } from './motion-sense.ts'
import { CLASSES, type ReportCard, reportCard } from './report-card.ts'
import { hashOf, type LabelledWindow } from './window-table.ts'

/** A model's card, and how the model came by what it knows. */
export interface Evaluated {
  readonly classifier: string
  readonly model: string
  /** `loso`: fitted anew for each person, to all others; `fixed`: nothing fitted. */
  readonly way: 'loso' | 'fixed'
  readonly card: ReportCard
  /** For fitted ones, beside each other: what ships, and a fit to all of these people. Neither made the card. */
  readonly parameters?: { readonly shipped: Fitted; readonly here: Fitted }
}

type Fitted = ReturnType<typeof fitModel>

export interface Evaluation {
  /** SHA-256 of the table of windows. */
  readonly data: string
  readonly windows: number
  readonly people: number
  readonly evaluated: readonly Evaluated[]
}

/**
 * Cards of all classifiers, and of what they use where gravity is not known. A logistic model is never judged on people it was
 * fitted to. Throws `E_FILE_UNREADABLE` when the windows are of too few people or lack an activity.
 */
export function evaluate(parameters: Parameters, windows: readonly LabelledWindow[]): Evaluation {
  const people = peopleOf(windows)
  for (const name of CLASSES)
    if (new Set(windows.filter(({ done }) => DONE[done] === name).map(({ person }) => person)).size < 2)
      throw new SnowhatError('E_FILE_UNREADABLE', `the data have fewer than two people ${name}`, {
        hint: 'a model is judged on people it was not fitted to: give more of the data set',
      })
  const evaluated = Object.keys(parameters.classifiers).flatMap((classifier) => {
    const { main, withoutGravity } = modelsOf(parameters, classifier)
    return [main, ...(withoutGravity === undefined ? [] : [withoutGravity])].map(({ version, model }) => ({
      classifier,
      model: version,
      ...evaluateModel(model, windows),
    }))
  })
  return { data: hashOf(windows), windows: windows.length, people: people.length, evaluated }
}

function evaluateModel(model: Model, windows: readonly LabelledWindow[]): Omit<Evaluated, 'classifier' | 'model'> {
  if (model.kind === 'thresholds') return { way: 'fixed', card: reportCard(judgeAll(model, windows)) }
  const { moving, running, feature } = model
  return {
    way: 'loso',
    card: reportCard(leaveOneOut(feature, windows)),
    parameters: { shipped: { moving, running }, here: fitModel(feature, windows) },
  }
}
