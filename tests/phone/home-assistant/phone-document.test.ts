import { describe, expect, it } from 'vitest'
import { LivePhone } from '../../../phone/home-assistant/live-phone.ts'
import { ACTIVITIES, phoneDocument, type Sends } from '../../../phone/home-assistant/phone-document.ts'
import { createPhoneTopics } from '../../../phone/topics.ts'
import { encodeHaDocument } from '../../../src/home-assistant/encode.ts'
import { createTopics, type Topics } from '../../../src/topics.ts'
import { judge } from '../../home-assistant/judge/judge.ts'
import { judged, type PublishedDocument } from '../../support/judged-document.ts'

const usual = createTopics('sensehat', 'homeassistant')
const ALL: Sends = { battery: true, steps: true }
const DEVICE = 'c0f1b7a2-58d3-4e8c-bb0e-1d2c3b4a5968'

function published(device = DEVICE, sends = ALL, base = 'phones', topics: Topics = usual): PublishedDocument {
  const own = createPhoneTopics(base, topics)
  const phone = { heardAt: 0, gaps: 0, facts: { battery: 0.5, steps: 7 } }
  const state = new LivePhone(0).state(0, phone)
  const samples = ACTIVITIES.map((activity) => JSON.stringify({ ...state, activity }))
  return {
    topic: own.discovery(device),
    payload: encodeHaDocument(phoneDocument(device, sends, '1.2.3', own)),
    topics: {
      [own.availability]: { retained: true, samples: ['online', 'offline'] },
      [own.state(device)]: { fields: Object.keys(state), samples, intervalSeconds: 10 },
    },
  }
}

describe('the device document of a phone, judged', () => {
  it.each([
    ['all there is', published()],
    ['no battery', published(DEVICE, { battery: false, steps: true })],
    ['no steps', published(DEVICE, { battery: true, steps: false })],
    ['neither', published(DEVICE, { battery: false, steps: false })],
    ['other topics', published(DEVICE, ALL, 'attic/phones', createTopics('attic/hats', 'ha/discovery'))],
    ['the longest name', published('p'.repeat(63))],
    ['a short name', published('a')],
  ])('has no fault with %s', (_name, document) => {
    const [prefix = '', node = ''] = document.topic.split(/\/device\/|\/sensehat_phone\/config/)
    expect(judged(document, { prefix, uniqueIds: new RegExp(`^sensehat_phone_${node}_[a-z_]+$`) })).toEqual([])
  })

  it('of one phone has nothing in common with that of another', () => {
    const [one, other] = [published(), published('7d9e2f31-0b44-4c1a-8e55-aa11bb22cc33')]
    const others = new Map([[other.topic, other.payload]])
    expect(judge({ topic: one.topic, payload: one.payload }, { topics: one.topics, others })).toEqual([])
  })
})
