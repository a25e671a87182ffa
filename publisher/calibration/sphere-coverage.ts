import type { Vector } from '../sensors/rotation.ts'

/** What of the board looks along each half of each axis. */
const SIDES = {
  x: ['the USB end', 'the microSD end'],
  y: ['the HDMI edge', 'the edge with the 40 pins'],
  z: ['the underside', 'the LEDs'],
} as const
export type Side = (typeof SIDES)[keyof typeof SIDES][number]

const AXES = ['x', 'y', 'z'] as const
/** Cells along each edge of the cube about the sphere. */
const CELLS = 3
const ALL_CELLS = AXES.length * 2 * CELLS * CELLS

/** Which directions of a sphere were seen: each falls on one of the nine cells of one of the six sides of a cube. */
export class Coverage {
  readonly #seen = new Map<Side, Set<number>>()

  add(direction: Vector): void {
    const [along, ...across] = [...AXES].sort((a, b) => Math.abs(direction[b]) - Math.abs(direction[a]))
    if (along === undefined || direction[along] === 0) return
    const cells = across
      .sort()
      .map((axis) => Math.min(CELLS - 1, Math.floor(((direction[axis] / Math.abs(direction[along]) + 1) / 2) * CELLS)))
    const side = SIDES[along][direction[along] > 0 ? 0 : 1]
    const seen = this.#seen.get(side) ?? new Set()
    this.#seen.set(side, seen.add((cells[0] ?? 0) * CELLS + (cells[1] ?? 0)))
  }

  /** 0 to 1. */
  get share(): number {
    return [...this.#seen.values()].reduce((sum, cells) => sum + cells.size, 0) / ALL_CELLS
  }

  get leastSeen(): Side {
    const sides = AXES.flatMap((axis) => [...SIDES[axis]])
    const seen = (side: Side) => this.#seen.get(side)?.size ?? 0
    return sides.reduce((least, side) => (seen(side) < seen(least) ? side : least))
  }
}
