import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClassifier, type Features } from '../../../phone/classify/classifier.ts'
import { type Parameters, readParameters, SHIPPED_PARAMETERS } from '../../../phone/classify/parameters.ts'
import type { SnowhatError } from '../../../src/errors.ts'

const shipped: Parameters = await readParameters()
const std = createClassifier(shipped, { classifier: 'std' })
const thresholds = createClassifier(shipped, { classifier: 'thresholds' })

const window = (features: Partial<Features>): Features => ({
  samples: 500,
  coverage: 1,
  avgMagnitude: 0,
  stdTotal: null,
  gravityIncluded: false,
  gravityEstimated: false,
  ...features,
})

describe('the classifier std', () => {
  it.each([
    [0.03, 'stationary', 1],
    [1.2, 'stationary', 0.686],
    [1.3, 'walking', 0.694],
    [5, 'walking', 1],
    [8, 'walking', 0.675],
    [8.6, 'running', 0.668],
    [10.6, 'running', 0.992],
  ])('calls a deviation of %d m/s² %s, as surely as %d', (stdTotal, activity, confidence) => {
    const found = std(window({ stdTotal }))
    expect(found).toMatchObject({ activity, modelVersion: 'std-logit-v1', doubts: [] })
    expect(found.confidence).toBeCloseTo(confidence, 2)
  })

  it('judges by the mean where gravity is not known', () => {
    expect(std(window({ avgMagnitude: 1 }))).toMatchObject({ activity: 'stationary', modelVersion: 'avg-logit-v1' })
    expect(std(window({ avgMagnitude: 5 }))).toMatchObject({ activity: 'walking', modelVersion: 'avg-logit-v1' })
    expect(std(window({ avgMagnitude: 14 }))).toMatchObject({ activity: 'running', modelVersion: 'avg-logit-v1' })
  })

  it('calls hard running sprinting, as surely as running, and says that nobody has tried that', () => {
    const runs = std(window({ stdTotal: 14, avgMagnitude: 19.99 }))
    const sprints = std(window({ stdTotal: 14, avgMagnitude: 20 }))
    expect(runs).toMatchObject({ activity: 'running', doubts: [] })
    expect(sprints).toMatchObject({ activity: 'sprinting', confidence: runs.confidence, doubts: ['unvalidated_class'] })
    expect(std(window({ stdTotal: 0.1, avgMagnitude: 25 })).activity).toBe('stationary')
  })

  it('gives probabilities that are one together, of which the largest is its confidence', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (stdTotal) => {
        const { probabilities, confidence } = std(window({ stdTotal }))
        const values = Object.values(probabilities ?? {})
        expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12)
        expect(confidence).toBe(Math.max(...values))
      }),
    )
  })
})

describe('the classifier thresholds', () => {
  it.each([
    [0, 'stationary', 0.95],
    [1.999, 'stationary', 0.95],
    [2, 'walking', 0.85],
    [7.999, 'walking', 0.85],
    [8, 'running', 0.75],
    [19.999, 'running', 0.75],
  ])('calls a mean of %d m/s² %s, as surely as %d', (avgMagnitude, activity, confidence) => {
    const found = thresholds(window({ avgMagnitude, stdTotal: 3 }))
    expect(found).toMatchObject({ activity, confidence, modelVersion: 'seed-v1', probabilities: null, doubts: [] })
  })

  it('calls 20 m/s² and more sprinting, and says that nobody has tried that', () => {
    const found = thresholds(window({ avgMagnitude: 20 }))
    expect(found).toMatchObject({ activity: 'sprinting', confidence: 0.7, doubts: ['unvalidated_class'] })
  })
})

describe('X-7: a window that holds too little', () => {
  it.each([{ samples: 19 }, { coverage: 0.4 }])('is unknown, without a confidence: %j', (thin) => {
    for (const classify of [std, thresholds])
      expect(classify(window({ avgMagnitude: 5, stdTotal: 5, ...thin }))).toMatchObject({
        activity: 'unknown',
        confidence: null,
        doubts: ['thin'],
      })
  })

  it('is judged where it is just enough, and where the first system is followed', () => {
    expect(std(window({ samples: 20, coverage: 0.5, stdTotal: 5 })).activity).toBe('walking')
    const asBefore = createClassifier(shipped, { classifier: 'thresholds', judgesThin: true })
    expect(asBefore(window({ samples: 1, coverage: 0.1, avgMagnitude: 5 })).activity).toBe('walking')
  })
})

it('G-3: an estimated gravity is said beside the activity, one left in too', () => {
  expect(std(window({ stdTotal: 5, gravityIncluded: true, gravityEstimated: true })).doubts).toEqual([
    'gravity_estimated',
  ])
  expect(std(window({ stdTotal: 5, gravityIncluded: true })).doubts).toEqual([])
  const asBefore = createClassifier(shipped, { classifier: 'thresholds', leavesGravity: true })
  expect(asBefore(window({ avgMagnitude: 9.8, gravityIncluded: true })).doubts).toEqual(['gravity_included'])
})

describe('parameters of a file', () => {
  let dir = ''
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'snowhat-parameters-'))
  })
  afterAll(() => rm(dir, { recursive: true }))

  async function read(change: (parameters: Parameters) => unknown): Promise<Parameters | SnowhatError> {
    const file = join(dir, 'parameters.json')
    const own = structuredClone(shipped)
    await writeFile(file, JSON.stringify(change(own) ?? own))
    return readParameters(file).catch((error: SnowhatError) => error)
  }

  it("are a user's own, under versions of their own", async () => {
    const own = (await read((parameters) => {
      parameters.models['mine-v2'] = {
        kind: 'thresholds',
        feature: 'std_total',
        steps: [{ activity: 'running', confidence: 1 }],
      }
      parameters.classifiers.mine = { model: 'mine-v2' }
    })) as Parameters
    const found = createClassifier(own, { classifier: 'mine' })(window({ stdTotal: 1 }))
    expect(found).toMatchObject({ activity: 'running', modelVersion: 'mine-v2' })
    // It needs what this window does not have, and names no other model.
    expect(createClassifier(own, { classifier: 'mine' })(window({})).activity).toBe('unknown')
  })

  it.each([
    ['an unknown key', (p: Parameters) => ({ ...p, modles: {} }), 'modles'],
    [
      'a model that is missing',
      (p: Parameters) => {
        p.classifiers.std = { model: 'x' }
      },
      'there is no model x',
    ],
    [
      'bounds that fall',
      (p: Parameters) => {
        p.models['seed-v1'] = {
          kind: 'thresholds',
          feature: 'avg_magnitude',
          steps: [
            { activity: 'walking', below: 5, confidence: 1 },
            { activity: 'running', below: 4, confidence: 1 },
            { activity: 'sprinting', confidence: 1 },
          ],
        }
      },
      'must rise',
    ],
    [
      'a last step with a bound',
      (p: Parameters) => {
        p.models['seed-v1'] = {
          kind: 'thresholds',
          feature: 'avg_magnitude',
          steps: [{ activity: 'walking', below: 5, confidence: 1 }],
        }
      },
      'every step but the last',
    ],
    [
      'a confidence above one',
      (p: Parameters) => {
        p.models['seed-v1'] = {
          kind: 'thresholds',
          feature: 'avg_magnitude',
          steps: [{ activity: 'walking', confidence: 2 }],
        }
      },
      'confidence',
    ],
    ['another schema', (p: Parameters) => ({ ...p, schema: 2 }), 'schema'],
  ])('are refused for %s', async (_what, change, words) => {
    const error = await read(change)
    expect(error).toMatchObject({ code: 'E_CONFIG_INVALID' })
    expect((error as SnowhatError).message).toContain(words)
  })

  it('are refused where there is no file, or no JSON in it', async () => {
    await expect(readParameters(join(dir, 'none.json'))).rejects.toMatchObject({ code: 'E_CONFIG_INVALID' })
    await writeFile(join(dir, 'bad.json'), '{')
    await expect(readParameters(join(dir, 'bad.json'))).rejects.toMatchObject({ code: 'E_CONFIG_INVALID' })
  })

  it('name the nearest classifier to one that is not there', () => {
    const error = expect(() => createClassifier(shipped, { classifier: 'threshold' }))
    error.toThrowError(expect.objectContaining({ code: 'E_CONFIG_INVALID', hint: 'did you mean thresholds?' }))
  })

  it('that ship are JSON with the versions in it', async () => {
    const { models } = JSON.parse(await readFile(SHIPPED_PARAMETERS, 'utf8')) as Parameters
    expect(Object.keys(models)).toEqual(['std-logit-v1', 'avg-logit-v1', 'seed-v1'])
  })
})
