import { expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { Stop } from '../../src/stop.ts'

it('tells each listener once, and nobody who has left', () => {
  const stop = new Stop()
  const told: string[] = []
  const gone = () => told.push('gone')
  stop.addEventListener('abort', () => told.push('first'))
  stop.addEventListener('abort', gone)
  stop.addEventListener('abort', () => told.push('last'))
  stop.removeEventListener('abort', gone)
  stop.abort('enough')
  stop.abort('again')
  stop.addEventListener('abort', () => told.push('late'))
  expect([told, stop.aborted, stop.reason]).toEqual([['first', 'last'], true, 'enough'])
})

it('is silent about a listener that another takes away while all are told', () => {
  const stop = new Stop()
  const told: string[] = []
  const second = () => told.push('second')
  stop.addEventListener('abort', () => stop.removeEventListener('abort', second))
  stop.addEventListener('abort', second)
  stop.abort()
  expect(told).toEqual([])
})

it('throws its reason once it is aborted', () => {
  const stop = new Stop()
  expect(() => stop.throwIfAborted()).not.toThrow()
  stop.abort()
  expect(() => stop.throwIfAborted()).toThrow(expect.objectContaining({ name: 'AbortError' }))
})

it('ends a wait', async () => {
  const stop = new Stop()
  const waiting = systemClock().sleep(60_000, stop)
  stop.abort('enough')
  await expect(waiting).rejects.toBe('enough')
})
