import type { World } from '../world/world.ts'
import type { SimulatedDevice } from './device.ts'
import type { ScenarioChip, ScenarioEvent } from './scenario-file.ts'
import type { BusState } from './simulated-bus.ts'

/** What a scenario can do something to. */
export interface Stage {
  readonly world: World
  readonly state: BusState
  readonly devices: Readonly<Partial<Record<ScenarioChip, SimulatedDevice>>>
}

interface Step {
  readonly at: number
  readonly act: () => void
}

/** CTRL_REG8 as RTIMULib, and so the Python library, writes it: a block repeats one register then. */
const OTHER_PROGRAM = { register: 0x22, value: 0x80 }

/** Plays a scenario by the time that passes: no timer, so that a simulated hour is as good as a real one. */
export class Playing {
  readonly #steps: Step[]
  readonly #now: () => number
  #began: number | undefined

  constructor(events: readonly ScenarioEvent[], stage: Stage, now: () => number) {
    this.#now = now
    this.#steps = events.flatMap((event) => stepsOf(event, stage)).sort((a, b) => a.at - b.at)
  }

  begin(): void {
    this.#began = this.#now()
  }

  /** Does what is due. */
  advance(): void {
    if (this.#began === undefined) return
    const passed = this.#now() - this.#began
    for (let next = this.#steps[0]; next !== undefined && next.at <= passed; next = this.#steps[0]) {
      this.#steps.shift()
      next.act()
    }
  }
}

function stepsOf(event: ScenarioEvent, stage: Stage): Step[] {
  const { world, state, devices } = stage
  const lasting = (begin: () => void, end: () => void): Step[] =>
    'for' in event
      ? [
          { at: event.at, act: begin },
          { at: event.at + event.for, act: end },
        ]
      : []
  const device = 'chip' in event && event.chip !== undefined ? devices[event.chip] : undefined
  const address = device?.address ?? -1
  switch (event.event) {
    case 'door-opens':
      return lasting(
        () => {
          world.draught.outside = { temperature: event.outside, dewPoint: event.dew_point }
        },
        () => {
          world.draught.outside = undefined
        },
      )
    case 'picked-up': {
      const before = world.motion.scenario
      return lasting(
        () => {
          world.motion.scenario = 'handheld'
        },
        () => {
          world.motion.scenario = before
        },
      )
    }
    case 'chip-dies':
      return lasting(
        () => state.dead.add(address),
        () => {
          // Its power was away.
          device?.powerUp()
          state.dead.delete(address)
        },
      )
    case 'chip-freezes': {
      const freeze = (is: boolean) => () => {
        if (device !== undefined) device.frozen = is
      }
      return lasting(freeze(true), freeze(false))
    }
    case 'brown-out':
      return [{ at: event.at, act: () => powerUp(event.chip === undefined ? Object.values(devices) : [device]) }]
    case 'driver-claims':
      return lasting(
        () => state.claimed.add(address),
        () => state.claimed.delete(address),
      )
    case 'bus-hangs': {
      const hang = (is: boolean) => () => {
        state.hung = is
      }
      return lasting(hang(true), hang(false))
    }
    case 'bad-contact': {
      const lose = (share: number) => () => {
        state.lost = share
      }
      return lasting(lose(event.share), lose(0))
    }
    case 'other-program':
      return [{ at: event.at, act: () => devices.motion?.write(OTHER_PROGRAM.register, OTHER_PROGRAM.value) }]
  }
}

function powerUp(devices: readonly (SimulatedDevice | undefined)[]): void {
  for (const device of devices) device?.powerUp()
}
