import { describe, expect, it } from 'vitest'
import { StatePolicy, stateOf } from '../../../publisher/home-assistant/state.ts'
import { Intervals } from '../../../publisher/intervals.ts'
import { reading } from '../support.ts'

const tenSeconds = new Intervals({ interval: 1, state_interval: 10 })

describe('state', () => {
  const calm = { temperature: 21, pitch: 359 }

  it('is told at first, then each interval', () => {
    const policy = new StatePolicy(tenSeconds)
    expect(policy.due(reading(1), 0)).toBe(true)
    policy.told(reading(1, 'aaaaaaaa', calm), 0)
    expect(policy.due(reading(2, 'aaaaaaaa', calm), 9_000)).toBe(false)
    expect(policy.due(reading(2, 'aaaaaaaa', calm), 9_999)).toBe(true)
  })

  it('is told earlier when a value has left its deadband, but never within a second', () => {
    const policy = new StatePolicy(tenSeconds)
    policy.told(reading(1, 'aaaaaaaa', calm), 0)
    const warmer = reading(2, 'aaaaaaaa', { ...calm, temperature: 21.3 })
    expect(policy.due(warmer, 999)).toBe(false)
    expect(policy.due(warmer, 1_000)).toBe(true)
    expect(policy.due(reading(3, 'aaaaaaaa', { ...calm, temperature: 21.1 }), 2_000)).toBe(false)
  })

  it('takes light for another when more than half of it has come or gone: it is counted, and counting has noise', () => {
    const at = (illuminance: number) => reading(1, 'aaaaaaaa', { illuminance })
    for (const [before, after, due] of [
      [20, 69, false],
      [20, 71, true],
      [400, 600, false],
      [400, 650, true],
      [400, 150, true],
    ] as const) {
      const policy = new StatePolicy(tenSeconds)
      policy.told(at(before), 0)
      expect(policy.due(at(after), 2_000), `${before} to ${after} lx`).toBe(due)
    }
  })

  it('knows that 359° and 1° are near, and that a value gone is news', () => {
    const policy = new StatePolicy(tenSeconds)
    policy.told(reading(1, 'aaaaaaaa', calm), 0)
    expect(policy.due(reading(2, 'aaaaaaaa', { ...calm, pitch: 1 }), 2_000)).toBe(false)
    expect(policy.due(reading(2, 'aaaaaaaa', { ...calm, pitch: 20 }), 2_000)).toBe(true)
    expect(policy.due(reading(2, 'aaaaaaaa', { ...calm, temperature: null }), 2_000)).toBe(true)
  })

  it('is rounded for people, null where nothing was measured', () => {
    const state = stateOf(reading(1, 'aaaaaaaa', { temperature: 21.27, pitch: 359.8, accel_x: -0.0001 }))
    expect(state).toMatchObject({ temperature: 21.3, pitch: 0, accel_x: 0, humidity: null })
  })
})
