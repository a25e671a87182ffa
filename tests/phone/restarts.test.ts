import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { type Parameters, readParameters } from '../../phone/classify/parameters.ts'
import { type PhoneSettings, phoneSection, type RawMode } from '../../phone/config.ts'
import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from '../../phone/journal/journal-record.ts'
import { openPipeline, type Pipeline } from '../../phone/pipeline.ts'
import { Pump } from '../../phone/pump/pump.ts'
import { Recognition } from '../../phone/recognition/recognition.ts'
import { createPhoneTopics } from '../../phone/topics.ts'
import { IntervalSet } from '../../src/intervals.ts'
import { silentLog } from '../../src/log.ts'
import { createTopics } from '../../src/topics.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'
import { ledger } from '../support/ledgers.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { walkMessage } from '../support/phone-messages.ts'

const topics = createTopics('sensehat', 'homeassistant')
const phoneTopics = createPhoneTopics('phones', topics)
const defaults = Object.fromEntries(Object.entries(phoneSection).map(([key, setting]) => [key, setting.default]))
const KINDS = ['records', 'activity'] as const

let parameters: Parameters
beforeAll(async () => {
  parameters = await readParameters()
})

/** The bridge, as rows see it: what came, by topic and identity, and which of it is in the table. */
class Bridge {
  readonly came = new Map<string, Map<string, string>>()
  readonly committed = new Map<string, Set<string>>()
  #id = 0

  readonly link = {
    subscribe: async () => undefined,
    publish: async (topic: string, payload: string | Buffer) => {
      const value = JSON.parse(payload.toString())
      const known = this.came.get(topic) ?? new Map<string, string>()
      this.came.set(topic, known)
      for (const { after, ...row } of Array.isArray(value) ? value : [value]) {
        // Nothing is given up here: only the first row of all has none before it.
        if (after !== undefined) expect([after, row.seq]).toEqual([`${row.stream}.0`, 1])
        const name = `${row.stream}.${row.seq}`
        const text = JSON.stringify(row)
        expect(known.get(name) ?? text).toBe(text)
        known.set(name, text)
      }
    },
  }

  /** Commits what came of the devices for which `does` says so, and tells. */
  async commit(pipeline: Pipeline, devices: readonly string[], does: (device: string) => boolean): Promise<void> {
    for (const device of devices)
      for (const kind of KINDS) {
        const topic = phoneTopics.rows(kind, device)
        const known = this.committed.get(topic) ?? new Set<string>()
        this.committed.set(topic, known)
        if (does(device)) for (const name of this.came.get(topic)?.keys() ?? []) known.add(name)
        const streams: Record<string, { spooled: [number, number][]; committed: [number, number][] }> = {}
        for (const name of known) {
          const [stream = '', seq] = name.split('.')
          const numbers = new IntervalSet(streams[stream]?.committed)
          numbers.add(Number(seq))
          const all = numbers.toJSON().map(([first, last]): [number, number] => [first, last])
          streams[stream] = { spooled: all, committed: all }
        }
        const said = ledger({ id: ++this.#id, instance: 'br01', incarnation: 1, streams })
        const payload = Buffer.from(JSON.stringify(said))
        const retain = { retain: true, duplicate: false }
        await pipeline.delivery.message({ topic: topics.ledger(phoneTopics.key(kind, device)), payload, ...retain })
      }
  }
}

type Step =
  | { kind: 'message'; phone: 'a' | 'b' }
  | { kind: 'wait'; seconds: number }
  | { kind: 'commit'; all: boolean }
  | { kind: 'kill' | 'power cut' | 'stop'; raw: RawMode }
  | { kind: 'broker away' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('message' as const), phone: fc.constantFrom('a' as const, 'b' as const) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 14 }) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('commit' as const), all: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill' as const, 'power cut' as const, 'stop' as const),
      raw: fc.constantFrom<RawMode>('messages', 'messages', 'samples', 'seconds', 'none'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'broker away' as const }) },
)

it('wherever it ends and begins again, with whatever rows are wanted then: every message that was taken becomes its rows, with the same numbers as without', async () => {
  const steps = fc.array(step, { minLength: 5, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(steps, async (happenings) => {
      const clock = new ManualClock()
      const fs = new MemoryFileSystem()
      const bridge = new Bridge()
      let settings: PhoneSettings = { ...(defaults as never as PhoneSettings), dir: '/phone' }
      const records = new Map<number, JournalRecord>()
      let sequence = 0
      const open = async () => {
        const pipeline = await openPipeline(settings, topics, phoneTopics, {
          clock,
          log: silentLog(),
          random: () => 0.5,
          fs,
          onPumped: (record) => {
            // The journal's numbers rise by one, and a second reading gives the same records.
            const written = encodeJournalRecord(record)
            const known = [...records.values()].some((one) => encodeJournalRecord(one).equals(written))
            // The reference parses what was written; the receiver may still know what it has parsed.
            if (!known) records.set(++sequence, decodeJournalRecord(written))
          },
        })
        void pipeline.delivery.connected(bridge.link)
        await clock.advance(300)
        return pipeline
      }
      let pipeline = await open()
      let isAway = false
      const numbers = { a: 0, b: 0 }
      const taken: string[] = []
      const again = async (raw: RawMode) => {
        isAway = false
        settings = { ...settings, raw }
        pipeline = await open()
      }
      for (const happening of happenings) {
        if (happening.kind === 'message') {
          const { phone } = happening
          const messageId = numbers[phone]++
          const text = walkMessage(
            { deviceId: phone, sessionId: 's', fromMs: clock.now() - messageId * 1_000, rate: 3 },
            messageId,
          )
          const outcome = await pipeline.intake.take(Buffer.from(text), 'http')
          expect(outcome.kind).toBe('stored')
          taken.push(`${phone} ${messageId}`)
        } else if (happening.kind === 'wait') await clock.advance(happening.seconds * 1_000)
        else if (happening.kind === 'commit') {
          await clock.advance(1_000)
          if (!isAway) await bridge.commit(pipeline, ['a', 'b'], (device) => happening.all || device === 'a')
        } else if (happening.kind === 'broker away') {
          isAway = true
          pipeline.delivery.disconnected()
        } else if (happening.kind === 'stop') {
          await pipeline.close()
          await again(happening.raw)
        } else {
          pipeline.delivery.close()
          if (happening.kind === 'kill') fs.kill()
          else fs.crash()
          await again(happening.raw)
        }
        await settled()
      }
      void pipeline.delivery.connected(bridge.link)
      for (let i = 0; i < 20; i++) {
        await clock.advance(2_000)
        await bridge.commit(pipeline, ['a', 'b'], () => true)
      }
      expect(pipeline.delivery.size).toBe(0)

      const recognition = Recognition.begin({ classifier: 'std' }, parameters)
      const whole = new Pump(recognition, {
        making: { raw: 'messages', maxDevices: 1_000, classifier: 'std', parameters },
        journal: pipeline.name,
        position: 0,
        phones: [],
      })
      const wanted = new Map<string, string[]>()
      for (const [number, record] of records)
        for (const { device, kind, row } of whole.process(number, record).rows) {
          const topic = phoneTopics.rows(kind, device)
          wanted.set(topic, [...(wanted.get(topic) ?? []), row.text])
        }
      const came = new Map([...bridge.came].map(([topic, rows]) => [topic, [...rows.values()].sort()]))
      expect(came).toEqual(new Map([...wanted].map(([topic, rows]) => [topic, rows.sort()])))
      const messages = [...records.values()].flatMap((one) =>
        one.kind === 'message' ? [`${one.deviceId} ${one.messageId}`] : [],
      )
      expect(messages.sort()).toEqual(taken.sort())
      await pipeline.close()
    }),
    { numRuns: 40 },
  )
})
