import { describe, expect, it } from 'vitest'
import { discoveryDocument } from '../../../publisher/home-assistant/device-document.ts'
import { Presence } from '../../../publisher/home-assistant/presence.ts'
import { Intervals } from '../../../publisher/intervals.ts'
import { LIGHT_AT_START, publishedLight } from '../../../publisher/matrix/light-state.ts'
import { SnowhatError } from '../../../src/errors.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'
import { identity, reading, topics } from '../support.ts'

interface Told {
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
}

/** A broker that keeps what is retained, and says everything to everybody who listens, the speaker included. */
class Broker {
  readonly retained = new Map<string, string>()
  readonly told: Told[] = []
  readonly #listeners = new Map<Presence, Set<string>>()
  refusesToRead = false
  /** Brings nothing back for the time being. */
  holdsBack = false

  link(presence: Presence) {
    const filters = new Set<string>()
    this.#listeners.set(presence, filters)
    return {
      subscribe: async (wanted: readonly string[]) => {
        if (this.refusesToRead) throw new SnowhatError('E_MQTT_REFUSED', 'not authorized')
        for (const topic of wanted) {
          filters.add(topic)
          const held = this.retained.get(topic)
          if (held !== undefined) presence.message(messageOf(topic, held, true))
        }
      },
      publish: async (topic: string, payload: string | Buffer, options: { retain?: boolean } = {}) => {
        this.say(topic, payload.toString(), options.retain ?? false)
      },
    }
  }

  say(topic: string, payload: string, retain = false): void {
    this.told.push({ topic, payload, retain })
    if (retain) this.retained.set(topic, payload)
    if (this.holdsBack) return
    for (const [presence, filters] of this.#listeners)
      if (filters.has(topic)) presence.message(messageOf(topic, payload, false))
  }

  /** Topics since it was asked last. */
  topics(): string[] {
    return this.told.splice(0).map(({ topic }) => topic)
  }
}

function messageOf(topic: string, payload: string, retain: boolean) {
  return { topic, payload: Buffer.from(payload), retain, duplicate: false }
}

function setUp(broker = new Broker(), { stream = 'aaaaaaaa', enabled = true } = {}) {
  const clock = new ManualClock()
  const intervals = new Intervals({ interval: 1, state_interval: 10 })
  const problems: string[] = []
  const about = { identity, version: '1', board: 'b', keys: new Set(['temperature'] as const), bootTimeKnown: false }
  const parts = { hasMatrix: true, hasJoystick: true, canRestart: true }
  const presence: Presence = new Presence(
    {
      hostname: 'pi-a',
      stream,
      document: enabled
        ? () => discoveryDocument({ ...about, ...parts, stateIntervalMs: intervals.stateMs }, topics)
        : undefined,
      intervals,
      info: () => ({
        hostname: 'pi-a',
        stream,
        version: '1',
        model: null,
        serial: `serial of ${stream}`,
        board: 'b',
        chips: [],
        leds: null,
        joystick: null,
        simulated: true,
        booted_at: null,
        problems: [...problems, ...presence.problems],
        sensors: [],
        outbox: { readings: 0, given_up: 0, durable: false },
      }),
      led: () => publishedLight(LIGHT_AT_START),
    },
    topics,
    { clock, log: silentLog(), random: () => 0.5 },
  )
  const connect = () => presence.connected(broker.link(presence))
  return { broker, clock, connect, intervals, presence, problems }
}

const DOCUMENT = 'homeassistant/device/pi-a/sensehat/config'
const AVAILABILITY = 'sensehat/pi-a/availability'
const INFO = 'sensehat/pi-a/info'
const STATES = [INFO, 'sensehat/pi-a/settings', 'sensehat/pi-a/led']

describe('presence', () => {
  it('says online, then who it is, then how it is, all retained; and on the next connection what the broker lacks', async () => {
    const { broker, connect, presence } = setUp()
    await connect()
    expect(broker.told.every(({ retain }) => retain)).toBe(true)
    expect(broker.topics()).toEqual([AVAILABILITY, DOCUMENT, ...STATES])
    await presence.taken(reading(1))
    presence.disconnected()
    broker.topics()
    await connect()
    expect(broker.told.at(-1)).toMatchObject({ topic: 'sensehat/pi-a/state', retain: false })
    expect(broker.topics()).toEqual([AVAILABILITY, ...STATES, 'sensehat/pi-a/state'])
    presence.disconnected()
    broker.retained.clear()
    await connect()
    expect(broker.topics()).toContain(DOCUMENT)
  })

  it('announces itself a little later to a broker that lets it write and not read', async () => {
    const { broker, clock, connect } = setUp()
    broker.refusesToRead = true
    const connected = connect()
    await clock.advance(4_900)
    expect(broker.topics()).toEqual([AVAILABILITY])
    await clock.advance(200)
    await connected
    expect(broker.topics()).toEqual([DOCUMENT, ...STATES])
  })

  it('answers a birth of Home Assistant once, after a pause', async () => {
    const { broker, clock, connect } = setUp()
    await connect()
    broker.topics()
    broker.say('homeassistant/status', 'offline')
    broker.say('homeassistant/status', 'online')
    broker.say('homeassistant/status', 'online')
    broker.topics()
    await clock.advance(900)
    expect(broker.topics()).toEqual([])
    await clock.advance(30_000)
    expect(broker.topics()).toEqual([DOCUMENT, AVAILABILITY, ...STATES])
  })

  it('stays away when the device was deleted in Home Assistant: its document is not said again', async () => {
    const { broker, clock, connect, presence } = setUp()
    await connect()
    broker.say(DOCUMENT, '', true)
    broker.retained.delete(DOCUMENT)
    broker.topics()
    broker.say('homeassistant/status', 'online')
    await clock.advance(40_000)
    presence.disconnected()
    await connect()
    expect(broker.topics()).not.toContain(DOCUMENT)
  })

  it('stays away when it was deleted while the line was down', async () => {
    const { broker, connect, presence } = setUp()
    await connect()
    presence.disconnected()
    broker.retained.delete(DOCUMENT)
    broker.topics()
    await connect()
    expect(broker.topics()).not.toContain(DOCUMENT)
  })

  it('does not take what the broker had for its own word', async () => {
    const broker = new Broker()
    broker.retained.set(AVAILABILITY, 'online')
    const { clock, connect } = setUp(broker)
    broker.holdsBack = true
    const connected = connect()
    await settled()
    expect(broker.topics()).toEqual([AVAILABILITY])
    broker.holdsBack = false
    await clock.advance(5_000)
    await connected
    expect(broker.topics()).toContain(DOCUMENT)
  })

  it('says online again when the broker gives out the Will of an earlier life', async () => {
    const { broker, connect } = setUp()
    await connect()
    broker.topics()
    broker.say(AVAILABILITY, 'offline', true)
    await settled()
    expect(broker.retained.get(AVAILABILITY)).toBe('online')
  })

  it('says offline, retained, as its last word, and does not contradict itself', async () => {
    const { broker, connect, presence } = setUp()
    await connect()
    await presence.leave()
    expect(broker.told.at(-1)).toEqual({ topic: AVAILABILITY, payload: 'offline', retain: true })
  })

  it('tells a problem at once and counts only now and then', async () => {
    const { broker, connect, presence, problems } = setUp()
    await connect()
    broker.topics()
    problems.push('the sensors do not answer')
    await presence.taken(reading(1))
    expect(broker.topics()).toEqual(['sensehat/pi-a/state', INFO])
    await presence.taken(reading(2))
    expect(broker.topics()).toEqual([])
  })

  it('tells other intervals at once, and what follows from them for its entities a little later', async () => {
    const { broker, clock, connect, intervals, presence } = setUp()
    await connect()
    broker.topics()
    intervals.change('state_interval', '60')
    await presence.intervalsChanged()
    expect(JSON.parse(broker.told[0]?.payload ?? '')).toEqual({ interval: 1, state_interval: 60 })
    expect(broker.topics()).toEqual(['sensehat/pi-a/settings'])
    await clock.advance(5_000)
    expect(broker.topics()).toEqual([DOCUMENT])
  })

  it('tells state again after its document: entities that are made or changed then have missed the one before', async () => {
    const { broker, clock, connect, intervals, presence } = setUp()
    const states = () => broker.told.splice(0).filter(({ topic }) => topic === 'sensehat/pi-a/state').length
    await presence.taken(reading(1))
    await connect()
    expect(states()).toBe(1)
    await clock.advance(10_000)
    expect(states()).toBe(2)
    intervals.change('state_interval', '3600')
    await presence.intervalsChanged()
    expect(states()).toBe(1)
    // The shortest `expire_after` that was in force may be over in eight seconds from here.
    await clock.advance(7_000)
    expect(states()).toBe(1)
    await clock.advance(3_600_000)
    expect(states()).toBe(1)
    presence.disconnected()
    await connect()
    states()
    await clock.advance(60_000)
    expect(states()).toBe(0)
  })

  it('tells each press of the joystick, not retained', async () => {
    const { broker, connect, presence } = setUp()
    await connect()
    await presence.tellPress({ direction: 'up', event_type: 'press_start' })
    expect(broker.told.at(-1)).toEqual({
      topic: 'sensehat/pi-a/event/joystick_up',
      payload: '{"event_type":"press_start"}',
      retain: false,
    })
  })

  it('is not announced where Home Assistant is not wanted; all else is as before', async () => {
    const { broker, connect } = setUp(new Broker(), { enabled: false })
    await connect()
    expect(broker.topics()).toEqual([AVAILABILITY, ...STATES])
  })
})

describe('two Pis of one name', () => {
  it('both say so, each naming the other, and stop saying so when one of them is renamed', async () => {
    const broker = new Broker()
    const one = setUp(broker, { stream: 'aaaaaaaa' })
    const other = setUp(broker, { stream: 'bbbbbbbb' })
    await one.connect()
    await other.connect()
    await settled()
    expect(one.presence.problems).toEqual([
      'another Pi has this name (stream bbbbbbbb on the board serial of bbbbbbbb)',
    ])
    expect(other.presence.problems).toEqual([expect.stringContaining('aaaaaaaa')])
    // They go on hearing one another, and say it a handful of times, not for ever.
    expect(broker.told.filter(({ topic }) => topic === INFO).length).toBeLessThan(6)
    // However seldom they take readings.
    for (let minute = 0; minute < 5; minute++) for (const { clock } of [one, other]) await clock.advance(60_000)
    expect([one.presence.problems.length, other.presence.problems.length]).toEqual([1, 1])
    broker.topics()
    other.presence.disconnected()
    await one.clock.advance(300_000)
    expect(JSON.parse(broker.retained.get(INFO) ?? '')).toMatchObject({ stream: 'aaaaaaaa', problems: [] })
    // And nothing is said any more.
    broker.topics()
    await one.clock.advance(3_600_000)
    expect(broker.topics()).toEqual([])
    expect(one.presence.problems).toEqual([])
  })

  it('an earlier life of the same Pi, whose info the broker kept, is none of them', async () => {
    const broker = new Broker()
    broker.retained.set(INFO, JSON.stringify({ stream: 'cccccccc' }))
    const { connect, presence } = setUp(broker)
    await connect()
    expect(presence.problems).toEqual([])
  })
})
