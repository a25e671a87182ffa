import { BLACK, dimmed, type Rgb, WHITE } from './colour.ts'
import { DARK, Frame, SIDE } from './frame.ts'

/** How the readings fare. */
export type Status = 'connected' | 'backlog' | 'error'

/** A status can be seen in the dark and be overlooked by day. */
const STATUS_BRIGHTNESS = 20

const CORNER = SIDE - 1

/** Told apart by the number of pixels as well, for those who cannot tell the colours apart. */
const STATUS: Readonly<Record<Status, { readonly colour: Rgb; readonly lit: (x: number, y: number) => boolean }>> = {
  connected: { colour: { r: 0, g: 255, b: 0 }, lit: (x, y) => x === CORNER && y === CORNER },
  backlog: { colour: { r: 255, g: 160, b: 0 }, lit: (x, y) => x >= CORNER - 1 && y === CORNER },
  error: { colour: { r: 255, g: 0, b: 0 }, lit: (x, y) => x >= CORNER - 1 && y >= CORNER - 1 },
}

/** The status in the lower right corner; dark while nothing is known. */
export function statusFrame(status: Status | undefined): Frame {
  if (status === undefined) return DARK
  const { colour, lit } = STATUS[status]
  const dim = dimmed(colour, STATUS_BRIGHTNESS)
  return Frame.of((x, y) => (lit(x, y) ? dim : BLACK))
}

const IDENTIFY_TURN_MS = 1_000

/**
 * "This one": a propeller of two white quadrants, once around in a second, as bright as it gets. Each pixel flashes twice a
 * second, below the three that guidelines allow for people with photosensitive epilepsy (WCAG 2.3.1: documented).
 */
export function identifyFrame(elapsedMs: number): Frame {
  const turned = (elapsedMs / IDENTIFY_TURN_MS) * 4
  const centre = (SIDE - 1) / 2
  return Frame.of((x, y) => {
    const quarters = Math.atan2(y - centre, x - centre) / (Math.PI / 2) - turned
    return Math.abs(Math.floor(quarters)) % 2 === 0 ? WHITE : BLACK
  })
}
