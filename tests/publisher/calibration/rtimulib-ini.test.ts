import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { corrected } from '../../../publisher/calibration/affine.ts'
import { calibrated, type InertialCalibration } from '../../../publisher/calibration/inertial-calibration.ts'
import { determinant, times, transposed } from '../../../publisher/calibration/matrix3.ts'
import { MOUNTINGS, mountingOf } from '../../../publisher/calibration/mounting.ts'
import { readRtimulibIni } from '../../../publisher/calibration/rtimulib-ini.ts'
import { length, scaled, type Vector } from '../../../publisher/sensors/rotation.ts'
import { vectors } from '../orientation/support.ts'

const RANGE = `
CompassCalValid=true
CompassCalMinX=-55.2
CompassCalMinY=-34.1
CompassCalMinZ=-60.0
CompassCalMaxX=12.8
CompassCalMaxY=41.9
CompassCalMaxZ=22.0
`
const ELLIPSOID = `
compassCalEllipsoidValid=true
compassCalOffsetX=1.5
compassCalOffsetY=-2
compassCalOffsetZ=0.5
compassCalCorr11=0.97
compassCalCorr12=0.01
compassCalCorr13=0.02
compassCalCorr21=0.01
compassCalCorr22=0.99
compassCalCorr23=-0.01
compassCalCorr31=0.02
compassCalCorr32=-0.01
compassCalCorr33=1.01
`
const ACCEL = `
AccelCalValid=true
AccelCalMinX=-1.05
AccelCalMinY=-0.95
AccelCalMinZ=-1.02
AccelCalMaxX=0.98
AccelCalMaxY=1.03
AccelCalMaxZ=1.01
`

/** What a board with that calibration makes of a field. */
const fieldOf = (calibration: InertialCalibration, field: Vector) =>
  calibrated({ motion: null, magnetic: { field, at: 0 } }, calibration).magnetic?.field ?? null
const unit = (v: Vector) => scaled(v, 1 / length(v))

/** RTIMULib's own arithmetic, steps 1 and 2. */
function asRtimulib(v: Vector, ellipsoid: boolean): Vector {
  const first = { x: (v.x + 21.2) * (41 / 34), y: (v.y - 3.9) * (41 / 38), z: v.z + 19 }
  if (!ellipsoid) return first
  const [x, y, z] = [first.x - 1.5, first.y + 2, first.z - 0.5]
  return {
    x: 0.97 * x + 0.01 * y + 0.02 * z,
    y: 0.01 * x + 0.99 * y - 0.01 * z,
    z: 0.02 * x - 0.01 * y + 1.01 * z,
  }
}

describe('the range of a compass', () => {
  it('is taken to its middle and stretched to the largest, as in the known case', () => {
    const { field } = readRtimulibIni(RANGE)
    const made = field && corrected(field, { x: 0, y: 20, z: -30 })
    const ratio = made === null ? 0 : length(made) / Math.hypot(25.564706, 17.371053, 11)
    expect(made?.x).toBeCloseTo(25.564706 * ratio, 6)
    expect(made?.y).toBeCloseTo(17.371053 * ratio, 6)
    expect(made?.z).toBeCloseTo(-11 * ratio, 6)
    // The mean of the half ranges, and not the largest: the field keeps its strength.
    expect(ratio).toBeCloseTo(Math.cbrt(34 * 38 * 41) / 41, 6)
  })

  it.each([false, true])('and the ellipsoid (%s) give the direction RTIMULib gives', (ellipsoid) => {
    const calibration = readRtimulibIni(RANGE + (ellipsoid ? ELLIPSOID : ''))
    fc.assert(
      fc.property(vectors(60), (v) => {
        const theirs = asRtimulib(v, ellipsoid)
        fc.pre(length(theirs) > 1)
        const [ours, wanted] = [unit(fieldOf(calibration, v) ?? v), unit(theirs)]
        for (const axis of ['x', 'y', 'z'] as const) expect(ours[axis]).toBeCloseTo(wanted[axis], 9)
      }),
    )
  })

  it('is needed for the ellipsoid, which is nothing without it', () => {
    expect(readRtimulibIni(ELLIPSOID).field).toBeNull()
    expect(readRtimulibIni(RANGE.replace('=true', '=false')).field).toBeNull()
  })
})

describe('the other lines', () => {
  it('the ends of each axis of the accelerometer are 1 g', () => {
    const { accel } = readRtimulibIni(ACCEL)
    expect(accel && corrected(accel, { x: 0.98, y: -0.95, z: 1.01 })).toEqual({
      x: expect.closeTo(1, 9),
      y: expect.closeTo(-1, 9),
      z: expect.closeTo(1, 9),
    })
  })

  it('bias and declination, which is subtracted there, in radians', () => {
    const { gyroBias, declination } = readRtimulibIni(
      'GyroBiasValid=true\nGyroBiasX=0.01\nGyroBiasY=-0.02\nGyroBiasZ=0.03\ncompassAdjDeclination=-0.0523598776\n',
    )
    expect([gyroBias, declination]).toEqual([{ x: 0.01, y: -0.02, z: 0.03 }, expect.closeTo(3, 6)])
  })

  it('an untouched file calibrates nothing', () => {
    const text = '# comment\n\nIMUType=6\nFusionType=2\r\nCompassCalValid=false\nAccelCalValid=false\nAxisRotation=0\n'
    expect(readRtimulibIni(text)).toEqual({ accel: null, field: null, mounting: null, gyroBias: null, declination: 0 })
  })
})

describe('a mounting', () => {
  it('is a turn of the axes for each of the 24 codes, each another', () => {
    const all = Array.from({ length: MOUNTINGS }, (_, code) => mountingOf(code))
    for (const one of all) expect(determinant(one)).toBe(1)
    expect(new Set(all.map((one) => JSON.stringify(one.map((row) => row.map((entry) => entry + 0))))).size).toBe(24)
  })

  it.each([
    [0, [1, 0, 0, 0, 1, 0, 0, 0, 1]],
    [1, [0, -1, 0, 1, 0, 0, 0, 0, 1]],
    [5, [0, 1, 0, 1, 0, 0, 0, 0, -1]],
    [8, [0, 1, 0, 0, 0, -1, -1, 0, 0]],
    [13, [0, 0, -1, 0, 1, 0, 1, 0, 0]],
    [17, [0, 0, -1, 1, 0, 0, 0, -1, 0]],
  ])('of code %d is the one of RTIMULib', (code, entries) => {
    expect(mountingOf(code).flatMap((row) => row.map((entry) => entry + 0))).toEqual(entries)
  })

  it('comes before the calibration, as in RTIMULib, whatever the code', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 23 }), vectors(60), (code, v) => {
        const calibration = readRtimulibIni(`${RANGE}${ELLIPSOID}AxisRotation=${code}\n`)
        const theirs = asRtimulib(times(mountingOf(code), v), true)
        fc.pre(length(theirs) > 1)
        const [ours, wanted] = [unit(fieldOf(calibration, v) ?? v), unit(theirs)]
        for (const axis of ['x', 'y', 'z'] as const) expect(ours[axis]).toBeCloseTo(wanted[axis], 9)
        expect(times(transposed(mountingOf(code)), times(mountingOf(code), v))).toEqual({
          x: expect.closeTo(v.x, 9),
          y: expect.closeTo(v.y, 9),
          z: expect.closeTo(v.z, 9),
        })
      }),
    )
  })

  it('turns acceleration and turn alike', () => {
    const calibration = readRtimulibIni('AxisRotation=1\n')
    const { motion } = calibrated(
      { motion: { accel: { x: 1, y: 2, z: 3 }, gyro: { x: 4, y: 5, z: 6 }, at: 7 }, magnetic: null },
      calibration,
    )
    expect(motion).toEqual({ accel: { x: -2, y: 1, z: 3 }, gyro: { x: -5, y: 4, z: 6 }, at: 7 })
  })
})

describe('a file that cannot be used is told in a sentence', () => {
  it.each([
    ['CompassCalValid=yes', 'CompassCalValid is "yes", neither true nor false'],
    [RANGE.replace('12.8', 'much'), 'CompassCalMaxX is "much", which is no number'],
    [RANGE.replace('CompassCalMinZ=-60.0\n', ''), 'CompassCalMinZ is missing'],
    [RANGE.replace('12.8', '-60'), 'CompassCalMaxX is not above CompassCalMinX'],
    ['AxisRotation=24', 'AxisRotation is 24; there are 0 to 23'],
    ['IMUType=7', 'IMUType is 7: it was written for another chip than the LSM9DS1, which is 6'],
    ['[section]', 'line 1 is no key=value: "[section]"'],
    [`${RANGE}${ELLIPSOID}compassCalCorr33=-1\n`, 'compassCalCorr11 to 33 squeeze the field flat, or mirror it'],
  ])('%j', (text, sentence) => {
    expect(() => readRtimulibIni(text)).toThrow(sentence)
  })
})
