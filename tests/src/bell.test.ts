import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bell } from '../../src/bell.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'

function watch(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false }
  void promise.then(() => {
    state.done = true
  })
  return state
}

describe('Bell', () => {
  it('keeps a waiter until it rings', async () => {
    const bell = new Bell()
    const waiter = watch(bell.wait())
    await settled()
    expect(waiter.done).toBe(false)
    bell.ring()
    await settled()
    expect(waiter.done).toBe(true)
  })

  it('remembers a ring that nobody waited for, once', async () => {
    const bell = new Bell()
    bell.ring()
    bell.ring()
    await bell.wait()
    const second = watch(bell.wait())
    await settled()
    expect(second.done).toBe(false)
  })

  it('lets go when the time is up, and leaves no timer behind when it rings before', async () => {
    const clock = new ManualClock()
    const bell = new Bell()
    const late = watch(bell.waitAtMost(100, clock))
    await clock.advance(99)
    expect(late.done).toBe(false)
    await clock.advance(1)
    expect(late.done).toBe(true)
    const early = watch(bell.waitAtMost(100, clock))
    bell.ring()
    await settled()
    expect(early.done).toBe(true)
    expect(clock.sleeping).toBe(0)
  })

  it('remembers a ring that comes after the time is up', async () => {
    const clock = new ManualClock()
    const bell = new Bell()
    const wait = bell.waitAtMost(100, clock)
    await clock.advance(100)
    await wait
    bell.ring()
    const next = watch(bell.wait())
    await settled()
    expect(next.done).toBe(true)
  })

  it('never lets work lie that was put down before a ring', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 40 }), async (gaps) => {
        const bell = new Bell()
        let put = 0
        let taken = 0
        let stop = false
        const worker = (async () => {
          while (!stop) {
            if (taken < put) taken = put
            else await bell.wait()
          }
        })()
        for (const gap of gaps) {
          for (let i = 0; i < gap; i++) await Promise.resolve()
          put++
          bell.ring()
        }
        await settled()
        expect(taken).toBe(put)
        stop = true
        bell.ring()
        await worker
      }),
    )
  })
})
