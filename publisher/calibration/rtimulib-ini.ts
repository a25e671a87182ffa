import { DEGREE, type Vector } from '../sensors/rotation.ts'
import { type Affine, beforeTurn, keepingVolume } from './affine.ts'
import { type InertialCalibration, UNCALIBRATED } from './inertial-calibration.ts'
import { determinant, diagonal, type Matrix3, product } from './matrix3.ts'
import { MOUNTINGS, mountingOf } from './mounting.ts'

/** `IMUType` of the LSM9DS1, and of "look for one" [observed in RTIMULib]. */
const OUR_CHIP: ReadonlySet<number> = new Set([0, 6])

/**
 * The calibration in an `RTIMULib.ini`, the file of python-sense-hat: lines of `key=value`, `#` before a comment. What its flags
 * do not call valid is left out. Throws a sentence about the first thing that cannot be.
 *
 * Two things are done better than there, and no angle of a well calibrated board differs by it: the stretched field keeps its
 * strength, and the accelerometer's offset is taken away and not only scaled.
 */
export function readRtimulibIni(text: string): InertialCalibration {
  const ini = new Ini(text)
  const imu = ini.number('IMUType', 0)
  if (!OUR_CHIP.has(imu))
    throw new Error(`IMUType is ${imu}: it was written for another chip than the LSM9DS1, which is 6`)
  const code = ini.number('AxisRotation', 0)
  if (!Number.isInteger(code) || code < 0 || code >= MOUNTINGS)
    throw new Error(`AxisRotation is ${code}; there are 0 to ${MOUNTINGS - 1}`)
  const mounting = code === 0 ? null : mountingOf(code)
  const before = (affine: Affine | null) => affine && (mounting === null ? affine : beforeTurn(mounting, affine))
  return {
    ...UNCALIBRATED,
    accel: before(accelOf(ini)),
    field: before(fieldOf(ini)),
    mounting,
    gyroBias: ini.flag('GyroBiasValid') ? ini.vector('GyroBias') : null,
    // RTIMULib subtracts it, in radians.
    declination: -ini.number('compassAdjDeclination', 0) / DEGREE + 0,
  }
}

/** Gravity is 1 g at both ends of each axis. */
function accelOf(ini: Ini): Affine | null {
  if (!ini.flag('AccelCalValid')) return null
  const { offset, half } = ini.range('AccelCal')
  return { offset, matrix: diagonal([1 / half.x, 1 / half.y, 1 / half.z]) }
}

function fieldOf(ini: Ini): Affine | null {
  // RTIMULib, too, does not look at the ellipsoid without the range: its numbers are those of the stretched field.
  if (!ini.flag('CompassCalValid')) return null
  const { offset, half } = ini.range('CompassCal')
  const largest = Math.max(half.x, half.y, half.z)
  const stretch = diagonal([largest / half.x, largest / half.y, largest / half.z])
  if (!ini.flag('compassCalEllipsoidValid')) return keepingVolume({ offset, matrix: stretch })
  const o = ini.vector('compassCalOffset')
  const matrix = ini.matrix('compassCalCorr')
  if (determinant(matrix) <= 0) throw new Error('compassCalCorr11 to 33 squeeze the field flat, or mirror it')
  const shifted = {
    x: offset.x + (o.x * half.x) / largest,
    y: offset.y + (o.y * half.y) / largest,
    z: offset.z + (o.z * half.z) / largest,
  }
  return keepingVolume({ offset: shifted, matrix: product(matrix, stretch) })
}

class Ini {
  readonly #values = new Map<string, string>()

  constructor(text: string) {
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      const content = line.trim()
      if (content === '' || content.startsWith('#')) continue
      const at = content.indexOf('=')
      if (at < 1) throw new Error(`line ${index + 1} is no key=value: ${JSON.stringify(content.slice(0, 40))}`)
      this.#values.set(content.slice(0, at).trim(), content.slice(at + 1).trim())
    }
  }

  flag(key: string): boolean {
    const text = this.#values.get(key) ?? 'false'
    if (text !== 'true' && text !== 'false')
      throw new Error(`${key} is ${JSON.stringify(text)}, neither true nor false`)
    return text === 'true'
  }

  number(key: string, missing?: number): number {
    const text = this.#values.get(key)
    if (text === undefined && missing !== undefined) return missing
    if (text === undefined) throw new Error(`${key} is missing`)
    const value = Number(text)
    if (text === '' || !Number.isFinite(value)) throw new Error(`${key} is ${JSON.stringify(text)}, which is no number`)
    return value
  }

  vector(prefix: string): Vector {
    return { x: this.number(`${prefix}X`), y: this.number(`${prefix}Y`), z: this.number(`${prefix}Z`) }
  }

  matrix(prefix: string): Matrix3 {
    const row = (i: number) =>
      [this.number(`${prefix}${i}1`), this.number(`${prefix}${i}2`), this.number(`${prefix}${i}3`)] as const
    return [row(1), row(2), row(3)]
  }

  /** Middle and half of the way from least to most. */
  range(prefix: string): { offset: Vector; half: Vector } {
    const [least, most] = [this.vector(`${prefix}Min`), this.vector(`${prefix}Max`)]
    for (const axis of ['x', 'y', 'z'] as const)
      if (most[axis] <= least[axis])
        throw new Error(`${prefix}Max${axis.toUpperCase()} is not above ${prefix}Min${axis.toUpperCase()}`)
    const of = (combine: (from: number, to: number) => number) => ({
      x: combine(least.x, most.x),
      y: combine(least.y, most.y),
      z: combine(least.z, most.z),
    })
    return { offset: of((from, to) => (from + to) / 2), half: of((from, to) => (to - from) / 2) }
  }
}
