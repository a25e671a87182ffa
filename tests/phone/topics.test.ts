import { expect, it } from 'vitest'
import { withoutCovered } from '../../phone/topics.ts'

it('a topic that a wider filter brings too is subscribed to once', () => {
  expect(
    withoutCovered(['sensor-logger', 'sensor-logger/#', 'sensor-logger/kitchen', 'other', 'sensor-loggers']),
  ).toEqual(['sensor-logger/#', 'other', 'sensor-loggers'])
  expect(withoutCovered(['a/#', 'a/b/#'])).toEqual(['a/#'])
  expect(withoutCovered([])).toEqual([])
})
