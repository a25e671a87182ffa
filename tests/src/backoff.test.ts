import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../src/backoff.ts'

const policy = { firstMs: 500, maxMs: 30_000 }
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('backoff', () => {
  it('waits never longer than the policy allows, and never nothing', () => {
    fc.assert(
      fc.property(fc.nat(10_000), random, (attempt, chance) => {
        const ms = backoffMs(attempt, policy, () => chance)
        expect(ms).toBeLessThanOrEqual(policy.maxMs)
        expect(ms).toBeGreaterThanOrEqual(policy.firstMs / 10)
      }),
    )
  })

  it('never waits less at a later attempt, given the same chance', () => {
    fc.assert(
      fc.property(fc.nat(60), random, (attempt, chance) => {
        expect(backoffMs(attempt + 1, policy, () => chance)).toBeGreaterThanOrEqual(
          backoffMs(attempt, policy, () => chance),
        )
      }),
    )
  })

  it('doubles its bound from the first retry on, and spreads over nearly all of it', () => {
    const bounds = [0, 1, 2, 3].map((attempt) => backoffMs(attempt, policy, () => 1))
    expect(bounds).toEqual([500, 1_000, 2_000, 4_000])
    expect(backoffMs(3, policy, () => 0)).toBe(400)
  })
})
