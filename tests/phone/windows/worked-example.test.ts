import { describe, expect, it } from 'vitest'
import { DEFAULT_WINDOWS, sparkWindows, type WindowOptions } from '../../../phone/windows/options.ts'
import { WindowEngine } from '../../../phone/windows/window-engine.ts'
import { allTold, at, BATCHES, RECEIVED_MS } from './worked-example.ts'

/** What comes out of each batch. */
function run(options: WindowOptions, { pauses = false } = {}) {
  const engine = new WindowEngine(options)
  const out: string[][] = []
  for (const batch of BATCHES) {
    out.push(allTold(engine.process(batch, RECEIVED_MS)))
    if (pauses) out.push(allTold(engine.process([], RECEIVED_MS)))
  }
  return { out, late: engine.counters.late_pairs }
}

const BATCH_6 = [
  'A [-2,8) 4.5 n4 walking',
  'A [0,10) 4 n5 walking',
  'A [2,12) 4.75 n4 walking',
  'A [4,14) 4 n3 walking',
  'A [6,16) 6 n3 walking',
]
const B_IN_BATCH_6 = [2, 4, 6, 8, 10].map((start) => `B [${start},${start + 10}) 11 n1 running`)

describe('the worked example (T3; T11: the values of Spark, stored)', () => {
  it('comes out as on Spark since 3.4', () => {
    const { out, late } = run(sparkWindows('>=3.4'))
    expect(out).toEqual([
      [],
      [],
      ['A [-8,2) 1 n1 stationary'],
      ['A [-6,4) 3 n2 walking'],
      ['A [-4,6) 4.5 n4 walking'],
      [...BATCH_6, 'A [8,18) 6.4 n5 walking', 'A [10,20) 7.5 n4 walking', ...B_IN_BATCH_6],
      [],
    ])
    expect(late).toBe(2)
  })

  it('leaves on Spark since 3.4 what is not finished', () => {
    const engine = new WindowEngine(sparkWindows('>=3.4'))
    for (const batch of BATCHES) engine.process(batch, RECEIVED_MS)
    // A day later all that was open is finished.
    const rest = [[at('C', 86_400, 1)], []].flatMap((batch) => engine.process(batch, RECEIVED_MS))
    expect(allTold(rest)).toEqual([
      'A [12,22) 6.6 n5 walking',
      'A [14,24) 6.5 n4 walking',
      'A [16,26) 5.66666667 n3 walking',
      'A [18,28) 3 n1 walking',
      ...[22, 24, 26, 28, 30].map((start) => `B [${start},${start + 10}) 20 n1 sprinting`),
    ])
  })

  it('comes out as on Spark up to 3.3, where what is late is judged by the watermark in force', () => {
    const { out } = run(sparkWindows('<=3.3'))
    expect(out).toEqual([
      [],
      [],
      ['A [-8,2) 1 n1 stationary'],
      ['A [-6,4) 1 n1 stationary'],
      ['A [-4,6) 3 n3 walking'],
      [...BATCH_6, 'A [8,18) 7.25 n4 walking', 'A [10,20) 9 n3 running', ...B_IN_BATCH_6],
      [],
    ])
  })

  it('comes out an empty batch earlier where there is a pause after each batch, with the values of 3.3', () => {
    const paused = run(sparkWindows('>=3.4'), { pauses: true })
    expect(paused.out.flat()).toEqual(run(sparkWindows('<=3.3')).out.flat())
    // Batches 2, 3, 4 and 5, each followed by its pause.
    expect(paused.out.flatMap((windows, i) => (windows.length === 0 ? [] : [i]))).toEqual([3, 5, 7, 9])
  })

  it("is not disturbed by B's clock where each phone has a watermark of its own", () => {
    const { out, late } = run(DEFAULT_WINDOWS)
    expect(out.flat()).toEqual(['A [-8,2) 1 n1 stationary', 'A [-6,4) 3 n2 walking', 'A [-4,6) 4.5 n4 walking'])
    expect(late).toBe(1)
    // Its window [10,20) holds 12.0, 14.2, 16.0, 17.0 and 18.0 when it is finished: all five.
    const engine = new WindowEngine(DEFAULT_WINDOWS)
    const longer = [...BATCHES, [at('A', 40, 1)], []].flatMap((batch) => engine.process(batch, RECEIVED_MS))
    expect(allTold(longer)).toContain('A [10,20) 6.6 n5 walking')
  })
})
