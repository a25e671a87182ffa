import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readParameters } from '../../../phone/classify/parameters.ts'
import { type Recognised, Recognition, type RecognitionOptions } from '../../../phone/recognition/recognition.ts'
import type { Message } from '../../../phone/wire/message.ts'
import { parseMessage } from '../../../phone/wire/parse-message.ts'
import { BATCHES, T0_US } from '../windows/worked-example.ts'

const parameters = await readParameters()
const T0_MS = T0_US / 1000
const STD: RecognitionOptions = { classifier: 'std' }

interface Said {
  readonly name: string
  /** Seconds after the start. */
  readonly at: number
  readonly values: Readonly<Record<string, unknown>>
}

function message(readings: readonly Said[], deviceId = 'phone', sessionId = 'recording'): Message {
  const payload = readings.map(({ name, at, values }) => {
    const ns = `${T0_US + Math.round(at * 1e6)}000`
    return `{"name":"${name}","time":${ns},"values":${JSON.stringify(values)}}`
  })
  const parsed = parseMessage(
    `{"deviceId":"${deviceId}","sessionId":"${sessionId}","payload":[${payload}]}`,
    () => true,
  )
  if (!parsed.ok) throw new Error(parsed.sentence)
  return parsed.message
}

/** A second of a phone in the pocket of somebody who walks, `steps` a second, with gravity. */
function second(from: number, swing: number, hertz = 50): Said[] {
  return Array.from({ length: hertz }, (_, i) => {
    const at = from + i / hertz
    const x = swing * Math.sin(2 * Math.PI * 2 * at)
    return [
      { name: 'accelerometer', at, values: { x: 0.1, y: x, z: 0 } },
      { name: 'gravity', at, values: { x: 0, y: 9.8, z: 0.2 } },
    ]
  }).flat()
}

function record(recognition: Recognition, from: number, to: number, swing: number): Recognised[] {
  const found = []
  for (let at = from; at < to; at++)
    found.push(...recognition.process(message(second(at, swing)), T0_MS + at * 1000 + 1000))
  return found
}

describe('from messages to activities', () => {
  it('somebody sits, walks and runs, and the phone says so too', () => {
    const recognition = Recognition.begin(STD, parameters)
    const own: Said = { name: 'activity', at: 0.5, values: { activity: 'stationary', confidence: 'low' } }
    recognition.process(message([own]), T0_MS)
    const found = [
      ...record(recognition, 0, 30, 0.05),
      ...record(recognition, 30, 60, 7),
      ...record(recognition, 60, 90, 15),
    ]
    found.push(...recognition.flush('phone', 'recording'))
    const at = (end: number) => found.find(({ window }) => window.endUs === T0_US + end * 1e6)?.record
    expect([20, 50, 86].map((end) => at(end)?.activity)).toEqual(['stationary', 'walking', 'running'])
    expect(at(20)).toMatchObject({
      timestamp: '2023-11-14 22:13:40',
      window_start: '2023-11-14T22:13:30.000Z',
      window_end: '2023-11-14T22:13:40.000Z',
      sessionId: 'recording',
      deviceId: 'phone',
      n_samples: 500,
      coverage: 1,
      partial: false,
      model_version: 'std-logit-v1',
      quality: null,
      phone_activity: 'stationary',
      phone_activity_confidence: 'low',
    })
    expect(at(2)).toMatchObject({ activity: 'unknown', confidence: null, quality: 'thin', coverage: 0.2 })
    const ids = found.map(({ record: { window_id: id } }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('the worked example comes out under the first system’s fields', () => {
    const vectors: Readonly<Record<number, object>> = {
      1: { x: 1, y: 0, z: 0 },
      2: { x: 0, y: 0, z: 2 },
      3: { x: 1, y: 2, z: 2 },
      5: { x: 0, y: 3, z: 4 },
      7: { x: 2, y: 3, z: 6 },
      9: { x: 4, y: 4, z: 7 },
      11: { x: 2, y: 6, z: 9 },
      20: { x: 12, y: 16, z: 0 },
    }
    // A batch of two phones is two messages; on Spark they would be one batch.
    const recognition = Recognition.begin({ classifier: 'thresholds', sparkCompat: '>=3.4' }, parameters)
    const found = BATCHES.slice(0, 5).flatMap((batch) =>
      ['A', 'B'].flatMap((phone) => {
        const own = batch.filter(({ deviceId }) => deviceId === phone)
        const said = own.map(({ tUs, magnitude }) => ({
          name: 'accelerometer',
          at: (tUs - T0_US) / 1e6,
          values: vectors[magnitude] as Said['values'],
        }))
        return said.length === 0 ? [] : recognition.process(message(said, phone), T0_MS)
      }),
    )
    const { timestamp, activity, confidence, avg_magnitude: average } = found[0]?.record ?? {}
    expect({ timestamp, activity, confidence, average }).toEqual({
      timestamp: '2023-11-14 22:13:22',
      activity: 'stationary',
      confidence: 0.95,
      average: 1,
    })
  })

  it('a phone that lies and sends gravity as acceleration is not called running', () => {
    const lying = (from: number): Said[] =>
      Array.from({ length: 50 }, (_, i) => ({
        name: 'accelerometer',
        at: from + i / 50,
        values: { x: 0, y: 0.01 * (i % 3), z: 9.81 },
      }))
    const activities = (options: RecognitionOptions) => {
      const recognition = Recognition.begin(options, parameters)
      for (let at = 0; at < 30; at++) recognition.process(message(lying(at)), T0_MS)
      return recognition.flush('phone', 'recording').map(({ record }) => [record.activity, record.quality])
    }
    for (const classifier of ['std', 'thresholds'])
      expect(new Set(activities({ classifier }).map(String))).toEqual(new Set(['stationary,gravity_estimated']))
    expect(activities({ classifier: 'thresholds', sparkCompat: '>=3.4' })).toContainEqual([
      'running',
      'gravity_included',
    ])
  })

  it('a recording that ends within its first two seconds is not forgotten', () => {
    const recognition = Recognition.begin(STD, parameters)
    expect(recognition.process(message(second(0, 5).slice(0, 20)), T0_MS)).toEqual([])
    expect(recognition.idle(T0_MS - 1)).toEqual([])
    expect(recognition.idle(T0_MS)).toEqual([{ deviceId: 'phone', sessionId: 'recording' }])
    // It is far too short for a window; what matters is that it is done.
    expect(recognition.flush('phone', 'recording')).toEqual([])
    expect(recognition.idle(T0_MS + 1e6)).toEqual([])
  })

  it('recordings without end leave no more behind than there is room for', () => {
    const recognition = Recognition.begin({ classifier: 'std', windows: { maxDevices: 20 } }, parameters)
    for (let i = 0; i < 600; i++)
      recognition.process(message(second(i % 7, 5, 10), `phone ${i % 50}`, `recording ${i}`), T0_MS)
    const { recordings, windows } = recognition.snapshot()
    expect(recordings.length).toBeLessThanOrEqual(20 * 8)
    expect((windows as { devices: unknown[] }).devices.length).toBeLessThanOrEqual(20)
    expect(recognition.counters.evicted_devices).toBeGreaterThan(0)
  })
})

describe('a restart', () => {
  it('from snapshots at any points gives the same', () => {
    const sensor = fc.constantFrom('accelerometer', 'accelerometer', 'gravity', 'totalacceleration', 'activity')
    const axis = fc.double({ min: -12, max: 12, noNaN: true })
    const said = fc
      .record({ name: sensor, at: fc.double({ min: 0, max: 1, noNaN: true }), x: axis, y: axis, z: axis })
      .map(({ name, at, ...axes }) => ({ name, at, values: name === 'activity' ? { activity: 'walking' } : axes }))
    const event = fc.record({
      readings: fc.array(said, { maxLength: 60 }),
      session: fc.constantFrom('a', 'b'),
      flush: fc.boolean(),
      restart: fc.boolean(),
    })
    const json = (found: readonly Recognised[]) => found.map(({ record }) => record)
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), (events) => {
        const options = { ...STD, windows: { maxRecordings: 1 } }
        const steady = Recognition.begin(options, parameters)
        let restarted = Recognition.begin(options, parameters)
        for (const [i, { readings, session, flush, restart }] of events.entries()) {
          const one = message(
            readings.map((reading) => ({ ...reading, at: reading.at + i * 1.5 })),
            'phone',
            session,
          )
          if (restart) {
            const back = Recognition.restore(options, parameters, JSON.parse(JSON.stringify(restarted.snapshot())))
            if (back === undefined) throw new Error('the snapshot was not taken')
            restarted = back
          }
          const now = T0_MS + i * 1000
          expect(json(restarted.process(one, now))).toEqual(json(steady.process(one, now)))
          expect(restarted.idle(now)).toEqual(steady.idle(now))
          if (flush) expect(json(restarted.flush('phone', 'a'))).toEqual(json(steady.flush('phone', 'a')))
        }
        expect(restarted.snapshot()).toEqual(steady.snapshot())
      }),
      { numRuns: 40 },
    )
  })

  it('takes no snapshot of another version, or of other rules', () => {
    const recognition = Recognition.begin(STD, parameters)
    recognition.process(message(second(0, 5)), T0_MS)
    const snapshot = recognition.snapshot()
    expect(Recognition.restore(STD, parameters, snapshot)).toBeDefined()
    expect(Recognition.restore(STD, parameters, { ...snapshot, version: 99 })).toBeUndefined()
    expect(Recognition.restore(STD, parameters, { ...snapshot, windows: {} })).toBeUndefined()
    expect(Recognition.restore({ ...STD, sparkCompat: '<=3.3' }, parameters, snapshot)).toBeUndefined()
    expect(Recognition.restore(STD, parameters, 'nothing')).toBeUndefined()
  })
})
