import { onTestFinished } from 'vitest'
import type { PublisherEvents } from '../../publisher/events.ts'
import { createMemoryOutbox } from '../../publisher/memory-outbox.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Events } from '../../src/events.ts'
import type { Interval } from '../../src/intervals.ts'
import { silentLog } from '../../src/log.ts'
import { Sender } from '../../src/outbox/sender.ts'
import type { Reading } from '../../src/reading.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { ledger, message, reading, topics } from './support.ts'

interface Sent {
  readonly seqs: number[]
  readonly single: boolean
  readonly bytes: number
  readonly at: number
  ack(): void
  refuse(): void
  lose(): void
}

/** A connection whose broker answers when the test says so, or at once. */
export class FakeLink {
  readonly sent: Sent[] = []
  readonly subscribed: string[][] = []
  answers: 'at once' | 'when told' = 'at once'
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  async subscribe(filters: readonly string[]): Promise<void> {
    this.subscribed.push([...filters])
  }

  publish(_topic: string, payload: string | Buffer): Promise<void> {
    const value = JSON.parse(payload.toString()) as Reading | Reading[]
    const readings = Array.isArray(value) ? value : [value]
    return new Promise((resolve, reject) => {
      this.sent.push({
        seqs: readings.map((r) => r.seq),
        single: !Array.isArray(value),
        bytes: payload.length,
        at: this.#clock.monotonic(),
        ack: resolve,
        refuse: () => reject(new SnowhatError('E_MQTT_REFUSED', 'quota exceeded')),
        lose: () => reject(new SnowhatError('E_MQTT_DISCONNECTED', 'gone')),
      })
      if (this.answers === 'at once') resolve()
    })
  }

  /** The numbers of all readings sent, and forgets them. */
  taken(): number[] {
    return this.sent.splice(0).flatMap((m) => m.seqs)
  }
}

/** A sender with all it needs, and verbs for what happens around it. */
export function senderSetUp(options: { limit?: number; intervalMs?: number } = {}) {
  const clock = new ManualClock()
  const log = silentLog()
  const outbox = createMemoryOutbox({ limit: options.limit ?? 100_000, aloneMs: 0 }, clock)
  const events = new Events<PublisherEvents>(log)
  const sender = new Sender('pi-a', topics, options.intervalMs ?? 1_000, {
    clock,
    log,
    random: () => 0.5,
    events,
    outbox,
  })
  const link = new FakeLink(clock)
  onTestFinished(() => sender.close())
  let seq = 0
  const take = async (count = 1) => {
    for (let i = 0; i < count; i++) await sender.submit(reading(++seq))
    await settled()
  }
  const connect = async () => {
    void sender.connected(link)
    await clock.advance(300)
  }
  const hear = async (spooled: Interval[], committed: Interval[], instance = 'br01') => {
    await sender.message(message(topics.ledger('pi-a'), ledger({ aaaaaaaa: { spooled, committed } }, instance)))
    await settled()
  }
  const bridge = (word: string) => sender.message(message(topics.bridgeAvailability, word))
  const info = async (instance: string) => {
    await sender.message(message(topics.bridgeInfo, { instance }))
    await settled()
  }
  return { clock, outbox, sender, link, take, connect, hear, bridge, info }
}
