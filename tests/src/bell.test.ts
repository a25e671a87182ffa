import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bell } from '../../src/bell.ts'
import { settled } from '../support/manual-clock.ts'

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

  it('lets go when the other promise settles', async () => {
    await new Bell().wait(Promise.resolve())
    await expect(new Bell().wait(Promise.reject(new Error('late')))).rejects.toThrow('late')
  })

  it('remembers a ring that comes after the other promise has settled', async () => {
    const bell = new Bell()
    await bell.wait(Promise.resolve())
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
