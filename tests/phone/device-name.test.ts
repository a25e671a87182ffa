import fc from 'fast-check'
import { expect, it } from 'vitest'
import { deviceName } from '../../phone/device-name.ts'
import { isHostname } from '../../src/hostname.ts'

it('a phone goes by its id where that can be a name', () => {
  expect(deviceName('c0f1b7a2-58d3-4e8c-bb0e-1d2c3b4a5968')).toBe('c0f1b7a2-58d3-4e8c-bb0e-1d2c3b4a5968')
})

it('an id that had to be changed bears the beginning of its hash, so that two phones never share a name', () => {
  expect(deviceName('My Phone')).toMatch(/^my-phone-[0-9a-f]{8}$/)
  expect(deviceName('my phone')).not.toBe(deviceName('My Phone'))
  expect(deviceName('电话')).toMatch(/^phone-[0-9a-f]{8}$/)
})

it('is never the name of a topic of our own', () => {
  for (const id of ['receiver', 'bridge', 'elastic']) expect(deviceName(id)).not.toBe(id)
})

it('is always a device key with room for the name of a route, and another one for another id', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 256, unit: 'grapheme' }), fc.string({ minLength: 1 }), (a, b) => {
      expect(isHostname(deviceName(a))).toBe(true)
      expect(deviceName(a).length).toBeLessThanOrEqual(54)
      if (a !== b) expect(deviceName(a)).not.toBe(deviceName(b))
    }),
  )
})
