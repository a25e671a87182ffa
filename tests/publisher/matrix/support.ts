import fc from 'fast-check'
import { type Rgb, WHITE } from '../../../publisher/matrix/colour.ts'
import { EFFECT_NAMES } from '../../../publisher/matrix/effects.ts'
import { Frame, SIDE } from '../../../publisher/matrix/frame.ts'
import type { LedMatrix } from '../../../publisher/matrix/led-matrix.ts'
import type { LightState } from '../../../publisher/matrix/light-state.ts'
import { MemoryMatrix } from '../../../publisher/matrix/memory-matrix.ts'
import { ROTATIONS } from '../../../publisher/matrix/quarter-turn.ts'

const INDEXES = Array.from({ length: SIDE }, (_, index) => index)

/** A frame as a person sees it: `#` for a lit pixel, `.` for a dark one. */
export function drawing(frame: Frame): string {
  return INDEXES.map((y) => INDEXES.map((x) => (isLit(frame.at(x, y)) ? '#' : '.')).join('')).join('\n')
}

export function isLit({ r, g, b }: Rgb): boolean {
  return r + g + b > 0
}

/** The other way round, in white. */
export function drawn(lines: string): Frame {
  const rows = lines.trim().split(/\s+/)
  return Frame.of((x, y) => (rows[y]?.[x] === '#' ? WHITE : { r: 0, g: 0, b: 0 }))
}

export const pixels = (frame: Frame): Rgb[] => INDEXES.flatMap((y) => INDEXES.map((x) => frame.at(x, y)))

const channel = fc.integer({ min: 0, max: 255 })
export const anyColour: fc.Arbitrary<Rgb> = fc.record({ r: channel, g: channel, b: channel })
export const anyBrightness = fc.integer({ min: 1, max: 255 })
export const anyRotation = fc.constantFrom(...ROTATIONS)
export const anyFrame = fc
  .array(anyColour, { minLength: 64, maxLength: 64 })
  .map((colours) => Frame.of((x, y) => colours[y * SIDE + x] ?? WHITE))
export const anyLight: fc.Arbitrary<LightState> = fc.record({
  on: fc.boolean(),
  brightness: anyBrightness,
  colour: anyColour,
  effect: fc.constantFrom(...EFFECT_NAMES),
})

/** A matrix that fails when a test says so. */
export class FaultyMatrix extends MemoryMatrix implements LedMatrix {
  fault: 'none' | 'refuses' | 'hangs' = 'none'
  attempts = 0
  closed = false
  #letGo: () => void = () => undefined

  override async show(frame: Frame): Promise<void> {
    this.attempts++
    if (this.fault === 'refuses') throw new Error('no answer')
    if (this.fault === 'hangs')
      await new Promise<void>((resolve) => {
        this.#letGo = resolve
      })
    await super.show(frame)
  }

  /** Ends a hang. */
  recover(): void {
    this.fault = 'none'
    this.#letGo()
  }

  override async close(): Promise<void> {
    this.closed = true
  }
}
