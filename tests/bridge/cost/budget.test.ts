import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import type { CostSettings } from '../../../bridge/config.ts'
import { type BudgetLevel, BudgetWatch, monthCost } from '../../../bridge/cost/budget.ts'
import type { BridgeEventMap } from '../../../bridge/events.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'
import { dayEnd, dayStart } from '../../../bridge/status/local-day.ts'
import type { Day } from '../../../bridge/status/today.ts'
import { openToday } from '../../../bridge/status/today-keeper.ts'
import { Events } from '../../../src/events.ts'
import { defaultSettings } from '../../support/bridge-settings.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { eventually } from '../../support/eventually.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A credit for a gigabyte, and one unit of money for a credit. */
const settings: CostSettings = { ...defaultSettings.cost, credits_per_gb: 1, price_per_credit: 1, budget_per_month: 30 }
const GB = 1e9
const at = (day: number, hour = 0) => new Date(2026, 10, day, hour).getTime()
const day = (n: number, gigabytes: number): Day => ({
  missing: 0,
  rejected: 0,
  bytes: 2 * gigabytes * GB,
  billed: gigabytes * GB,
  from: at(n),
  start: dayStart(at(n)),
  end: dayEnd(at(n)),
})

describe('the budget of a month', () => {
  it('is none of anybody’s business where none is set, or no price', () => {
    const days = [day(1, 100)]
    expect(monthCost(days, at(2), { ...settings, budget_per_month: 0 })).toMatchObject({ budget: null, level: null })
    expect(monthCost(days, at(2), { ...settings, price_per_credit: 0 })).toMatchObject({ soFar: null, level: null })
  })

  it('is kept, in danger, or spent', () => {
    expect(monthCost([day(1, 0.9)], at(2), settings)).toEqual({ soFar: 0.9, atEnd: 27, budget: 30, level: 'within' })
    expect(monthCost([day(1, 1.5)], at(2), settings)).toEqual({ soFar: 1.5, atEnd: 45, budget: 30, level: 'projected' })
    expect(monthCost([day(1, 30)], at(2), settings)).toMatchObject({ soFar: 30, level: 'exceeded' })
  })

  it('stays in danger until there is some room again: a rate goes up and down', () => {
    expect(monthCost([day(1, 0.99)], at(2), settings, 'projected').level).toBe('projected')
    expect(monthCost([day(1, 0.94)], at(2), settings, 'projected').level).toBe('within')
  })

  it('is told of once at each level and month, whatever a restart forgets', () => {
    const clock = new ManualClock(at(2))
    const told: BudgetLevel[] = []
    const look = (watch: BudgetWatch, gigabytes: number) =>
      watch.look([day(1, gigabytes)], settings, (level) => told.push(level))
    const first = new BudgetWatch(clock)
    look(first, 0.5)
    expect(told).toEqual([])
    for (const gigabytes of [2, 0.5, 2]) look(first, gigabytes)
    expect(told).toEqual(['projected'])
    const second = new BudgetWatch(clock, first.told)
    look(second, 2)
    look(second, 31)
    look(second, 32)
    expect(told).toEqual(['projected', 'exceeded'])
    clock.setWall(new Date(2026, 11, 2).getTime())
    const december = { ...day(1, 40), start: new Date(2026, 11, 1).getTime(), from: new Date(2026, 11, 1).getTime() }
    second.look([december], settings, (level) => told.push(level))
    expect(told).toEqual(['projected', 'exceeded', 'exceeded'])
  })
})

describe('a budget in a bridge', () => {
  async function start(dir: string, clock: ManualClock) {
    const lines: Record<string, unknown>[] = []
    const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) })
    const keeper = await openToday(dir, { clock, log, cost: settings })
    const spool = new MemorySpool(1e6)
    const events = new Events<BridgeEventMap>(log)
    const warned: string[] = []
    keeper.onWarned = (hostname) => warned.push(hostname)
    keeper.watch(spool, events)
    return { keeper, events, lines, warned }
  }

  it('is logged once, and stands in the ledger of the dearest device alone', async () => {
    const dir = temporaryDirectory()
    const clock = new ManualClock(at(10, 12))
    const first = await start(dir, clock)
    first.events.emit('batch:appended', 'cheap', 1, GB, 'rows', GB)
    first.events.emit('batch:appended', 'dear', 1, 60 * GB, 'rows', 40 * GB)
    // It writes between its looks, for which no clock waits.
    await eventually('the warning', async () => {
      await clock.advance(10_000)
      return first.lines.length > 0
    })
    await clock.advance(60_000)
    expect(first.lines).toHaveLength(1)
    expect(first.lines[0]).toMatchObject({ budget: 30, soFar: 41, currency: 'USD', dearest: ['dear', 'cheap'] })
    expect(first.warned).toEqual(['dear'])
    const note = { level: 'exceeded', bytes_month: 40 * GB, cost_month: 40, currency: 'USD' }
    expect(first.keeper.budgetOf('dear')).toEqual(note)
    expect(first.keeper.budgetOf('cheap')).toBeUndefined()
    await first.keeper.close()

    const second = await start(dir, clock)
    await eventually('a look', async () => {
      await clock.advance(10_000)
      return second.keeper.budgetOf('dear') !== undefined
    })
    await clock.advance(60_000)
    expect(second.lines).toEqual([])
    expect(second.keeper.budgetOf('dear')).toEqual(note)
    expect(second.keeper.today.devices.of('cheap').billedMonth).toBe(GB)
    await second.keeper.close()
  })
})
