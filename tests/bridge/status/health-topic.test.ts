import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import type { Alert } from '../../../bridge/status/alerts.ts'
import type { Health } from '../../../bridge/status/health.ts'
import { HealthTopic } from '../../../bridge/status/health-topic.ts'
import { createTopics } from '../../../src/topics.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const topics = createTopics('sensehat', 'homeassistant')

function speaker() {
  const clock = new ManualClock()
  const said: { at: number; topic: string; payload: string; retain: boolean }[] = []
  const state = { alerts: [] as Alert[], reachable: true as boolean | null, rows: 0, refuses: false }
  const warnings: unknown[] = []
  const topic = new HealthTopic({
    clock,
    log: pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) }),
    topics,
    status: {
      glance: () => ({ alerts: state.alerts, reachable: state.reachable }),
      health: () => ({ rows_waiting: state.rows, alerts: state.alerts.length }) as never as Health,
    },
    publish: async (name, payload, { retain }) => {
      if (state.refuses) throw new Error('Not authorized')
      said.push({ at: clock.monotonic(), topic: name, payload, retain })
    },
  })
  return { clock, said, state, topic, warnings }
}

const held: Alert = { code: 'held', message: 'held', since: 0 }

describe("the bridge's health", () => {
  it('is retained, and said with each connection', async () => {
    const { clock, said, topic } = speaker()
    topic.connected()
    topic.disconnected()
    await clock.advance(600_000)
    topic.connected()
    expect(said.map(({ topic: name, retain }) => [name, retain])).toEqual([
      ['sensehat/bridge/health', true],
      ['sensehat/bridge/health', true],
    ])
  })

  it('is said every minute when a number has changed, and not when none has', async () => {
    const { clock, said, state, topic } = speaker()
    topic.connected()
    for (let second = 0; second < 180; second++) {
      state.rows++
      await clock.advance(1_000)
    }
    expect(said.map(({ at }) => at)).toEqual([0, 60_000, 120_000, 180_000])
    await clock.advance(3_600_000)
    expect(said.length).toBe(4)
    state.rows++
    await clock.advance(1_000)
    expect(said.length).toBe(5)
  })

  it('is said at once when a problem comes or goes, and when Snowflake cannot be reached any more', async () => {
    const { clock, said, state, topic } = speaker()
    topic.connected()
    await clock.advance(5_000)
    state.alerts = [held]
    await clock.advance(1_000)
    expect(said.length).toBe(2)
    await clock.advance(10_000)
    state.alerts = []
    await clock.advance(1_000)
    state.reachable = false
    await clock.advance(1_000)
    expect(said.length).toBe(4)
  })

  it('leaves a second at least between two, however fast problems come', async () => {
    const { clock, said, state, topic } = speaker()
    topic.connected()
    for (let i = 0; i < 100; i++) {
      state.alerts = i % 2 === 0 ? [held] : []
      await clock.advance(130)
    }
    const gaps = said.slice(1).map(({ at }, i) => at - (said[i]?.at ?? 0))
    expect(said.length).toBeGreaterThan(3)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000)
  })

  it('that the broker refuses is told of once, until it takes one', async () => {
    const { clock, said, state, topic, warnings } = speaker()
    state.refuses = true
    topic.connected()
    for (let minute = 0; minute < 5; minute++) {
      state.rows++
      await clock.advance(60_000)
    }
    expect(warnings.length).toBe(1)
    state.refuses = false
    state.rows++
    await clock.advance(60_000)
    expect(said.length).toBe(1)
  })

  it('is said again when Home Assistant has started, but not without a connection', () => {
    const { said, topic } = speaker()
    topic.sayAgain()
    expect(said).toEqual([])
    topic.connected()
    topic.sayAgain()
    expect(said.length).toBe(2)
  })
})
