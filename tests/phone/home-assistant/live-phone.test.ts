import { describe, expect, it } from 'vitest'
import { LivePhone } from '../../../phone/home-assistant/live-phone.ts'
import type { ActivityRecord } from '../../../phone/recognition/activity-record.ts'

const phone = { heardAt: Date.UTC(2026, 10, 22, 12), gaps: 2, facts: { battery: 0.834, steps: null } }

function window(activity: string, confidence: number | null): ActivityRecord {
  return { activity, confidence, avg_magnitude: 4.567 } as ActivityRecord
}

describe('what Home Assistant is shown of a phone', () => {
  it('changes when two windows in succession agree', () => {
    const live = new LivePhone(0)
    expect(live.heard(0, [window('walking', 0.6)])).toBe(true)
    expect(live.heard(0, [window('running', 0.6)])).toBe(false)
    expect(live.heard(0, [window('walking', 0.6), window('running', 0.6)])).toBe(false)
    expect(live.state(0, phone).activity).toBe('walking')
    expect(live.heard(0, [window('running', 0.6)])).toBe(true)
    expect(live.state(0, phone).activity).toBe('running')
  })

  it('changes at once when a window is sure', () => {
    const live = new LivePhone(0)
    live.heard(0, [window('walking', 0.6)])
    expect(live.heard(0, [window('stationary', 0.9)])).toBe(true)
  })

  it('is rounded for people, and unknown where there is nothing yet', () => {
    const live = new LivePhone(0)
    expect(live.state(0, phone)).toEqual({
      activity: null,
      confidence: null,
      average_magnitude: null,
      samples_per_second: null,
      last_message: '2026-11-22T12:00:00.000Z',
      gaps: 2,
      battery: 83,
      steps: null,
    })
    live.heard(0, [window('walking', 0.876)])
    expect(live.state(0, phone)).toMatchObject({ confidence: 88, average_magnitude: 4.57 })
  })

  it('tells the rate over at least five seconds, for readings come in batches', () => {
    const live = new LivePhone(0)
    live.heard(300, [])
    expect(live.state(100, phone).samples_per_second).toBeNull()
    live.heard(200, [])
    expect(live.state(5_000, phone).samples_per_second).toBe(100)
    expect(live.state(15_000, phone).samples_per_second).toBe(0)
  })
})
