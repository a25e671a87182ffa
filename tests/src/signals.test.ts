import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { aborted, type SignalSource, stopOnSignals } from '../../src/signals.ts'

function fakeProcess(): SignalSource & EventEmitter & { exits: number[] } {
  const exits: number[] = []
  return Object.assign(new EventEmitter(), { exits, exit: (code: number) => exits.push(code) })
}

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('the first %s asks for a clean stop and ends nothing', async (name) => {
    const process = fakeProcess()
    const { stop } = stopOnSignals(process)
    expect(stop.aborted).toBe(false)
    process.emit(name)
    await aborted(stop)
    expect(stop.reason).toBe(name)
    expect(process.exits).toEqual([])
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a second signal, %s, ends the process with %i', (name, code) => {
    const process = fakeProcess()
    stopOnSignals(process)
    process.emit('SIGTERM')
    process.emit(name)
    expect(process.exits).toEqual([code])
  })

  it('are left alone after release', () => {
    const process = fakeProcess()
    const { stop, release } = stopOnSignals(process)
    release()
    process.emit('SIGINT')
    expect(stop.aborted).toBe(false)
    expect(process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')).toBe(0)
  })
})
