import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import type { ScreenSettings } from './matrix/config.ts'
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

/** Of the simulated board: a matrix nobody sees, and a stick nobody presses. */
export function simulatedPanel(): PanelParts {
  const joystick: Joystick = {
    via: 'simulated',
    problem: undefined,
    onEvent: () => undefined,
    close: async () => undefined,
  }
  return { matrix: new MemoryMatrix(), joystick }
}

/** How the parts of the panel are driven; `null` for what this board does not have. */
export interface PanelVia {
  readonly leds: LedMatrix['via'] | null
  readonly joystick: Joystick['via'] | null
}

export interface PanelDeps {
  readonly clock: Clock
  readonly log: Log
  readonly onPress: (event: PressEvent) => void
}

/** The board's matrix and joystick at work, both turned as the settings say. */
export class Panel {
  readonly screen: Screen | undefined
  readonly via: PanelVia
  readonly #joystick: Joystick | undefined
  #presses: Presses = NO_PRESSES

  constructor({ matrix, joystick }: PanelParts, settings: ScreenSettings, { onPress, ...deps }: PanelDeps) {
    this.screen = matrix && new Screen(matrix, settings, deps)
    this.via = { leds: matrix?.via ?? null, joystick: joystick?.via ?? null }
    this.#joystick = joystick
    joystick?.onEvent(({ direction, action }) => {
      const { presses, event } = told(this.#presses, { direction: asSeen(direction, settings.rotation), action })
      this.#presses = presses
      if (event !== undefined) onPress(event)
    })
  }

  /** Sentences, for `info`. */
  get problems(): string[] {
    return [this.screen?.problem, this.#joystick?.problem].filter((problem) => problem !== undefined)
  }

  /** The matrix is dark then. */
  async close(): Promise<void> {
    await Promise.all([this.screen?.close(), this.#joystick?.close()])
  }
}
