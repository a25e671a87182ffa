import { DEGREE, type Vector } from '../rotation.ts'

/**
 * Units per count at ±8 g, ±500 °/s and ±4 gauss, from the data sheet's table of sensitivities (DocID025715, table 3).
 * They are not the range divided by 32768.
 */
const G_PER_COUNT = 0.000244
const RAD_S_PER_COUNT = 0.0175 * DEGREE
const UT_PER_COUNT = 0.014

/*
 * The axes of acceleration and rate of turn are a left-handed set with z up through the LEDs, and the magnetometer's x is
 * opposite to theirs. What is made of them here is the frame of RTIMULib, and so of python-sense-hat: x to the USB end,
 * y to the HDMI edge, z down; the acceleration is the direction of gravity, +1 on z when flat [observed in its source].
 */

/** g, from six bytes of acceleration. */
export function decodeAcceleration(block: Buffer, offset: number): Vector {
  return {
    x: -block.readInt16LE(offset) * G_PER_COUNT,
    y: -block.readInt16LE(offset + 2) * G_PER_COUNT,
    z: block.readInt16LE(offset + 4) * G_PER_COUNT,
  }
}

/** rad/s, from six bytes of rate of turn, bias included. */
export function decodeTurn(block: Buffer, offset: number): Vector {
  return {
    x: block.readInt16LE(offset) * RAD_S_PER_COUNT,
    y: block.readInt16LE(offset + 2) * RAD_S_PER_COUNT,
    z: -block.readInt16LE(offset + 4) * RAD_S_PER_COUNT,
  }
}

/** µT, from six bytes of field, hard iron included. */
export function decodeField(block: Buffer, offset: number): Vector {
  return {
    x: -block.readInt16LE(offset) * UT_PER_COUNT,
    y: block.readInt16LE(offset + 2) * UT_PER_COUNT,
    z: -block.readInt16LE(offset + 4) * UT_PER_COUNT,
  }
}

/** An axis at the end of its scale: what is beyond is not known, and the triple is no measurement. */
export function atLimit(block: Buffer, offset: number): boolean {
  for (let at = offset; at < offset + 6; at += 2) {
    const count = block.readInt16LE(at)
    if (count === -32_768 || count === 32_767) return true
  }
  return false
}
