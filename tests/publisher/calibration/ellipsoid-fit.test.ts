import fc from 'fast-check'
import { expect, it } from 'vitest'
import { corrected } from '../../../publisher/calibration/affine.ts'
import { fitEllipsoid } from '../../../publisher/calibration/ellipsoid-fit.ts'
import { diagonal, eigen, product, times, transposed } from '../../../publisher/calibration/matrix3.ts'
import { length, minus, plus, type Vector } from '../../../publisher/sensors/rotation.ts'
import { createChance } from '../../../publisher/sensors/world/chance.ts'
import { vectors } from '../orientation/support.ts'

/** Directions spread evenly over the sphere: Fibonacci's spiral. */
const DIRECTIONS: Vector[] = Array.from({ length: 400 }, (_, i) => {
  const z = 1 - (2 * (i + 0.5)) / 400
  const [r, turn] = [Math.sqrt(1 - z * z), i * 2.399963229728653]
  return { x: r * Math.cos(turn), y: r * Math.sin(turn), z }
})
const stretch = fc.double({ min: 0.85, max: 1.2, noNaN: true })
const stretches = fc.tuple(stretch, stretch, stretch)
const offsets = vectors(100)
const fields = fc.double({ min: 25, max: 65, noNaN: true })

it('an ellipsoid with the noise of the chip is found again within 1 %, wherever it is', () => {
  fc.assert(
    fc.property(offsets, stretches, fields, vectors(1), fc.integer(), (offset, stretch, field, tilt, seed) => {
      // Stretched along three axes of its own.
      const own = eigen([
        [1, tilt.x, tilt.y],
        [tilt.x, 2, tilt.z],
        [tilt.y, tilt.z, 3],
      ]).vectors
      const soft = product(product(own, diagonal(stretch)), transposed(own))
      const chance = createChance(seed)
      const noise = () => ({ x: chance.normal(0.3), y: chance.normal(0.3), z: chance.normal(0.3) })
      const shown = (d: Vector) => plus(offset, times(soft, { x: d.x * field, y: d.y * field, z: d.z * field }))
      const fit = fitEllipsoid(DIRECTIONS.map((d) => plus(shown(d), noise())))
      const strength = field * Math.cbrt(stretch[0] * stretch[1] * stretch[2])
      expect(fit && length(minus(fit.affine.offset, offset))).toBeLessThan(0.01 * strength)
      expect(fit && Math.abs(fit.radius / strength - 1)).toBeLessThan(0.01)
      expect(fit?.residual).toBeLessThan(0.02)
      for (const d of DIRECTIONS.slice(0, 20)) {
        const made = fit && corrected(fit.affine, shown(d))
        expect(made && length(minus(made, { x: d.x * strength, y: d.y * strength, z: d.z * strength }))).toBeLessThan(
          0.015 * strength,
        )
      }
    }),
    { numRuns: 40 },
  )
})

it('points that tell no ellipsoid give none', () => {
  const plane = DIRECTIONS.map(({ x, y }) => ({ x: 50 * x, y: 50 * y, z: 0 }))
  const line = DIRECTIONS.map(({ x }) => ({ x, y: x, z: x }))
  expect([fitEllipsoid([]), fitEllipsoid(DIRECTIONS.slice(0, 8)), fitEllipsoid(plane), fitEllipsoid(line)]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

it('points that are everywhere have a large residual', () => {
  const chance = createChance(1)
  const cloud = DIRECTIONS.map((d) => times(diagonal([50, 50, 50]), { x: d.x * chance.uniform(), y: d.y, z: d.z }))
  expect(fitEllipsoid(cloud)?.residual ?? 1).toBeGreaterThan(0.05)
})

it('eigenvalues and eigenvectors put a symmetric matrix together again', () => {
  fc.assert(
    fc.property(vectors(5), vectors(5), (d, o) => {
      const matrix = [
        [d.x, o.x, o.y],
        [o.x, d.y, o.z],
        [o.y, o.z, d.z],
      ] as const
      const { values, vectors: own } = eigen(matrix)
      const again = product(product(own, diagonal(values)), transposed(own))
      for (const [i, row] of matrix.entries())
        for (const [j, entry] of row.entries()) expect(again[i]?.[j]).toBeCloseTo(entry, 6)
    }),
  )
})
