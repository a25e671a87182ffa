import { connectAsync, type MqttClient } from 'mqtt'
import { onTestFinished } from 'vitest'
import { type AedesBroker, aedesBroker } from '../support/aedes-broker.ts'
import type { HaClock } from './clock.ts'
import { goodEntities, type Loose, TOPIC } from './documents.ts'
import { FakeHomeAssistant, type FakeHomeAssistantOptions } from './fake-home-assistant.ts'

/** Time that moves only when a test says so. */
export class StoppedClock implements HaClock {
  #now = Date.UTC(2026, 10, 22, 12)
  readonly #due = new Map<() => void, number>()

  now(): number {
    return this.#now
  }

  after(ms: number, act: () => void): () => void {
    this.#due.set(act, this.#now + ms)
    return () => this.#due.delete(act)
  }

  pass(seconds: number): void {
    this.#now += seconds * 1000
    for (const [act, at] of this.#due) {
      if (at > this.#now) continue
      this.#due.delete(act)
      act()
    }
  }
}

/** What a Pi does on the broker, by hand. */
export class Pi {
  readonly client: MqttClient

  constructor(client: MqttClient) {
    this.client = client
  }

  say(rest: string, payload: unknown, retain = false): Promise<unknown> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    return this.client.publishAsync(`sensehat/pi-a/${rest}`, text, { qos: 1, retain })
  }

  announce(document: unknown, topic = TOPIC): Promise<unknown> {
    const text = typeof document === 'string' ? document : JSON.stringify(document)
    return this.client.publishAsync(topic, text, { qos: 1, retain: true })
  }
}

export const id = (key: string) => `sensehat_pi-a_${key}`

/** A broker of its own, Home Assistant on it, and a Pi that speaks when told to. */
export class World {
  readonly clock = new StoppedClock()
  readonly broker: AedesBroker
  ha!: FakeHomeAssistant
  pi!: Pi

  private constructor(broker: AedesBroker) {
    this.broker = broker
  }

  static async create(): Promise<World> {
    const world = new World(await aedesBroker())
    world.pi = await world.newPi()
    world.ha = await world.newHomeAssistant()
    return world
  }

  async newPi(): Promise<Pi> {
    const client = await connectAsync(this.broker.url, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      will: { topic: 'sensehat/pi-a/availability', payload: Buffer.from('offline'), qos: 1, retain: true },
    })
    onTestFinished(() => client.endAsync(true))
    return new Pi(client)
  }

  async newHomeAssistant(options: Partial<FakeHomeAssistantOptions> = {}): Promise<FakeHomeAssistant> {
    const { url } = this.broker
    const own = { url, protocolVersion: 4, settleMs: 20, reconnectMs: 20, clock: this.clock } as const
    const fake = new FakeHomeAssistant({ ...own, ...options })
    onTestFinished(() => fake.crash())
    await fake.start()
    return fake
  }

  /** Announces, says that it is there, and waits until Home Assistant knows. */
  async announced(document: Loose = goodEntities()): Promise<void> {
    await this.pi.announce(document)
    await this.pi.say('availability', 'online', true)
    await this.state('connectivity', 'on')
  }

  state(key: string, state: string | undefined): Promise<void> {
    return this.ha.until(`${key} is ${state}`, () => this.ha.state(id(key)) === state)
  }

  logged(text: string): Promise<void> {
    return this.ha.until(text, () => this.ha.log.some(({ message }) => message.includes(text)))
  }

  problems(): readonly string[] {
    return this.ha.problems().map(({ level, message }) => `${level} ${message}`)
  }
}

/** A document with the connection and one more component. */
export function small(key: string, component: Loose, more: Loose = {}): Loose {
  const { components, ...document } = goodEntities()
  const own = { unique_id: id(key), name: key, ...component }
  return { ...document, ...more, components: { connectivity: components.connectivity, [key]: own } }
}
