import { readFileSync } from 'node:fs'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { expect, onTestFinished } from 'vitest'
import type { PublisherSettings } from '../../publisher/config.ts'
import { type Publisher, startPublisher } from '../../publisher/publisher.ts'
import type { Clock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import type { HaClock } from '../home-assistant/clock.ts'
import { FakeHomeAssistant, type HaEntity } from '../home-assistant/fake-home-assistant.ts'
import { publisherSections } from '../publisher/support.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { Happenings } from '../support/happenings.ts'
import { type MosquittoOptions, type MosquittoProcess, openMosquitto } from '../support/mosquitto-process.ts'
import { freePort } from '../support/ports.ts'
import { type Program, snowhat } from '../support/program.ts'

export const PI = 'pi-attic'
export const DOCUMENT = `homeassistant/device/${PI}/sensehat/config`
/** Everything a Pi has retained. */
export const RETAINED = [
  DOCUMENT,
  ...['availability', 'info', 'led', 'settings'].map((rest) => `sensehat/${PI}/${rest}`),
]

export interface Heard {
  readonly topic: string
  readonly payload: string
  /** The broker had kept it. */
  readonly retained: boolean
}

export interface HouseholdOptions extends Pick<MosquittoOptions, 'override'> {
  /** Home Assistant's. */
  readonly clock?: HaClock
  /** False: Home Assistant is started by the test. */
  readonly started?: boolean
}

/** A Mosquitto by what is in deploy/, with its passwords and access rules; Home Assistant on it; and Pis, when they are started. */
export class Household {
  readonly broker: MosquittoProcess
  readonly ha: FakeHomeAssistant
  /** All that Home Assistant could hear. */
  readonly heard = new Happenings<Heard>()
  #wire!: MqttClient

  private constructor(broker: MosquittoProcess, ha: FakeHomeAssistant) {
    this.broker = broker
    this.ha = ha
  }

  static async open({ override, clock, started = true }: HouseholdOptions = {}): Promise<Household> {
    const port = await freePort()
    const users = ['homeassistant', PI]
    const directory = temporaryDirectory()
    const broker = await openMosquitto({ directory, port, users, ...(override && { override }) })
    onTestFinished(() => broker.kill('SIGKILL'))
    await broker.start()
    const login = loginOf(broker, 'homeassistant')
    const ha = new FakeHomeAssistant({ url: broker.url, ...login, ...(clock && { clock }) })
    onTestFinished(() => ha.crash())
    const household = new Household(broker, ha)
    household.#wire = await household.#connect({ reconnectPeriod: 50 })
    household.#wire.on('message', (topic, payload, { retain }) =>
      household.heard.note({ topic, payload: payload.toString(), retained: retain }),
    )
    await household.#wire.subscribeAsync(['sensehat/#', 'homeassistant/#'], { qos: 1 })
    if (started) await ha.start()
    return household
  }

  /** The program, as it is started on a Pi; twice a second, and `state` each second. It ends with the test. */
  publisher(env: Readonly<Record<string, string>> = {}, url = this.broker.url): Program {
    return snowhat(['publisher', '--simulate', '--hostname', PI, '-r', '0.5'], {
      env: {
        SNOWHAT_MQTT_URL: url,
        SNOWHAT_MQTT_USERNAME: PI,
        SNOWHAT_MQTT_PASSWORD_FILE: this.broker.passwordFile(PI),
        SNOWHAT_PUBLISHER_STATE_INTERVAL: '1',
        SNOWHAT_PUBLISHER_CLOCK_WAIT: '0',
        ...env,
      },
    })
  }

  /** The same in this process, where its time can be another. */
  async publisherIn(clock: Clock, settings: Partial<PublisherSettings> = {}): Promise<Publisher> {
    const sections = publisherSections(this.broker.url, { hostname: PI, ...settings })
    const mqtt = { ...sections.mqtt, ...loginOf(this.broker, PI), protocol: '5' as const }
    const deps = { clock, log: silentLog(), random: Math.random }
    const publisher = await startPublisher({ ...sections, mqtt }, deps)
    onTestFinished(() => publisher.close())
    return publisher
  }

  /** As Home Assistant's user. */
  async say(topic: string, payload: string, retain = false): Promise<void> {
    await this.#wire.publishAsync(topic, payload, { qos: 1, retain })
  }

  command(thing: string, payload: string, retain = false): Promise<void> {
    return this.say(`sensehat/${PI}/set/${thing}`, payload, retain)
  }

  /** Payloads of a topic of the Pi, those that are said from now on. */
  listen(rest: string): Happenings<string> {
    const topic = `sensehat/${PI}/${rest}`
    const payloads = new Happenings<string>()
    this.#wire.on('message', (on, payload, { retain }) => {
      if (on === topic && !retain) payloads.note(payload.toString())
    })
    return payloads
  }

  /** What the broker holds now, by topic. */
  async retained(): Promise<ReadonlyMap<string, string>> {
    const client = await this.#connect({})
    const held = new Map<string, string>()
    const marker = 'sensehat/marker/set/marker'
    const all = new Promise<void>((resolve) =>
      client.on('message', (topic, payload, { retain }) => {
        if (retain) held.set(topic, payload.toString())
        else if (topic === marker) resolve()
      }),
    )
    await client.subscribeAsync(['sensehat/#', 'homeassistant/#'], { qos: 1 })
    await client.publishAsync(marker, '', { qos: 1 })
    await all
    await client.endAsync()
    return held
  }

  state(key: string): string | undefined {
    return this.ha.state(idOf(key))
  }

  until(what: string, look: () => boolean, deadlineMs = 30_000): Promise<void> {
    return this.ha.until(what, look, deadlineMs)
  }

  /** The Pi is there with all it has, and its values come. */
  async isThere(): Promise<void> {
    await this.until('the Pi is there, with all it has', () => {
      const states = this.enabled().map(({ state }) => state)
      return states.length > 20 && !states.includes('unavailable') && Number.isFinite(Number(this.state('temperature')))
    })
  }

  /** Whichever program is alive now says how it is, from here on. */
  async speaks(): Promise<void> {
    await this.listen('state').count(2)
  }

  /** The entities a user sees. */
  enabled(): readonly HaEntity[] {
    return this.ha.entities().filter(({ isDisabled }) => !isDisabled)
  }

  async #connect(options: IClientOptions): Promise<MqttClient> {
    const login = loginOf(this.broker, 'homeassistant')
    const own = { protocolVersion: 5, reconnectPeriod: 0 } as const
    const client = await connectAsync(this.broker.url, { ...own, ...login, ...options })
    // While the broker is away there is one after another.
    client.on('error', () => undefined)
    onTestFinished(() => client.endAsync(true))
    return client
  }
}

/** Nothing a user would complain of: one device, each entity once under its own name, none that is dead, a clean log. */
export function expectNothingAmiss({ ha }: Household): void {
  expect(ha.problems()).toEqual([])
  expect([...ha.findings().values()].flat()).toEqual([])
  expect(ha.duplicates()).toEqual([])
  expect(ha.ghosts()).toEqual([])
  expect(ha.devices().length).toBe(1)
  expect(ha.entities().filter(({ entityId }) => /_\d+$/.test(entityId))).toEqual([])
}

export function idOf(key: string): string {
  return `sensehat_${PI}_${key}`
}

function loginOf(broker: MosquittoProcess, username: string): { username: string; password: string } {
  return { username, password: readFileSync(broker.passwordFile(username), 'utf8').trimEnd() }
}
