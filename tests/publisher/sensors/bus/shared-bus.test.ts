import { describe, expect, it } from 'vitest'
import type { I2cBus } from '../../../../publisher/sensors/bus/bus.ts'
import { BusFault } from '../../../../publisher/sensors/bus/bus-fault.ts'
import { SharedBus } from '../../../../publisher/sensors/bus/shared-bus.ts'
import { LeapClock } from '../../../support/leap-clock.ts'
import { ManualClock, settled } from '../../../support/manual-clock.ts'

const EREMOTEIO = 121
const EBUSY = 16
const ETIMEDOUT = 110
const ENODEV = 19

/** A bus whose `readByte` does what the test says, and that counts how often it was opened and closed. */
function bus(readByte: (times: number) => Promise<number>) {
  const seen = { opened: 0, closed: 0, reads: 0 }
  const open = async (): Promise<I2cBus> => {
    seen.opened++
    return {
      readByte: () => readByte(++seen.reads),
      writeByte: async () => undefined,
      readBlock: async () => undefined,
      write: async () => undefined,
      close: async () => {
        seen.closed++
      },
    }
  }
  return { open, seen }
}

const fails = (errno: number) => Promise.reject(Object.assign(new Error(', remote'), { errno, code: '' }))

describe('a transfer', () => {
  it('that is not acknowledged is tried three times more, 10, 30 and 90 ms apart, and counted', async () => {
    const { open, seen } = bus(() => fails(EREMOTEIO))
    const clock = new LeapClock()
    const shared = new SharedBus(open, clock)
    await expect(shared.readByte(0x5f, 0x0f)).rejects.toMatchObject({ kind: 'no-answer', errno: EREMOTEIO })
    expect([seen.reads, clock.monotonic()]).toEqual([4, 130])
    expect(shared.counters).toEqual({ transfers: 4, retries: 3, failures: 1, reopens: 0 })
  })

  it('that works at the second try is no failure', async () => {
    const { open } = bus((times) => (times === 1 ? fails(5) : Promise.resolve(7)))
    const shared = new SharedBus(open, new LeapClock())
    expect(await shared.readByte(0x5f, 0x0f)).toBe(7)
    expect(shared.counters).toMatchObject({ retries: 1, failures: 0 })
  })

  it('that only asks who is there is not repeated', async () => {
    const { open, seen } = bus(() => fails(EREMOTEIO))
    await expect(new SharedBus(open, new LeapClock()).ask(0x5f, 0x0f)).rejects.toBeInstanceOf(BusFault)
    expect(seen.reads).toBe(1)
  })

  it('waits for the one before it', async () => {
    const finish: ((value: number) => void)[] = []
    const { open, seen } = bus(() => new Promise((resolve) => finish.push(resolve)))
    const shared = new SharedBus(open, new ManualClock())
    const both = Promise.all([shared.readByte(1, 0), shared.readByte(2, 0)])
    await settled()
    expect(seen.reads).toBe(1)
    finish[0]?.(1)
    await settled()
    expect(seen.reads).toBe(2)
    finish[1]?.(2)
    expect(await both).toEqual([1, 2])
  })

  it.each([
    ['a claimed address', EBUSY, 'claimed'],
    ['a bus that hangs', ETIMEDOUT, 'hung'],
    ['a bus that went away', ENODEV, 'gone'],
  ])('after %s goes over a bus opened anew, at once', async (_what, errno, kind) => {
    const { open, seen } = bus((times) => (times === 1 ? fails(errno) : Promise.resolve(7)))
    const shared = new SharedBus(open, new LeapClock())
    await expect(shared.readByte(0x5f, 0x0f)).rejects.toMatchObject({ kind })
    expect([seen.opened, seen.closed]).toEqual([1, 1])
    expect(await shared.readByte(0x5c, 0x0f)).toBe(7)
    expect([seen.opened, shared.counters.reopens]).toEqual([2, 1])
  })
})

describe('a transfer that does not end', () => {
  it('fails after a quarter of a second, and nothing else goes out until it has returned', async () => {
    let finish: (value: number) => void = () => undefined
    const { open, seen } = bus((times) =>
      times === 1 ? new Promise<number>((resolve) => (finish = resolve)) : Promise.resolve(7),
    )
    const clock = new ManualClock()
    const shared = new SharedBus(open, clock)
    const stuck = shared.readByte(0x5f, 0x0f)
    const failed = expect(stuck).rejects.toMatchObject({ kind: 'hung' })
    await clock.advance(250)
    await failed
    await expect(shared.readByte(0x5c, 0x0f)).rejects.toMatchObject({ kind: 'hung' })
    expect([seen.reads, seen.closed]).toEqual([1, 0])
    finish(1)
    await settled()
    expect(seen.closed).toBe(1)
    expect(await shared.readByte(0x5c, 0x0f)).toBe(7)
    expect(seen.opened).toBe(2)
  })
})

it('a bus that is closed takes no transfer, and those that wait reject', async () => {
  const { open, seen } = bus(() => Promise.resolve(7))
  const shared = new SharedBus(open, new LeapClock())
  await shared.readByte(1, 0)
  const waiting = shared.readByte(1, 0)
  const closed = shared.close()
  await expect(waiting).rejects.toMatchObject({ kind: 'gone' })
  await closed
  await expect(shared.readByte(1, 0)).rejects.toMatchObject({ kind: 'gone' })
  expect(seen).toEqual({ opened: 1, closed: 1, reads: 1 })
})
