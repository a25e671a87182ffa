import { expect, it } from 'vitest'
import { Events } from '../../src/events.ts'
import { silentLog } from '../../src/log.ts'

it('a listener that throws hurts neither the others nor who tells', () => {
  const events = new Events<{ happened: [what: string] }>(silentLog())
  const heard: string[] = []
  events.on('happened', () => {
    throw new Error('a bad listener')
  })
  const off = events.on('happened', (what) => heard.push(what))
  events.emit('happened', 'first')
  off()
  events.emit('happened', 'second')
  expect(heard).toEqual(['first'])
})
