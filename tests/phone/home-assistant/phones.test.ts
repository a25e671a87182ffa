import { expect, it, onTestFinished } from 'vitest'
import { Phones } from '../../../phone/home-assistant/phones.ts'
import { PhoneState } from '../../../phone/pump/phone-state.ts'
import type { ActivityRecord } from '../../../phone/recognition/activity-record.ts'
import { createPhoneTopics } from '../../../phone/topics.ts'
import { silentLog } from '../../../src/log.ts'
import { createTopics } from '../../../src/topics.ts'
import { ManualClock } from '../../support/manual-clock.ts'

it('a phone is not shown doing what another does whose windows were finished by its message', async () => {
  const clock = new ManualClock()
  const topics = createPhoneTopics('phones', createTopics('sensehat', 'homeassistant'))
  const phones = new Phones(false, topics, { clock, log: silentLog(), random: () => 0.5, version: '1' })
  onTestFinished(() => phones.close())
  const states: { topic: string; activity: string | null }[] = []
  const publish = async (topic: string, payload: string | Buffer) => {
    if (topic.endsWith('/state')) states.push({ topic, activity: JSON.parse(payload.toString()).activity })
  }
  void phones.connected({ publish, subscribe: async () => undefined })
  await clock.advance(10_000)
  const activity = (deviceId: string, what: string) =>
    ({ deviceId, activity: what, confidence: 1, avg_magnitude: 1 }) as ActivityRecord
  const phone = PhoneState.begin('mine', 'journal', 1)
  phone.heardAt = clock.now()
  phones.heard(phone, 1, [activity('mine', 'walking'), activity('other', 'running')])
  expect(states).toEqual([{ topic: 'phones/mine/state', activity: 'walking' }])
})
