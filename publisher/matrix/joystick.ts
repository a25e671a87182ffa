import { onPicture, type Rotation, type Step } from './quarter-turn.ts'

export const DIRECTIONS = ['up', 'down', 'left', 'right', 'middle'] as const

export type Direction = (typeof DIRECTIONS)[number]

/** What the stick does. `held` comes again and again while it is pressed for long, as the keyboard repeat of Linux does. */
export interface StickEvent {
  /** On the board: down is towards the HDMI edge. */
  readonly direction: Direction
  readonly action: 'pressed' | 'held' | 'released'
}

export interface Joystick {
  /** How it is read. */
  readonly via: 'evdev' | 'i2c' | 'simulated'
  /** A sentence for people; `undefined` while all is well. */
  readonly problem: string | undefined
  onEvent(listener: (event: StickEvent) => void): void
  close(): Promise<void>
}

/** Standard event types of Home Assistant's buttons that a stick can tell (documented 2026-07). */
export const PRESS_TYPES = ['press_start', 'press_end', 'long_press_start', 'long_press_end'] as const

/** An event of the entity of that direction, as the one who looks at the picture sees it. */
export interface PressEvent {
  readonly direction: Direction
  readonly event_type: (typeof PRESS_TYPES)[number]
}

/** How long each direction is pressed by now; those that are not pressed are absent. */
export type Presses = ReadonlyMap<Direction, 'short' | 'long'>

export const NO_PRESSES: Presses = new Map()

/**
 * What is told to Home Assistant of an event, and the presses after it. The first `held` makes a press long, the others
 * are not told; an end without a beginning, such as of a press from before the start, is not told either.
 */
export function told(presses: Presses, event: StickEvent): { presses: Presses; event?: PressEvent } {
  const { direction, action } = event
  const before = presses.get(direction)
  const after = new Map(presses)
  if (action === 'pressed') {
    after.set(direction, 'short')
    return { presses: after, event: { direction, event_type: 'press_start' } }
  }
  if (action === 'held') {
    if (before !== 'short') return { presses }
    after.set(direction, 'long')
    return { presses: after, event: { direction, event_type: 'long_press_start' } }
  }
  if (before === undefined) return { presses }
  after.delete(direction)
  return { presses: after, event: { direction, event_type: before === 'long' ? 'long_press_end' : 'press_end' } }
}

const STEPS: Readonly<Record<Direction, Step>> = {
  up: { x: 0, y: -1 },
  down: { x: 0, y: 1 },
  left: { x: -1, y: 0 },
  right: { x: 1, y: 0 },
  middle: { x: 0, y: 0 },
}

/** The direction on the board as the one who looks at the turned picture sees it. */
export function asSeen(direction: Direction, rotation: Rotation): Direction {
  const seen = onPicture(STEPS[direction], rotation)
  return DIRECTIONS.find((name) => STEPS[name].x === seen.x && STEPS[name].y === seen.y) ?? direction
}
