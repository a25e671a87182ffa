import type { Clock } from '../../src/clock.ts'
import type { CostSettings } from '../config.ts'
import { dayName, monthName } from '../status/local-day.ts'
import type { Day } from '../status/today.ts'
import { costOf, isPriced, monthBytes, monthBytesSoFar } from './cost.ts'

/** `projected`: at this rate it will be exceeded before the month ends. */
export const BUDGET_LEVELS = ['within', 'projected', 'exceeded'] as const

export type BudgetLevel = (typeof BUDGET_LEVELS)[number]

/** What this month costs, in the settings' currency; `null` where the settings name no price, or nothing is known yet. */
export interface MonthCost {
  readonly soFar: number | null
  readonly atEnd: number | null
  /** `null` where the settings name none. */
  readonly budget: number | null
  /** `null` without a budget. */
  readonly level: BudgetLevel | null
}

/** What is projected falls below this share of the budget before it is called within again: a rate goes up and down. */
const WITHIN_AGAIN = 0.95

/** `before`: the level that was found last. */
export function monthCost(days: readonly Day[], now: number, settings: CostSettings, before?: BudgetLevel): MonthCost {
  if (!isPriced(settings)) return { soFar: null, atEnd: null, budget: null, level: null }
  const month = monthBytes(days, now)
  const soFar = costOf(monthBytesSoFar(days, now), settings)
  const atEnd = month === undefined ? null : costOf(month, settings)
  const budget = settings.budget_per_month > 0 ? settings.budget_per_month : null
  if (budget === null) return { soFar, atEnd, budget, level: null }
  const bar = before === undefined || before === 'within' ? budget : budget * WITHIN_AGAIN
  const level = soFar >= budget ? 'exceeded' : (atEnd ?? soFar) > bar ? 'projected' : 'within'
  return { soFar, atEnd, budget, level }
}

/** What was told of a budget, and of which month: a restart tells nothing twice. */
export interface ToldBudget {
  /** `2026-11`. */
  readonly month: string
  readonly level: BudgetLevel
}

/** Follows the level of the budget through the month, and says when it gets worse: each level once a month. */
export class BudgetWatch {
  readonly #clock: Clock
  #told: ToldBudget | undefined
  #level: BudgetLevel | undefined

  constructor(clock: Clock, told?: ToldBudget) {
    this.#clock = clock
    this.#told = told
  }

  /** What is to be kept over a restart. */
  get told(): ToldBudget | undefined {
    return this.#told
  }

  /** As it was found last; `undefined` before, and without a budget. */
  get level(): BudgetLevel | undefined {
    return this.#level
  }

  /** As it is now; `worse` hears of a level that nobody was told of this month. */
  look(days: readonly Day[], settings: CostSettings, worse?: (level: BudgetLevel, cost: MonthCost) => void): MonthCost {
    const now = this.#clock.now()
    const cost = monthCost(days, now, settings, this.#level)
    this.#level = cost.level ?? undefined
    if (cost.level === null || worse === undefined) return cost
    const month = monthName(dayName(now))
    const told = this.#told?.month === month ? this.#told.level : 'within'
    if (BUDGET_LEVELS.indexOf(cost.level) > BUDGET_LEVELS.indexOf(told)) {
      this.#told = { month, level: cost.level }
      worse(cost.level, cost)
    }
    return cost
  }
}
