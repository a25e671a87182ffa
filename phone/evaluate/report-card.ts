import { ACTIVITIES, type Activity } from '../classify/parameters.ts'
import { type Judged, peopleOf } from './leave-one-out.ts'

export const CLASSES = ['stationary', 'walking', 'running'] as const

export type Class = (typeof CLASSES)[number]

/** Lower bounds of the calibration table's bins of confidence; they are narrow where nearly all windows are. */
const BINS = [0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]

export interface ClassScore {
  /** Of what was called so, what was so; `null` when nothing was called so. */
  readonly precision: number | null
  /** Of what was so, what was called so. */
  readonly recall: number
  readonly f1: number
}

export interface Calibration {
  readonly from: number
  readonly windows: number
  readonly confidence: number
  /** Share of them that were right. */
  readonly right: number
}

/** How well windows were judged. All shares are 0 to 1. */
export interface ReportCard {
  readonly windows: number
  readonly people: number
  readonly accuracy: number
  readonly macroF1: number
  readonly classes: Readonly<Record<Class, ClassScore>>
  /** Accuracy per person. */
  readonly worstPerson: { readonly person: number; readonly accuracy: number }
  readonly medianPerson: number
  /** Mean distance between confidence and the share that is right, over the bins, weighted by windows. */
  readonly calibrationError: number
  readonly calibration: readonly Calibration[]
  /** By what was done, then by what it was called. */
  readonly confusion: Readonly<Record<Class, Readonly<Record<Activity, number>>>>
}

/** Of at least one window of each class. `sprinting` is nothing that anybody did, and so never right. */
export function reportCard(judged: readonly Judged[]): ReportCard {
  const confusion = confusionOf(judged)
  const score = (name: Class): ClassScore => {
    const hit = confusion[name][name]
    const called = sum(CLASSES.map((truth) => confusion[truth][name]))
    const were = sum(Object.values(confusion[name]))
    return { precision: called === 0 ? null : hit / called, recall: hit / were, f1: (2 * hit) / (called + were) }
  }
  const classes = { stationary: score('stationary'), walking: score('walking'), running: score('running') }
  const people = peopleOf(judged)
    .map((person) => ({ person, accuracy: shareRight(judged.filter((one) => one.person === person)) }))
    .sort((a, b) => a.accuracy - b.accuracy)
  const [worstPerson] = people
  if (worstPerson === undefined) throw new RangeError('nobody was judged')
  const calibration = calibrationOf(judged)
  return {
    windows: judged.length,
    people: people.length,
    accuracy: shareRight(judged),
    macroF1: sum(Object.values(classes).map(({ f1 }) => f1)) / CLASSES.length,
    classes,
    worstPerson,
    medianPerson: median(people.map(({ accuracy }) => accuracy)),
    calibrationError: sum(
      calibration.map(({ windows, confidence, right }) => (windows / judged.length) * Math.abs(confidence - right)),
    ),
    calibration,
    confusion,
  }
}

/** Below these a change has made the classifier worse. */
export const MARKS = { macroF1: 0.955, precision: 0.88, calibrationError: 0.01 } as const

/** What a card misses, a sentence each. */
export function missedMarks({ macroF1, classes, calibrationError }: ReportCard): string[] {
  const missed: string[] = []
  if (!(macroF1 >= MARKS.macroF1)) missed.push(`macro-F1 ${macroF1.toFixed(3)} is below ${MARKS.macroF1}`)
  for (const name of CLASSES) {
    const precision = classes[name].precision ?? 0
    if (!(precision >= MARKS.precision))
      missed.push(`precision of ${name} ${precision.toFixed(3)} is below ${MARKS.precision}`)
  }
  if (!(calibrationError <= MARKS.calibrationError))
    missed.push(`calibration error ${calibrationError.toFixed(4)} is above ${MARKS.calibrationError}`)
  return missed
}

function confusionOf(judged: readonly Judged[]): ReportCard['confusion'] {
  const empty = () => Object.fromEntries(ACTIVITIES.map((name) => [name, 0])) as Record<Activity, number>
  const confusion = { stationary: empty(), walking: empty(), running: empty() }
  for (const { truth, judgement } of judged) confusion[truth][judgement.activity]++
  return confusion
}

function calibrationOf(judged: readonly Judged[]): Calibration[] {
  return BINS.flatMap((from, i) => {
    const to = BINS[i + 1] ?? Infinity
    const inside = judged.filter(({ judgement: { confidence } }) => confidence >= from && confidence < to)
    if (inside.length === 0) return []
    const confidence = sum(inside.map(({ judgement }) => judgement.confidence)) / inside.length
    return [{ from, windows: inside.length, confidence, right: shareRight(inside) }]
  })
}

function shareRight(judged: readonly Judged[]): number {
  return judged.filter(({ truth, judgement }) => judgement.activity === truth).length / judged.length
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2
  const [low = NaN, high = low] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}
