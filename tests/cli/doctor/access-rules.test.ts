import { describe, expect, it } from 'vitest'
import { decodeReadings } from '../../../bridge/routes/sense-hat-route.ts'
import { accessRules, ruleLine } from '../../../cli/doctor/broker/access-rules.ts'
import { heardFrom } from '../../../cli/doctor/broker/heard.ts'
import { parseLedger } from '../../../src/ledger.ts'
import { createTopics } from '../../../src/topics.ts'

const topics = createTopics('sensehat', 'homeassistant')
const retained = (topic: string, payload: string) => ({
  topic,
  payload: Buffer.from(payload),
  retain: true,
  duplicate: false,
})
const known = heardFrom(
  [retained('sensehat/pi-attic/availability', 'online'), retained('sensehat/pi-attic/info', '{"hostname":"pi-attic"}')],
  topics,
)
const unknown = heardFrom([], topics)

describe('what is tried at the broker', () => {
  it('says of a Pi only what is retained there already, and to the bridge nothing at all', () => {
    const rules = accessRules('pi', topics, 'pi-attic', known)
    for (const { topic, payload } of rules) {
      if (topic === topics.readings('pi-attic'))
        expect(decodeReadings('pi-attic', Buffer.from(payload))).toEqual({ readings: [], refused: [] })
      else if (topic.includes('/event/doctor')) expect(payload).toBe('{}')
      else if (topic.includes('pi-attic')) expect(payload).toEqual(known.retained.get(topic))
      else expect(payload).toBe('')
    }
  })

  it('does not make a Pi known that has never run', () => {
    const tried = accessRules('pi', topics, 'pi-new', unknown).map(({ topic }) => topic)
    expect(tried).not.toContain(topics.readings('pi-new'))
    expect(accessRules('pi', topics, 'pi-attic', known).map(({ topic }) => topic)).toContain(
      topics.readings('pi-attic'),
    )
  })

  it('of a bridge is a ledger that is none, of a device that does not exist', () => {
    const ledger = accessRules('bridge', topics, 'bridge', unknown).find(({ topic }) => topic.includes('/devices/'))
    expect(topics.keyOfLedger(ledger?.topic ?? '')).toMatch(/^doctor-/)
    expect(parseLedger(Buffer.from(ledger?.payload ?? 'x'))).toBeUndefined()
  })

  it('is told as the line of access rules that would allow it', () => {
    const rules = accessRules('pi', topics, 'pi-attic', known)
    expect(rules.slice(0, 2).map((rule) => ruleLine(rule, 'pi', 'pi-attic', 'pi-attic'))).toEqual([
      'pattern write sensehat/%u/event/+',
      'pattern write sensehat/%u/readings',
    ])
    expect(
      accessRules('bridge', topics, 'bridge', unknown).map((rule) => ruleLine(rule, 'bridge', 'bridge', '')),
    ).toEqual(
      expect.arrayContaining([
        'topic readwrite sensehat/bridge/#',
        'topic readwrite homeassistant/device/+/sensehat_pipeline/config',
      ]),
    )
  })
})
