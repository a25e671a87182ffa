export const ROTATIONS = [0, 90, 180, 270] as const

/**
 * How far the picture is turned clockwise on the board, degrees. 0 has the HDMI edge at the bottom, 90 the edge opposite
 * the USB sockets, as python-sense-hat counts (observed: its `rotation` demo takes gravity along −x for 90).
 */
export type Rotation = (typeof ROTATIONS)[number]

/**
 * A direction, or a place as seen from the centre: x to the right, y down. On the board right is the USB end and down
 * the HDMI edge, which are also the x and y of its accelerometer.
 */
export interface Step {
  readonly x: number
  readonly y: number
}

/** Where a step within the picture leads on the board. */
export function onBoard(step: Step, rotation: Rotation): Step {
  let { x, y } = step
  // A quarter turn clockwise takes right to down, and down to left.
  for (let turned = 0; turned < rotation; turned += 90) [x, y] = [0 - y, x]
  return { x, y }
}

/** Where a step on the board leads within the picture. */
export function onPicture(step: Step, rotation: Rotation): Step {
  return onBoard(step, ((360 - rotation) % 360) as Rotation)
}
