import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readParameters } from '../../../phone/classify/parameters.ts'
import { cardLines } from '../../../phone/evaluate/card-lines.ts'
import { evaluate } from '../../../phone/evaluate/evaluate.ts'
import type { Judged } from '../../../phone/evaluate/leave-one-out.ts'
import { fitLogistic } from '../../../phone/evaluate/logistic-fit.ts'
import { MARKS, missedMarks, reportCard } from '../../../phone/evaluate/report-card.ts'
import { hashOf, type LabelledWindow, readWindows, writeWindows } from '../../../phone/evaluate/window-table.ts'

const FILE = fileURLToPath(new URL('./motionsense-windows.csv', import.meta.url))
const windows = readWindows(await readFile(FILE, 'utf8'), FILE)
const parameters = await readParameters()
const evaluation = evaluate(parameters, windows)

function cardOf(model: string) {
  const found = evaluation.evaluated.find((one) => one.model === model)
  if (found === undefined) throw new Error(`no card of ${model}`)
  return found
}

describe('the report card of sixteen people', () => {
  const { card, way, parameters: fitted } = cardOf('std-logit-v1')

  it('is good enough to ship, by people the model was not fitted to', () => {
    expect(way).toBe('loso')
    expect(card).toMatchObject({ people: 16, windows: windows.length })
    expect(card.macroF1).toBeGreaterThanOrEqual(0.96)
    expect(card.accuracy).toBeGreaterThanOrEqual(0.98)
    expect(card.worstPerson.accuracy).toBeGreaterThanOrEqual(0.88)
    expect(missedMarks(card)).toEqual([])
  })

  it('is near what was measured of all 24 people', () => {
    expect(card.accuracy).toBeCloseTo(0.985, 2)
    expect(card.macroF1).toBeCloseTo(0.965, 1)
    // Where moving and running begin, m/s²: of these people, and as it ships.
    for (const step of ['moving', 'running'] as const) {
      const even = ({ intercept, slope }: { intercept: number; slope: number }) => Math.exp(-intercept / slope)
      expect(
        even(fitted?.here[step] ?? { intercept: 0, slope: 1 }) /
          even(fitted?.shipped[step] ?? { intercept: 0, slope: 1 }),
      ).toBeCloseTo(1, 1)
    }
  })

  it('shows what was wrong with the thresholds of the first system', () => {
    const { card: first, way: firstWay } = cardOf('seed-v1')
    expect(firstWay).toBe('fixed')
    expect(first.classes.running.precision).toBeLessThan(0.6)
    expect(first.accuracy).toBeLessThan(card.accuracy - 0.05)
    expect(first.confusion.running.sprinting).toBeGreaterThan(0)
    expect(missedMarks(first)).not.toEqual([])
  })

  it('has a card of what is used without gravity', () => {
    expect(cardOf('avg-logit-v1').card.accuracy).toBeGreaterThan(0.96)
  })

  it('is printed whole, and stands in the docs as it is printed', async () => {
    const lines = cardLines(evaluation)
    for (const words of [
      hashOf(windows).slice(0, 16),
      'macro-F1',
      'worst person: 8',
      'called sprinting',
      'mean confidence',
    ])
      expect(lines.join('\n')).toContain(words)
    const page = await readFile(new URL('../../../docs/phone-activity.md', import.meta.url), 'utf8')
    expect(page).toContain(lines.join('\n'))
  })
})

describe('a card', () => {
  const judged = (
    person: number,
    truth: Judged['truth'],
    activity: Judged['judgement']['activity'],
    confidence = 0.75,
  ): Judged => ({
    person,
    truth,
    judgement: { activity, confidence },
  })
  const card = reportCard([
    judged(1, 'stationary', 'stationary'),
    judged(1, 'walking', 'walking'),
    judged(1, 'walking', 'running'),
    judged(2, 'running', 'running', 0.995),
    judged(2, 'running', 'sprinting', 0.995),
    judged(3, 'walking', 'walking'),
  ])

  it('counts by hand', () => {
    expect(card.accuracy).toBeCloseTo(4 / 6, 12)
    expect(card.classes.walking).toEqual({ precision: 1, recall: 2 / 3, f1: 0.8 })
    expect(card.classes.running).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5 })
    expect(card.macroF1).toBeCloseTo((1 + 0.8 + 0.5) / 3, 12)
    expect(card.worstPerson).toEqual({ person: 2, accuracy: 0.5 })
    expect(card.medianPerson).toBeCloseTo(2 / 3, 12)
    expect(card.calibration).toEqual([
      { from: 0.7, windows: 4, confidence: 0.75, right: 0.75 },
      { from: 0.99, windows: 2, confidence: 0.995, right: 0.5 },
    ])
    expect(card.calibrationError).toBeCloseTo((2 / 6) * 0.495, 12)
    expect(card.confusion.running).toEqual({ stationary: 0, walking: 0, running: 1, sprinting: 1 })
  })

  it('says each mark that it misses', () => {
    expect(missedMarks(card)).toEqual([
      `macro-F1 0.767 is below ${MARKS.macroF1}`,
      `precision of running 0.500 is below ${MARKS.precision}`,
      `calibration error 0.1650 is above ${MARKS.calibrationError}`,
    ])
  })
})

describe('the fit', () => {
  it('is where the likelihood is highest', () => {
    // Four of ten at 0, eight of ten at 1: the odds are known.
    const points = [0, 1].flatMap((x) => Array.from({ length: 1000 }, (_, i) => ({ x, y: i < (x === 0 ? 400 : 800) })))
    const { intercept, slope } = fitLogistic(points)
    expect(intercept).toBeCloseTo(Math.log(4 / 6), 4)
    expect(slope).toBeCloseTo(Math.log(8 / 2) - Math.log(4 / 6), 4)
  })

  it('ends where a threshold separates the classes wholly', () => {
    const { intercept, slope } = fitLogistic([-3, -2, -1, 1, 2, 3].map((x) => ({ x, y: x > 0 })))
    expect(slope).toBeGreaterThan(3)
    expect(Math.abs(intercept / slope)).toBeLessThan(0.01)
  })

  it('needs both classes', () => {
    expect(() => fitLogistic([{ x: 1, y: true }])).toThrow(RangeError)
  })
})

describe('a table of windows', () => {
  it('is read as it was written', () => {
    expect(readWindows(writeWindows(windows), 'it')).toEqual(windows)
  })

  it.each([
    ['no table', 'a,b\n1,2\n', 'first line'],
    ['a line that is none', 'person,activity,trial,avg_magnitude,std_total\n1,wlk,7,5.1,3.2\n1,xyz,7,5,3\n', 'line 3'],
    ['a number that is none', 'person,activity,trial,avg_magnitude,std_total\n1,wlk,7,x,3.2\n', 'line 2'],
  ])('is refused for %s', (_what, text, words) => {
    expect(() => readWindows(text, 'it')).toThrowError(
      expect.objectContaining({ code: 'E_FILE_UNREADABLE', message: expect.stringContaining(words) }),
    )
  })

  it('of too few people is no data to judge by', () => {
    const alone: LabelledWindow[] = windows.filter(({ person }) => person === 1)
    expect(() => evaluate(parameters, alone)).toThrowError(expect.objectContaining({ code: 'E_FILE_UNREADABLE' }))
  })
})
