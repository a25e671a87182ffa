import { expect, it } from 'vitest'
import { mustBeTheApps, withoutCovered } from '../../phone/topics.ts'

it('a topic that a wider filter brings too is subscribed to once', () => {
  expect(
    withoutCovered(['sensor-logger', 'sensor-logger/#', 'sensor-logger/kitchen', 'other', 'sensor-loggers']),
  ).toEqual(['sensor-logger/#', 'other', 'sensor-loggers'])
  expect(withoutCovered(['a/#', 'a/b/#'])).toEqual(['a/#'])
  expect(withoutCovered([])).toEqual([])
})

it('a topic of our own is none of the app: what came there would be left out', () => {
  const own = ['phones', 'sensehat', 'homeassistant']
  expect(() => mustBeTheApps(['sensor-logger', 'phones-of-others/#', '#'], own)).not.toThrow()
  for (const filter of ['phones', 'phones/kitchen', 'homeassistant/#'])
    expect(() => mustBeTheApps(['sensor-logger', filter], own)).toThrow(filter)
})
