import { describe, expect, it } from 'vitest'
import { Seen } from '../../../phone/intake/seen.ts'

const message = (deviceId: string, sessionId: string, messageId: number) => ({ deviceId, sessionId, messageId })

describe('messages that were seen', () => {
  it('are known again: the last 128 of a recording that goes on, after a restart too', () => {
    const seen = new Seen()
    for (let i = 0; i < 300; i++) seen.add(message('a', 's', i), `hash ${i}`)
    const restarted = new Seen(JSON.parse(JSON.stringify(seen.saved())))
    for (const one of [seen, restarted]) {
      expect(one.look(message('a', 's', 299), 'hash 299')).toHaveProperty('duplicateOf')
      expect(one.look(message('a', 's', 172), 'hash 172')).toHaveProperty('duplicateOf')
      expect(one.look(message('a', 's', 171), 'hash 171')).toBe('new')
      expect(one.look(message('a', 's', 299), 'another')).toBe('conflict')
    }
  })

  it('take little room once the phone has begun another recording, and say nothing about other phones', () => {
    const seen = new Seen()
    for (let i = 0; i < 100; i++) for (const phone of ['a', 'a b']) seen.add(message(phone, 's', i), `hash ${i}`)
    seen.add(message('a', 't', 0), 'hash')
    expect(seen.look(message('a', 's', 84), 'hash 84')).toHaveProperty('duplicateOf')
    expect(seen.look(message('a', 's', 83), 'hash 83')).toBe('new')
    expect(seen.look(message('a b', 's', 0), 'hash 0')).toHaveProperty('duplicateOf')
  })

  it('are forgotten where they could not be stored', async () => {
    const seen = new Seen()
    const stored = Promise.reject(new Error('full'))
    seen.add(message('a', 's', 0), 'hash', stored)
    expect(seen.look(message('a', 's', 0), 'hash')).toHaveProperty('duplicateOf')
    await stored.catch(() => undefined)
    await Promise.resolve()
    expect(seen.look(message('a', 's', 0), 'hash')).toBe('new')
  })
})
