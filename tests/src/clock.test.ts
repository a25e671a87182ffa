import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { within } from '../../src/within.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'

describe.each([
  ['the system clock', systemClock()],
  ['the manual clock', new ManualClock()],
])('%s', (_name, clock) => {
  it('ends a sleep with the reason of the signal, before it or during it', async () => {
    await expect(clock.sleep(1e9, AbortSignal.abort('before'))).rejects.toBe('before')
    const stop = new AbortController()
    const sleep = clock.sleep(1e9, stop.signal)
    stop.abort('during')
    await expect(sleep).rejects.toBe('during')
  })
})

describe('the system clock', () => {
  it('does not fire at once when asked to sleep longer than a timer can', async () => {
    const stop = new AbortController()
    const sleep = systemClock().sleep(2 ** 40, stop.signal)
    await settled()
    stop.abort('still asleep')
    await expect(sleep).rejects.toBe('still asleep')
  })
})

describe('within', () => {
  it('waits for the work when that is done in time, and its deadline is over', async () => {
    const clock = new ManualClock()
    await within(1_000, clock, () => Promise.resolve())
    expect(clock.sleeping).toBe(0)
  })

  it('goes on at the deadline, and tells the work', async () => {
    const clock = new ManualClock()
    let told: AbortSignal | undefined
    const waiting = within(1_000, clock, (signal) => {
      told = signal
      return new Promise(() => undefined)
    })
    await clock.advance(999)
    expect(told?.aborted).toBe(false)
    await clock.advance(1)
    await waiting
    expect(told?.aborted).toBe(true)
  })

  it('rejects with the work', async () => {
    await expect(within(1_000, new ManualClock(), () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  })
})
