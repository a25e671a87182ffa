import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import { type MatrixSettings, screenSettings } from './matrix/config.ts'
import { asSeen, type Joystick, NO_PRESSES, type PressEvent, type Presses, told } from './matrix/joystick.ts'
import type { LedMatrix } from './matrix/led-matrix.ts'
import { MemoryMatrix } from './matrix/memory-matrix.ts'
import { Screen } from './matrix/screen.ts'

/** What a person sees and touches of the board. */
export interface PanelParts {
  /** `undefined` where there is none. */
  readonly matrix: LedMatrix | undefined
  readonly joystick: Joystick | undefined
}

/** Of the simulated board: a matrix nobody sees, and a stick nobody presses. Those of a real one have no driver yet. */
export function panelOf({ simulate }: { readonly simulate: boolean }): PanelParts {
  if (!simulate) return { matrix: undefined, joystick: undefined }
  return { matrix: new MemoryMatrix(), joystick: { onEvent: () => undefined, close: async () => undefined } }
}

export interface PanelDeps {
  readonly clock: Clock
  readonly log: Log
  readonly onPress: (event: PressEvent) => void
}

/** The board's matrix and joystick at work, both turned as the settings say. */
export class Panel {
  readonly screen: Screen | undefined
  readonly hasJoystick: boolean
  readonly #joystick: Joystick | undefined
  #presses: Presses = NO_PRESSES

  constructor({ matrix, joystick }: PanelParts, settings: MatrixSettings, { onPress, ...deps }: PanelDeps) {
    const checked = screenSettings(settings)
    this.screen = matrix && new Screen(matrix, checked, deps)
    this.hasJoystick = joystick !== undefined
    this.#joystick = joystick
    joystick?.onEvent(({ direction, action }) => {
      const { presses, event } = told(this.#presses, { direction: asSeen(direction, checked.rotation), action })
      this.#presses = presses
      if (event !== undefined) onPress(event)
    })
  }

  /** The matrix is dark then. */
  async close(): Promise<void> {
    await Promise.all([this.screen?.close(), this.#joystick?.close()])
  }
}
