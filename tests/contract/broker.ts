import { randomUUID } from 'node:crypto'
import mqtt, { type MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { DeferredAcks } from '../../src/deferred-acks.ts'
import { MAX_MESSAGE_BYTES } from '../../src/reading.ts'
import { openCutProxy } from '../support/cut-proxy.ts'
import { eventually } from '../support/eventually.ts'
import { connected, type Protocol } from '../support/links.ts'

export interface RunningBroker {
  readonly url: string
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface BrokerUnderTest {
  readonly name: string
  readonly speaks: readonly Protocol[]
  /** Retained messages and sessions outlive a clean restart. */
  readonly remembersAcrossRestart: boolean
  /** Says of a message sent again that it was (DUP). */
  readonly marksRedelivery: boolean
  /** So many retained documents of one subscription come before what is published after its SUBACK. */
  readonly retainedComeFirst: number
  start(): Promise<RunningBroker>
}

/** What the publisher and the bridge lean on, asked of a real broker through our own link. */
export function brokerContract(broker: BrokerUnderTest): void {
  describe.each(broker.speaks.map((protocol) => ({ protocol })))(`${broker.name}, MQTT $protocol`, ({ protocol }) => {
    let running: RunningBroker
    beforeAll(async () => {
      running = await broker.start()
    })
    afterAll(() => running?.stop())

    /** Each test has topics of its own. */
    const newTopic = (name: string) => `test/${randomUUID()}/${name}`
    const link = (options: Parameters<typeof connected>[2] = {}, url = running.url) => connected(url, protocol, options)

    it('gives a retained document to whoever subscribes later', async () => {
      const topic = newTopic('availability')
      await (await link()).publish(topic, 'online', { retain: true })
      const late = await link()
      await late.subscribe([topic])
      const message = await eventually('the retained document', () => late.messages[0])
      expect(message).toMatchObject({ topic, retain: true, payload: Buffer.from('online') })
    })

    it('keeps nothing that was not to be retained', async () => {
      const topic = newTopic('readings')
      const publisher = await link()
      await publisher.publish(topic, 'live')
      const late = await link()
      await late.subscribe([topic])
      await publisher.publish(topic, 'later')
      await eventually('the later message', () => late.messages.length > 0)
      expect(late.heard(topic)).toEqual(['later'])
    })

    // Fails when the library sends PUBACKs another way than src/deferred-acks.ts knows.
    it('takes PUBACKs that come late, in message order, and brings more messages meanwhile', async () => {
      const topic = newTopic('readings')
      const client = mqtt.connect(running.url, {
        clientId: `deferring-${randomUUID().slice(0, 8)}`,
        protocolVersion: protocol === '5' ? 5 : 4,
        reconnectPeriod: 0,
        manualConnect: true,
      })
      onTestFinished(() => client.endAsync(true))
      const under: { text: string; id: number; take: () => void }[] = []
      const acks = new DeferredAcks(client, { messages: 3, bytes: 1_000 })
      client.handleMessage = (packet, done) => {
        const taken = new Promise<void>((resolve) =>
          under.push({ text: packet.payload.toString(), id: packet.messageId ?? 0, take: resolve }),
        )
        acks.add(packet.payload.length, taken)
        done()
      }
      client.connect()
      await new Promise((resolve) => client.once('connect', resolve))
      const sent = pubacksOn(client.stream)
      await client.subscribeAsync(topic, { qos: 1 })
      const publisher = await link()
      for (const text of ['a', 'b', 'c', 'd', 'e']) await publisher.publish(topic, text)
      await eventually('as many messages as may be open', () => under.length === 3)
      under[2]?.take()
      under[1]?.take()
      await publisher.publish(topic, 'f')
      expect(under).toHaveLength(3)
      expect(sent).toEqual([])
      under[0]?.take()
      await eventually('the others', () => under.length === 6)
      expect(under.map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
      for (const { take } of under) take()
      await eventually('all PUBACKs', () => sent.length === 6)
      expect(sent).toEqual(under.map(({ id }) => id))
    })

    it('brings a message again that was not acknowledged when a persistent session returns', async () => {
      const topic = newTopic('readings')
      const cable = await openCutProxy(running.url)
      let stuck = true
      const bridge = await link(
        {
          persistentSession: true,
          clientId: `bridge-${randomUUID()}`,
          onMessage: () => (stuck ? new Promise(() => undefined) : undefined),
        },
        cable.url,
      )
      await bridge.subscribe([topic])
      const publisher = await link()
      await publisher.publish(topic, 'one')
      await publisher.publish(topic, 'two')
      await eventually('the first delivery', () => bridge.messages.length > 0)
      stuck = false
      cable.cut()
      await eventually('both after the connection came back', () => bridge.heard(topic).includes('two'))
      expect(bridge.heard(topic)).toEqual(['one', 'one', 'two'])
      const [first, again] = bridge.messages.map((message) => message.duplicate)
      expect([first, again]).toEqual([false, broker.marksRedelivery])
      expect(bridge.sessions.at(-1)).toMatchObject({ resumed: true })
    })

    it('brings a message again whose handler failed, and not before the next connection', async () => {
      const topic = newTopic('readings')
      const cable = await openCutProxy(running.url)
      let failing = true
      const bridge = await link(
        {
          persistentSession: true,
          clientId: `bridge-${randomUUID()}`,
          onMessage: ({ payload }) => {
            if (failing && payload.toString() === 'one') throw new Error('the disk is full')
          },
        },
        cable.url,
      )
      await bridge.subscribe([topic])
      const publisher = await link()
      await publisher.publish(topic, 'one')
      await publisher.publish(topic, 'two')
      await eventually('the second message, on the same connection', () => bridge.heard(topic).includes('two'))
      // By then the broker has the acknowledgement of the second.
      await bridge.roundTrip(newTopic('response'))
      expect(bridge.heard(topic)).toEqual(['one', 'two'])
      failing = false
      cable.cut()
      await eventually('the first message again', () => bridge.heard(topic).length >= 3)
      expect(bridge.heard(topic)).toEqual(['one', 'two', 'one'])
    })

    it('keeps what was published while the owner of a persistent session was away', async () => {
      const topic = newTopic('readings')
      const clientId = `bridge-${randomUUID()}`
      const first = await link({ persistentSession: true, clientId })
      await first.subscribe([topic])
      await first.close()
      const publisher = await link()
      for (const text of ['one', 'two', 'three']) await publisher.publish(topic, text)
      const second = await link({ persistentSession: true, clientId })
      await eventually('what was kept', () => second.messages.length === 3)
      expect(second.heard(topic)).toEqual(['one', 'two', 'three'])
      expect(first.messages).toEqual([])
    })

    it('publishes the Will, retained, when the socket is cut', async () => {
      const will = { topic: newTopic('availability'), payload: 'offline' }
      const watcher = await link()
      await watcher.subscribe([will.topic])
      const cable = await openCutProxy(running.url)
      const pi = await link({ will }, cable.url)
      await pi.publish(will.topic, 'online', { retain: true })
      cable.refuse(true)
      cable.cut()
      await eventually('the Will', () => watcher.heard(will.topic).includes('offline'))
      expect(watcher.heard(will.topic)).toEqual(['online', 'offline'])
      const late = await link()
      await late.subscribe([will.topic])
      expect(await eventually('the retained Will', () => late.messages[0])).toMatchObject({
        retain: true,
        payload: Buffer.from('offline'),
      })
    })

    it('publishes no Will after a clean close', async () => {
      const leaving = { topic: newTopic('availability'), payload: 'offline' }
      const dying = { topic: newTopic('availability'), payload: 'offline' }
      const watcher = await link()
      await watcher.subscribe([leaving.topic, dying.topic])
      const pi = await link({ will: leaving })
      await pi.publish(leaving.topic, 'goodbye', { retain: true })
      await pi.close()
      // A Will that must come, later than the one that must not.
      const cable = await openCutProxy(running.url)
      await link({ will: dying }, cable.url)
      cable.refuse(true)
      cable.cut()
      await eventually('the Will of the other', () => watcher.heard(dying.topic).length > 0)
      expect(watcher.heard(leaving.topic)).toEqual(['goodbye'])
    })

    it('keeps the order of one publisher on one topic, 500 messages in flight at once', async () => {
      const topic = newTopic('readings')
      const bridge = await link({ onMessage: () => new Promise((resolve) => setImmediate(resolve)) })
      await bridge.subscribe([topic])
      const publisher = await link()
      const texts = Array.from({ length: 500 }, (_, i) => String(i + 1))
      await Promise.all(texts.map((text) => publisher.publish(topic, text)))
      await eventually('all of them', () => bridge.messages.length >= texts.length)
      expect(bridge.heard(topic)).toEqual(texts)
    })

    it('carries a message as large as a publisher may send', async () => {
      const topic = newTopic('readings')
      const bridge = await link()
      await bridge.subscribe([topic])
      const payload = Buffer.alloc(MAX_MESSAGE_BYTES, 'x')
      await (await link()).publish(topic, payload)
      expect((await eventually('the large message', () => bridge.messages[0])).payload.equals(payload)).toBe(true)
    })

    it(`completes a round trip only after the retained messages of an earlier subscription (${broker.retainedComeFirst})`, async () => {
      const base = newTopic('devices')
      const publisher = await link()
      const ledgers = Array.from({ length: broker.retainedComeFirst }, (_, i) => `${base}/pi-${i}`)
      await Promise.all(ledgers.map((topic) => publisher.publish(topic, 'ledger', { retain: true })))
      const bridge = await link({ onMessage: () => new Promise((resolve) => setImmediate(resolve)) })
      await bridge.subscribe([`${base}/+`])
      await bridge.roundTrip(newTopic('response/connect'))
      expect(bridge.messages.map((message) => message.topic).sort()).toEqual([...ledgers].sort())
    })

    it('completes round trips that run at the same time, and one after the other', async () => {
      const bridge = await link()
      const topic = newTopic('response/read')
      await bridge.roundTrip(topic)
      await Promise.all([bridge.roundTrip(topic), bridge.roundTrip(topic)])
      expect(bridge.messages).toEqual([])
    })

    it('rejects a publish that was not acknowledged when the connection ended, and does not send it later', async () => {
      const topic = newTopic('readings')
      const cable = await openCutProxy(running.url)
      const bridge = await link()
      await bridge.subscribe([topic])
      const publisher = await link({}, cable.url)
      cable.freeze()
      const lost = publisher.publish(topic, 'lost')
      const assertion = expect(lost).rejects.toMatchObject({ code: 'E_MQTT_DISCONNECTED', retryable: true })
      cable.cut()
      await assertion
      await eventually('the next connection', () => publisher.sessions.length === 2)
      await publisher.publish(topic, 'next')
      await eventually('the next message', () => bridge.messages.length > 0)
      expect(bridge.heard(topic)).toEqual(['next'])
    })

    it('rejects a subscription that was not acknowledged when the connection ended', async () => {
      const cable = await openCutProxy(running.url)
      const bridge = await link({}, cable.url)
      cable.freeze()
      const assertion = expect(bridge.subscribe([newTopic('readings')])).rejects.toMatchObject({
        code: 'E_MQTT_DISCONNECTED',
      })
      cable.cut()
      await assertion
    })

    it('is found again by itself after it was restarted', async () => {
      const topic = newTopic('availability')
      const pi = await link()
      await pi.publish(topic, 'online', { retain: true })
      await running.restart()
      await eventually('the second connection', () => pi.connected && pi.sessions.length >= 2, 30_000)
      const late = await link()
      await late.subscribe([topic])
      await pi.publish(topic, 'here')
      await eventually('a message over the new connection', () => late.heard(topic).includes('here'))
      expect(late.heard(topic)).toEqual(broker.remembersAcrossRestart ? ['online', 'here'] : ['here'])
    })

    it('is reached by a link that may choose the version of MQTT itself', async () => {
      const topic = newTopic('availability')
      const any = await connected(running.url, 'auto')
      await any.roundTrip(topic)
      expect(any.connected).toBe(true)
    })
  })
}

/** The message ids of PUBACKs in what is written, whoever writes it. */
function pubacksOn(stream: MqttClient['stream']): number[] {
  const ids: number[] = []
  let written = Buffer.alloc(0)
  const write = stream.write.bind(stream) as (chunk: Uint8Array, ...rest: unknown[]) => boolean
  stream.write = (chunk: Uint8Array | string, ...rest: unknown[]) => {
    written = Buffer.concat([written, Buffer.from(chunk as Uint8Array)])
    for (;;) {
      // A fixed header: type, then the length of the rest in seven bits a byte.
      let length = 0
      let at = 1
      for (let more = true; more && at < written.length; at++) {
        length |= ((written[at] ?? 0) & 0x7f) << (7 * (at - 1))
        more = ((written[at] ?? 0) & 0x80) !== 0
      }
      if (written.length < 2 || written.length < at + length) break
      if ((written[0] ?? 0) >> 4 === PUBACK) ids.push(written.readUInt16BE(at))
      written = written.subarray(at + length)
    }
    return write(chunk as Uint8Array, ...rest)
  }
  return ids
}

const PUBACK = 4
