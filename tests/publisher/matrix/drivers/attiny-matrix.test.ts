import fc from 'fast-check'
import { expect, it } from 'vitest'
import { AttinyMatrix } from '../../../../publisher/matrix/drivers/attiny-matrix.ts'
import { Frame, SIDE } from '../../../../publisher/matrix/frame.ts'
import { SharedBus } from '../../../../publisher/sensors/bus/shared-bus.ts'
import { BusState, SimulatedBus } from '../../../../publisher/sensors/simulated-bus/simulated-bus.ts'
import { LeapClock } from '../../../support/leap-clock.ts'
import { NO_CHANCE } from '../../sensors/support.ts'
import { anyFrame } from '../support.ts'
import { SimulatedAttiny } from './simulated-attiny.ts'

function attiny() {
  const chip = new SimulatedAttiny()
  const state = new BusState()
  const bus = new SharedBus(async () => new SimulatedBus([chip], state, NO_CHANCE), new LeapClock())
  return { chip, state, matrix: new AttinyMatrix(bus) }
}

it('a colour is as bright as the kernel driver makes it', async () => {
  const { chip, matrix } = attiny()
  await matrix.show(Frame.of(() => ({ r: 255, g: 128, b: 0 })))
  expect(chip.at(0, 0)).toEqual([31, 8, 0])
})

it('every pixel is where it belongs, none too bright for the board, and nothing is written beside them', async () => {
  await fc.assert(
    fc.asyncProperty(anyFrame, fc.nat(SIDE - 1), fc.nat(SIDE - 1), async (frame, x, y) => {
      const { chip, matrix } = attiny()
      await matrix.show(frame)
      const { r, g, b } = frame.at(x, y)
      const one = attiny()
      await one.matrix.show(Frame.of(() => ({ r, g, b })))
      expect(chip.at(x, y)).toEqual(one.chip.at(0, 0))
      expect(Math.max(...chip.pixels)).toBeLessThanOrEqual(31)
      expect(chip.strayed).toBe(0)
    }),
  )
})

it('a frame that nobody took is an error, and the next one is shown', async () => {
  const { chip, state, matrix } = attiny()
  const white = Frame.of(() => ({ r: 255, g: 255, b: 255 }))
  state.dead.add(0x46)
  await expect(matrix.show(white)).rejects.toMatchObject({ kind: 'no-answer' })
  state.dead.clear()
  await matrix.show(white)
  expect([...new Set(chip.pixels)]).toEqual([31])
})
