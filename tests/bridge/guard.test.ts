import { describe, expect, it } from 'vitest'
import { Guard, type GuardLink, refusal } from '../../bridge/guard.ts'
import { SnowhatError } from '../../src/errors.ts'
import { silentLog } from '../../src/log.ts'
import { createTopics } from '../../src/topics.ts'
import { ManualClock } from '../support/manual-clock.ts'

const topics = createTopics('sensehat', 'homeassistant')
const INFO = { instance: 'run1', version: '0.1.0', host: 'nas', started_at: '2026-11-22T11:00:00.000Z' }

interface Situation {
  /** What the broker holds on `bridge/availability`. */
  readonly availability?: string
  /** Whether, and at which question, somebody answers. */
  readonly answersAt?: number
  readonly otherAnswer?: boolean
  readonly forbids?: boolean
}

function guarded({ availability, answersAt, otherAnswer, forbids }: Situation) {
  const clock = new ManualClock()
  const guard = new Guard({ clock, log: silentLog(), topics })
  const hear = (topic: string, payload: string) =>
    guard.take({ topic, payload: Buffer.from(payload), retain: false, duplicate: false })
  const questions: string[] = []
  const subscribed = new Set<string>()
  const link: GuardLink = {
    subscribe: async (filters) => {
      if (forbids) throw new SnowhatError('E_MQTT_REFUSED', 'the broker refuses a subscription')
      for (const filter of filters) subscribed.add(filter)
      if (availability !== undefined && filters.includes(topics.bridgeAvailability))
        hear(topics.bridgeAvailability, availability)
    },
    unsubscribe: async (filters) => {
      for (const filter of filters) subscribed.delete(filter)
    },
    roundTrip: async () => undefined,
    publish: async (topic, payload) => {
      expect(topic).toBe('sensehat/bridge/request/health')
      questions.push(String(payload))
      const { id } = JSON.parse(String(payload)) as { id: string }
      if (otherAnswer) hear(topics.response('health'), JSON.stringify({ id: 'somebody else asked', ...INFO }))
      if (questions.length === answersAt) hear(topics.response('health'), JSON.stringify({ id, ...INFO }))
    },
  }
  return { clock, guard, hear, link, questions, subscribed }
}

describe('the guard', () => {
  it.each([undefined, 'offline', ''])('asks nobody when the broker holds %j as availability', async (availability) => {
    const { guard, link, questions } = guarded(availability === undefined ? {} : { availability })
    expect(await guard.look(link)).toBeUndefined()
    expect(questions).toEqual([])
  })

  it.each([1, 3])('finds the bridge that answers at question %i', async (answersAt) => {
    const { clock, guard, link } = guarded({ availability: 'online', answersAt })
    const found = guard.look(link)
    await clock.advance(10_000)
    expect(await found).toEqual(INFO)
  })

  it('takes a retained online that nobody answers for as left behind, after five questions', async () => {
    const { clock, guard, link, questions, subscribed } = guarded({ availability: 'online' })
    const found = guard.look(link)
    await clock.advance(4_500)
    expect(questions).toHaveLength(5)
    await clock.advance(1_000)
    expect(await found).toBeUndefined()
    expect(subscribed.size).toBe(0)
  })

  it('waits no longer when the Will of the bridge that was killed arrives', async () => {
    const { clock, guard, hear, link, questions } = guarded({ availability: 'online' })
    const found = guard.look(link)
    await clock.advance(500)
    hear(topics.bridgeAvailability, 'offline')
    expect(await found).toBeUndefined()
    expect(clock.monotonic()).toBe(500)
    expect(questions).toHaveLength(1)
  })

  it("does not take an answer to somebody else's question for one to its own", async () => {
    const { clock, guard, link } = guarded({ availability: 'online', otherAnswer: true })
    const found = guard.look(link)
    await clock.advance(10_000)
    expect(await found).toBeUndefined()
  })

  it("goes on where the broker's access rules let it know nothing", async () => {
    const { guard, link } = guarded({ forbids: true })
    expect(await guard.look(link)).toBeUndefined()
  })

  it('looks again on a new connection when the one it asked on broke', async () => {
    const { guard, link } = guarded({ availability: 'online' })
    const broken = { ...link, roundTrip: () => Promise.reject(new SnowhatError('E_MQTT_DISCONNECTED', 'gone')) }
    await expect(guard.look(broken)).rejects.toMatchObject({ code: 'E_MQTT_DISCONNECTED' })
  })

  it('says who is there and what can be done, in one sentence each', () => {
    const error = refusal(INFO, 'own1')
    expect(error.code).toBe('E_RIVAL')
    expect(error.message).toBe(
      'another bridge is running here: instance run1, on nas, version 0.1.0, since 2026-11-22T11:00:00.000Z',
    )
    expect(error.hint).toContain('--take-over')
    expect(refusal(INFO, 'run1').message).toContain('copy')
  })
})
