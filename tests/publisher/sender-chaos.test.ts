import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { PublisherEvents } from '../../publisher/events.ts'
import { createMemoryOutbox } from '../../publisher/memory-outbox.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Events } from '../../src/events.ts'
import { IntervalSet } from '../../src/intervals.ts'
import { silentLog } from '../../src/log.ts'
import { Sender } from '../../src/outbox/sender.ts'
import type { Reading } from '../../src/reading.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { ledger, message, reading, topics } from './support.ts'

const gone = () => new SnowhatError('E_MQTT_DISCONNECTED', 'gone')

/** A broker and a bridge behind it, which lose what they are told to lose. */
class World {
  readonly clock = new ManualClock()
  readonly outbox = createMemoryOutbox({ limit: 1_000, aloneMs: 0 }, this.clock)
  readonly #log = silentLog()
  readonly sender = new Sender('pi-a', topics, 1_000, {
    clock: this.clock,
    log: this.#log,
    random: () => 0.5,
    events: new Events<PublisherEvents>(this.#log),
    outbox: this.outbox,
  })
  readonly table = new IntervalSet()
  dropReadings = false
  dropLedgers = false
  refuse = false
  connected = false
  #spool = new IntervalSet()
  #instance = 1
  #seq = 0
  #ledgerId = 0

  readonly link = {
    subscribe: async (filters: readonly string[]) => {
      if (!this.connected) throw gone()
      if (filters.includes(topics.bridgeAvailability)) await this.#tell(topics.bridgeAvailability, 'online')
      if (filters.includes(topics.bridgeInfo)) await this.#tell(topics.bridgeInfo, this.#info())
      if (filters.includes(topics.ledger('pi-a')) && this.#ledgerId > 0)
        await this.#tell(topics.ledger('pi-a'), this.#ledger())
    },
    publish: async (_topic: string, payload: string | Buffer) => {
      if (!this.connected) throw gone()
      if (this.refuse) throw new SnowhatError('E_MQTT_REFUSED', 'quota exceeded')
      const value = JSON.parse(payload.toString()) as Reading | Reading[]
      if (this.dropReadings) return
      for (const { seq } of Array.isArray(value) ? value : [value]) this.#spool.add(seq)
    },
  }

  async take(): Promise<void> {
    await this.sender.submit(reading(++this.#seq))
    await settled()
  }

  connect(): void {
    if (this.connected) return
    this.connected = true
    void this.sender.connected(this.link).catch(() => undefined)
  }

  cut(): void {
    this.connected = false
    this.sender.disconnected()
  }

  /** Snowflake commits what is spooled, but for the last `behind`. */
  commit(behind: number): void {
    for (const [first, last] of this.#spool.toJSON())
      for (let seq = first; seq <= Math.min(last, this.#seq - behind); seq++) this.table.add(seq)
  }

  /** The bridge's disk is lost; what is in the table stays. */
  async replaceBridge(): Promise<void> {
    this.#instance++
    this.#spool = this.table.clone()
    await this.#tell(topics.bridgeInfo, this.#info())
    await this.publishLedger()
  }

  async publishLedger(): Promise<void> {
    this.#ledgerId++
    if (!this.dropLedgers) await this.#tell(topics.ledger('pi-a'), this.#ledger())
  }

  get taken(): number {
    return this.#seq
  }

  #info() {
    return { instance: `br${this.#instance}` }
  }

  #ledger() {
    const streams = { aaaaaaaa: { spooled: this.#spool.toJSON(), committed: this.table.toJSON() } }
    return ledger(streams, `br${this.#instance}`, this.#ledgerId)
  }

  async #tell(topic: string, payload: string | object): Promise<void> {
    if (this.connected) await this.sender.message(message(topic, payload))
  }
}

const fault = fc.constantFrom('none', 'cut', 'dropReadings', 'dropLedgers', 'refuse', 'replaceBridge')

it('whatever is lost for a while: in the end every reading is in the table and the outbox is empty', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fault, fc.integer({ min: 1, max: 8 })), { maxLength: 12 }), async (faults) => {
      const world = new World()
      try {
        world.connect()
        const live = async (seconds: number) => {
          for (let second = 0; second < seconds; second++) {
            await world.take()
            await world.clock.advance(1_000)
            world.commit(3)
            if (second % 5 === 4) await world.publishLedger()
          }
        }
        for (const [kind, seconds] of faults) {
          if (kind === 'cut') world.cut()
          else if (kind === 'replaceBridge') await world.replaceBridge()
          else if (kind !== 'none') world[kind] = true
          await live(seconds)
          Object.assign(world, { dropReadings: false, dropLedgers: false, refuse: false })
          world.connect()
        }
        await live(10)
        world.commit(0)
        await world.clock.advance(70_000)
        world.commit(0)
        await world.publishLedger()
        await world.clock.advance(70_000)
        expect(world.table.toJSON()).toEqual([[1, world.taken]])
        expect(world.outbox.size).toBe(0)
      } finally {
        world.sender.close()
      }
    }),
    { numRuns: 40 },
  )
})
