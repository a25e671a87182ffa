import { describe, expect, it } from 'vitest'
import { Birth } from '../../../src/home-assistant/birth.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const TOPIC = 'homeassistant/status'

function world(random: () => number) {
  const clock = new ManualClock()
  const answered: number[] = []
  const birth = new Birth(TOPIC, () => answered.push(clock.monotonic()), { clock, random })
  const say = (payload: string, retain = false) =>
    birth.message({ topic: TOPIC, payload: Buffer.from(payload), retain })
  return { birth, clock, answered, say }
}

describe("Home Assistant's birth", () => {
  it.each([
    [0, 5_000],
    [0.5, 17_500],
    [0.999_999, 29_999.975],
  ])('is answered between five and thirty seconds later (%d: %d ms)', async (random, expected) => {
    const { answered, clock, say } = world(() => random)
    say('online')
    await clock.advance(60_000)
    expect(answered.length).toBe(1)
    expect(answered[0]).toBeCloseTo(expected, 2)
  })

  it('twice within five seconds is answered once, whatever the pause', async () => {
    for (const random of [0, 0.5, 0.999]) {
      const { answered, clock, say } = world(() => random)
      say('online')
      await clock.advance(4_999)
      say('online')
      await clock.advance(60_000)
      expect(answered.length).toBe(1)
    }
  })

  it('twice within the pause is answered once, and again after the answer', async () => {
    const { answered, clock, say } = world(() => 0.5)
    say('online')
    await clock.advance(5_000)
    say('online')
    await clock.advance(60_000)
    expect(answered.length).toBe(1)
    say('online')
    await clock.advance(60_000)
    expect(answered.length).toBe(2)
  })

  it('is none when it goes, when the broker remembers an old one, or when the topic is another', async () => {
    const { answered, birth, clock, say } = world(() => 0)
    say('offline')
    say('online', true)
    expect(birth.message({ topic: 'other', payload: Buffer.from('online'), retain: false })).toBe(false)
    await clock.advance(60_000)
    expect(answered).toEqual([])
  })

  it('is not answered any more by who has closed', async () => {
    const { answered, birth, clock, say } = world(() => 0)
    say('online')
    birth.close()
    await clock.advance(60_000)
    expect(answered).toEqual([])
  })
})
