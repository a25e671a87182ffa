import { expect, it, onTestFinished } from 'vitest'
import type { Status } from '../../publisher/matrix/signs.ts'
import { type Fare, PanelStatus } from '../../publisher/panel-status.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** A Pi that takes a reading a second; `fare` says what else goes on. */
function pi(begin: Partial<Fare> = {}) {
  const clock = new ManualClock()
  const shown: (Status | undefined)[] = []
  const fare = { connected: true, held: 0, gone: 0, trouble: false, ...begin }
  const status = new PanelStatus(
    () => fare,
    (now) => shown.push(now),
    clock,
  )
  onTestFinished(() => status.close())
  /** So many seconds, in each of which so many readings come into the table. */
  const pass = async (seconds: number, committed: number) => {
    for (let i = 0; i < seconds; i++) {
      fare.held++
      const gone = Math.min(fare.held, committed)
      fare.held -= gone
      fare.gone += gone
      await clock.advance(1_000)
    }
    return shown.at(-1)
  }
  return { fare, shown, status, pass, clock }
}

it('readings that come into the table are green', async () => {
  const { pass, shown } = pi()
  expect(await pass(300, 1)).toBe('connected')
  expect(shown).toEqual(['connected'])
})

it('nothing is said before anything is known', async () => {
  const { pass, shown } = pi({ connected: false })
  await pass(59, 0)
  expect(shown).toEqual([])
})

it('readings that wait for more than a minute are amber, until those that waited are in the table', async () => {
  const { pass, shown } = pi()
  await pass(10, 1)
  await pass(55, 0)
  expect(shown).toEqual(['connected'])
  expect(await pass(10, 0)).toBe('backlog')
  expect(await pass(20, 1)).toBe('backlog')
  await pass(120, 5)
  expect(shown).toEqual(['connected', 'backlog', 'connected'])
})

it('a backlog that shrinks too slowly stays one', async () => {
  const { pass, shown } = pi({ held: 1_000 })
  expect(await pass(61, 2)).toBe('backlog')
  await pass(300, 2)
  expect(shown).toEqual(['backlog'])
})

it('a broker that is away for a minute is amber, also when nothing waits', async () => {
  const { fare, pass, clock, shown } = pi()
  await pass(5, 1)
  fare.connected = false
  await clock.advance(59_000)
  expect(shown).toEqual(['connected'])
  await clock.advance(3_000)
  expect(shown).toEqual(['connected', 'backlog'])
  fare.connected = true
  await clock.advance(3_000)
  expect(shown.at(-1)).toBe('connected')
})

it('a problem is red, whatever else, and then it is as it was', async () => {
  const { fare, pass, shown } = pi()
  await pass(5, 1)
  fare.trouble = true
  expect(await pass(5, 1)).toBe('error')
  fare.trouble = false
  expect(await pass(5, 1)).toBe('connected')
  expect(shown).toEqual(['connected', 'error', 'connected'])
})

it('nothing comes after the end', async () => {
  const { fare, pass, status, shown } = pi()
  await pass(5, 1)
  status.close()
  fare.trouble = true
  await pass(5, 1)
  expect(shown).toEqual(['connected'])
})
