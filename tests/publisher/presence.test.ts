import { describe, expect, it } from 'vitest'
import { discoveryDocument } from '../../publisher/discovery.ts'
import { Presence } from '../../publisher/presence.ts'
import { StatePolicy, stateOf } from '../../publisher/state.ts'
import { silentLog } from '../../src/log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { identity, message, reading, topics } from './support.ts'

describe('state', () => {
  const calm = { temperature: 21, pitch: 359 }

  it('is told at first, then each interval', () => {
    const policy = new StatePolicy(10_000, 500)
    expect(policy.due(reading(1), 0)).toBe(true)
    policy.told(reading(1, 'aaaaaaaa', calm), 0)
    expect(policy.due(reading(2, 'aaaaaaaa', calm), 9_000)).toBe(false)
    expect(policy.due(reading(2, 'aaaaaaaa', calm), 9_999)).toBe(true)
  })

  it('is told earlier when a value has left its deadband, but never within a second', () => {
    const policy = new StatePolicy(10_000, 500)
    policy.told(reading(1, 'aaaaaaaa', calm), 0)
    const warmer = reading(2, 'aaaaaaaa', { ...calm, temperature: 21.3 })
    expect(policy.due(warmer, 999)).toBe(false)
    expect(policy.due(warmer, 1_000)).toBe(true)
    expect(policy.due(reading(3, 'aaaaaaaa', { ...calm, temperature: 21.1 }), 2_000)).toBe(false)
  })

  it('knows that 359° and 1° are near, and that a value gone is news', () => {
    const policy = new StatePolicy(10_000, 500)
    policy.told(reading(1, 'aaaaaaaa', calm), 0)
    expect(policy.due(reading(2, 'aaaaaaaa', { ...calm, pitch: 1 }), 2_000)).toBe(false)
    expect(policy.due(reading(2, 'aaaaaaaa', { ...calm, pitch: 20 }), 2_000)).toBe(true)
    expect(policy.due(reading(2, 'aaaaaaaa', { ...calm, temperature: null }), 2_000)).toBe(true)
  })

  it('is rounded for people, null where nothing was measured', () => {
    const state = stateOf(reading(1, 'aaaaaaaa', { temperature: 21.27, pitch: 359.8, accel_x: -0.0001 }))
    expect(state).toMatchObject({ temperature: 21.3, pitch: 0, accel_x: 0, humidity: null })
  })
})

function setUp() {
  const clock = new ManualClock()
  const published: { topic: string; payload: string; retain: boolean }[] = []
  const document = discoveryDocument(
    { identity, version: '1', board: 'b', keys: new Set(), stateIntervalMs: 10_000, bootTimeKnown: false },
    topics,
  )
  const problems: string[] = []
  const presence = new Presence(
    {
      hostname: 'pi-a',
      document,
      settings: { interval: 1, state_interval: 10 },
      info: () => ({
        hostname: 'pi-a',
        stream: 's',
        version: '1',
        model: null,
        board: 'b',
        chips: [],
        simulated: true,
        booted_at: null,
        sensors: [],
        problems: [...problems],
        outbox: { readings: 0, given_up: 0, durable: false },
      }),
      stateIntervalMs: 10_000,
      readingIntervalMs: 1_000,
    },
    topics,
    { clock, log: silentLog(), random: () => 0.5 },
  )
  const link = {
    publish: async (topic: string, payload: string | Buffer, options: { retain?: boolean } = {}) => {
      published.push({ topic, payload: payload.toString(), retain: options.retain ?? false })
    },
    subscribe: async () => undefined,
  }
  const told = () => published.splice(0).map((p) => p.topic)
  return { clock, presence, link, published, told, problems }
}

const ANNOUNCED = [
  'homeassistant/device/pi-a/sensehat/config',
  'sensehat/pi-a/info',
  'sensehat/pi-a/settings',
  'sensehat/pi-a/availability',
]

describe('presence', () => {
  it('announces itself retained after every connection, and with it the last values', async () => {
    const { presence, link, published, told } = setUp()
    await presence.connected(link)
    expect(published.every((p) => p.retain)).toBe(true)
    expect(told()).toEqual(ANNOUNCED)
    await presence.taken(reading(1))
    presence.disconnected()
    told()
    await presence.connected(link)
    expect(published.at(-1)).toMatchObject({ topic: 'sensehat/pi-a/state', retain: false })
    expect(told()).toEqual([...ANNOUNCED, 'sensehat/pi-a/state'])
  })

  it('answers a birth of Home Assistant once, after a pause', async () => {
    const { clock, presence, link, told } = setUp()
    await presence.connected(link)
    told()
    presence.message(message('homeassistant/status', 'offline'))
    presence.message(message('homeassistant/status', 'online'))
    presence.message(message('homeassistant/status', 'online'))
    await clock.advance(900)
    expect(told()).toEqual([])
    await clock.advance(30_000)
    expect(told()).toEqual(ANNOUNCED)
  })

  it('tells a problem at once and counts only now and then', async () => {
    const { presence, link, told, problems } = setUp()
    await presence.connected(link)
    told()
    problems.push('the sensors do not answer')
    await presence.taken(reading(1))
    expect(told()).toEqual(['sensehat/pi-a/state', 'sensehat/pi-a/info'])
    await presence.taken(reading(2))
    expect(told()).toEqual([])
  })

  it('says offline, retained, as its last word', async () => {
    const { presence, link, published } = setUp()
    await presence.connected(link)
    await presence.leave()
    expect(published.at(-1)).toEqual({ topic: 'sensehat/pi-a/availability', payload: 'offline', retain: true })
  })
})
