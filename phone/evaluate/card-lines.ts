import { ACTIVITIES } from '../classify/parameters.ts'
import type { Evaluated, Evaluation } from './evaluate.ts'
import { CLASSES } from './report-card.ts'

const WAYS = {
  loso: 'each person judged by a model fitted to the others',
  fixed: 'nothing fitted',
} as const

/** An evaluation for people to read. */
export function cardLines({ data, windows, people, evaluated }: Evaluation): string[] {
  return [
    `${windows} windows of ${people} people, data sha256 ${data.slice(0, 16)}`,
    '',
    ...table(
      [
        'model',
        'accuracy',
        'macro-F1',
        'F1 stationary',
        'walking',
        'running',
        'worst person',
        'median',
        'calibration error',
      ],
      evaluated.map(({ model, card }) => [
        model,
        percent(card.accuracy),
        share(card.macroF1),
        ...CLASSES.map((name) => share(card.classes[name].f1)),
        percent(card.worstPerson.accuracy),
        percent(card.medianPerson),
        card.calibrationError.toFixed(4),
      ]),
    ),
    ...evaluated.flatMap(oneLines),
  ]
}

function oneLines({ classifier, model, way, card, parameters }: Evaluated): string[] {
  return [
    '',
    `${model} (classifier ${classifier}; ${WAYS[way]})`,
    '',
    ...table(
      ['class', 'precision', 'recall', 'F1', ...ACTIVITIES.map((name) => `called ${name}`)],
      CLASSES.map((name) => {
        const { precision, recall, f1 } = card.classes[name]
        const called = ACTIVITIES.map((other) => String(card.confusion[name][other]))
        return [name, precision === null ? '-' : share(precision), share(recall), share(f1), ...called]
      }),
    ),
    '',
    ...table(
      ['confidence from', 'windows', 'mean confidence', 'right'],
      card.calibration.map(({ from, windows, confidence, right }) => [
        from.toFixed(2),
        String(windows),
        share(confidence),
        share(right),
      ]),
    ),
    '',
    `worst person: ${card.worstPerson.person}, ${percent(card.worstPerson.accuracy)}; median ${percent(card.medianPerson)}`,
    ...(parameters === undefined
      ? []
      : [`parameters as they ship: ${odds(parameters.shipped)}`, `fitted to all of these:  ${odds(parameters.here)}`]),
  ]
}

function odds({ moving, running }: NonNullable<Evaluated['parameters']>['here']): string {
  const one = ({ intercept, slope }: typeof moving) =>
    `${intercept.toFixed(3)} + ${slope.toFixed(3)} ln, even at ${Math.exp(-intercept / slope).toFixed(2)} m/s²`
  return `moving ${one(moving)}; running ${one(running)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)]
}

function share(value: number): string {
  return value.toFixed(3)
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}
