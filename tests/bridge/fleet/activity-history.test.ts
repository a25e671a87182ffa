import { describe, expect, it } from 'vitest'
import { ActivityHistory } from '../../../bridge/fleet/activity-history.ts'
import { STEP_MS, STEPS } from '../../../bridge/fleet/ring.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function world() {
  const clock = new ManualClock()
  const history = new ActivityHistory(clock)
  const row = (activity: unknown, at: number, confidence: unknown = 0.9) =>
    history.passed(
      'activity.pixel',
      Buffer.from(JSON.stringify({ activity, confidence, window_end: new Date(at).toISOString() })),
    )
  const strip = () => history.strip('activity.pixel')?.activity.filter((one) => one !== null)
  return { clock, history, row, strip }
}

describe('the last hour of a phone', () => {
  it('has one activity per half minute, the last that ended in it, and lets go of what is older', async () => {
    const { clock, history, row, strip } = world()
    for (let i = 0; i < 130; i++) {
      row('stationary', clock.now())
      row(i < 120 ? 'walking' : 'running', clock.now() + 10_000)
      await clock.advance(STEP_MS)
    }
    expect(history.strip('activity.pixel')?.activity).toHaveLength(STEPS)
    expect(strip()?.slice(0, 2)).toEqual(['walking', 'walking'])
    expect(strip()?.filter((one) => one === 'running')).toHaveLength(10)
    await clock.advance(2 * STEPS * STEP_MS)
    expect(strip()).toEqual([])
  })

  it('is what is newest, also when something older comes after it', () => {
    const { clock, history, row, strip } = world()
    row('running', clock.now())
    row('walking', clock.now() - 5 * STEP_MS)
    expect(history.last('activity.pixel')).toMatchObject({ activity: 'running', confidence: 0.9 })
    expect(strip()).toEqual(['walking', 'running'])
  })

  it('knows nothing of rows that tell no activity', () => {
    const { clock, history, row } = world()
    row(null, clock.now())
    row('walking', clock.now(), 'high')
    history.passed('activity.other', Buffer.from('{"activity":"walking"}'))
    expect(history.last('activity.pixel')?.confidence).toBeNull()
    expect(history.strip('activity.other')).toBeUndefined()
    history.forget('activity.pixel')
    expect(history.last('activity.pixel')).toBeUndefined()
  })
})
