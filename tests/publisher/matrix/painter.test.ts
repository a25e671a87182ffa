import { expect, it } from 'vitest'
import { DARK, Frame } from '../../../publisher/matrix/frame.ts'
import { Painter } from '../../../publisher/matrix/painter.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'
import { FaultyMatrix } from './support.ts'

const shade = (r: number) => Frame.of(() => ({ r, g: 0, b: 0 }))

function setUp(againMs: number | undefined = undefined) {
  const clock = new ManualClock()
  const matrix = new FaultyMatrix(1_000)
  const scene = { frame: shade(1), looks: 0, broken: false, eachLookAnother: false }
  const log = silentLog()
  const warnings: unknown[] = []
  log.warn = ((fields: unknown) => void warnings.push(fields)) as typeof log.warn
  const look = () => {
    scene.looks++
    if (scene.broken) throw new Error('drawn wrongly')
    return { frame: scene.eachLookAnother ? shade(scene.looks % 256) : scene.frame, againMs }
  }
  const painter = new Painter(matrix, look, { clock, log })
  return { clock, matrix, scene, painter, warnings }
}

it('a picture that stays is written once and then costs nothing', async () => {
  const { clock, matrix, painter, scene } = setUp()
  painter.redraw()
  await clock.advance(86_400_000)
  painter.redraw()
  await clock.advance(1_000)
  expect(matrix.count).toBe(1)
  expect(clock.sleeping).toBe(0)
  expect(scene.looks).toBeLessThanOrEqual(3)
})

it('what changes faster than the matrix may be written is shown at 20 frames a second, the newest at last', async () => {
  const { clock, matrix, painter, scene } = setUp()
  for (let shown = 2; shown <= 200; shown++) {
    scene.frame = shade(shown)
    painter.redraw()
    await clock.advance(5)
  }
  await clock.advance(50)
  expect(matrix.count).toBeLessThanOrEqual(22)
  expect(matrix.count).toBeGreaterThanOrEqual(19)
  expect(matrix.shown.equals(shade(200))).toBe(true)
})

it('one frame at a time: while the matrix takes one, the others wait and only the newest is written', async () => {
  const { clock, matrix, painter, scene } = setUp()
  matrix.fault = 'hangs'
  painter.redraw()
  for (const shown of [2, 3, 4]) {
    scene.frame = shade(shown)
    await clock.advance(100)
    painter.redraw()
  }
  expect(matrix.attempts).toBe(1)
  matrix.recover()
  await clock.advance(100)
  expect(matrix.frames.map((frame) => frame.at(0, 0).r)).toEqual([1, 4])
})

it('a matrix that fails is told once, counted, and tried again with a pause until it works', async () => {
  const { clock, matrix, painter, scene, warnings } = setUp(100)
  scene.eachLookAnother = true
  matrix.fault = 'refuses'
  painter.redraw()
  await clock.advance(35_000)
  expect(painter.failing).toBe(true)
  expect(matrix.attempts).toBe(4)
  expect(painter.failures).toBe(4)
  expect(warnings).toEqual([{ reason: 'no answer' }])
  matrix.fault = 'none'
  await clock.advance(10_000)
  expect(painter.failing).toBe(false)
  expect(matrix.count).toBeGreaterThan(10)
})

it('after a failure the same picture is written again: nobody knows what the LEDs show', async () => {
  const { clock, matrix, painter, scene } = setUp()
  painter.redraw()
  await settled()
  matrix.fault = 'refuses'
  scene.frame = shade(2)
  await clock.advance(100)
  painter.redraw()
  await settled()
  scene.frame = shade(1)
  matrix.fault = 'none'
  painter.redraw()
  await clock.advance(10_000)
  expect(matrix.frames.map((frame) => frame.at(0, 0).r)).toEqual([1, 1])
})

it('a matrix that neither takes nor refuses is a problem after a while, until it goes on', async () => {
  const { clock, matrix, painter } = setUp()
  matrix.fault = 'hangs'
  painter.redraw()
  await clock.advance(4_900)
  expect(painter.failing).toBe(false)
  await clock.advance(200)
  expect(painter.failing).toBe(true)
  matrix.recover()
  await clock.advance(1)
  expect(painter.failing).toBe(false)
})

it('a picture that cannot be drawn is a failure like any other', async () => {
  const { clock, matrix, painter, scene } = setUp()
  scene.broken = true
  painter.redraw()
  expect(painter.failing).toBe(true)
  scene.broken = false
  await clock.advance(10_000)
  expect(painter.failing).toBe(false)
  expect(matrix.count).toBe(1)
})

it('closed, the matrix is dark and given back, and nothing is drawn any more', async () => {
  const { clock, matrix, painter, scene } = setUp(100)
  scene.eachLookAnother = true
  painter.redraw()
  await clock.advance(1_000)
  await painter.close()
  const { count } = matrix
  painter.redraw()
  await clock.advance(10_000)
  expect(matrix.shown.equals(DARK)).toBe(true)
  expect(matrix.count).toBe(count)
  expect(matrix.closed).toBe(true)
  expect(clock.sleeping).toBe(0)
})

it.each(['refuses', 'hangs'] as const)('it can be closed while the matrix %s', async (fault) => {
  const { clock, matrix, painter } = setUp(100)
  matrix.fault = fault
  painter.redraw()
  await settled()
  let closed = false
  const closing = painter.close().then(() => {
    closed = true
  })
  await clock.advance(3_000)
  expect(closed).toBe(true)
  await closing
  expect(matrix.closed).toBe(true)
  const { attempts } = matrix
  matrix.recover()
  await settled()
  expect(matrix.attempts).toBe(attempts)
})
