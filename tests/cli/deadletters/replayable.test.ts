import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeReadings } from '../../../bridge/routes/sense-hat-route.ts'
import { type Replayable, replayable } from '../../../cli/deadletters/replayable.ts'
import { MAX_MESSAGE_BYTES } from '../../../src/reading.ts'
import { createTopics } from '../../../src/topics.ts'
import { reading } from '../../support/readings.ts'

const TOPICS = createTopics('sensehat', 'homeassistant')

function planOf(payload: unknown, over: Partial<Parameters<typeof replayable>[0]> = {}, to?: string): Replayable {
  const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  return replayable({ device: 'pi', topic: 'sensehat/pi/readings', payload: bytes, ...over }, TOPICS, to)
}

function sent(plan: Replayable): Record<string, unknown>[] {
  if (plan.kind !== 'ready') throw new Error(plan.why)
  return plan.readings.map(({ text }) => JSON.parse(text) as Record<string, unknown>)
}

describe('a letter that is sent again', () => {
  it('goes without its place in its stream and keeps its identity', () => {
    const [one] = sent(planOf(reading(2, { after: 'aaaaaaaa.0' })))
    expect(one).toEqual({ uuid: 'pi-aaaaaaaa-2', ts: 1_790_000_000, temperature: 21.5 })
  })

  it('gets its identity from its place when it names none', () => {
    expect(sent(planOf({ stream: 'aaaaaaaa', seq: 7, temperature: 1 }))).toEqual([
      { uuid: 'pi-aaaaaaaa-7', temperature: 1 },
    ])
    // A person who repaired it may have taken stream and seq out.
    expect(sent(planOf({ temperature: 1 }, { position: { stream: 'bbbbbbbb', seq: 3 } }))).toEqual([
      { uuid: 'pi-bbbbbbbb-3', temperature: 1 },
    ])
  })

  it('has no identity when nobody knows its place: the bridge gives it one', () => {
    expect(sent(planOf({ temperature: 1 }))).toEqual([{ temperature: 1 }])
  })

  it.each([
    ['a stream without a seq', { stream: 'aaaaaaaa', temperature: 1 }],
    ['a seq that is none', { stream: 'aaaaaaaa', seq: 0, temperature: 1 }],
    ['an after that is none', { after: 'long ago', temperature: 1 }],
    ['times only the bridge may write', { ingestion_timestamp: 'x', bridge_received_at: 5, temperature: 1 }],
  ])('is rid of %s', (_what, body) => {
    expect(sent(planOf(body))).toEqual([{ temperature: 1 }])
  })

  it("goes to its topic's device whatever host it names, or where a person says", () => {
    const body = reading(2, { hostname: 'pj', uuid: 'pj-aaaaaaaa-2' })
    expect(planOf(body)).toMatchObject({ device: 'pi', readings: [{ uuid: 'pj-aaaaaaaa-2' }] })
    expect(planOf(body, {}, 'pj')).toMatchObject({ device: 'pj' })
    expect(sent(planOf(body, {}, 'pj'))[0]).not.toHaveProperty('hostname')
    expect(planOf(reading(1), { device: '' })).toMatchObject({ kind: 'stays', why: expect.stringContaining('--to') })
    expect(planOf(reading(1), { device: '' }, 'pi')).toMatchObject({ kind: 'ready', device: 'pi' })
  })

  it('keeps keys of any name', () => {
    const text = '{"__proto__":{"a":1},"constructor":2}'
    expect(planOf(text)).toMatchObject({ readings: [{ text }] })
  })
})

describe("a letter of another route than the Pis'", () => {
  const over = { device: 'activity.anna', topic: 'phones/anna/activity' }

  it('goes to the topic it came on, its values as they were written, without its place and with its identity', () => {
    const plan = planOf(
      '{ "stream":"aaaaaaaa","seq":4,"after":"aaaaaaaa.1","device":"x","time":1700000000123456789 }',
      over,
    )
    expect(plan).toEqual({
      kind: 'ready',
      device: 'activity.anna',
      topic: 'phones/anna/activity',
      readings: [
        { text: '{"time":1700000000123456789,"uuid":"activity.anna-aaaaaaaa-4"}', uuid: 'activity.anna-aaaaaaaa-4' },
      ],
    })
  })

  it('may be anything that a route may take, one by one', () => {
    const plan = planOf('[23.50, {"a":1e999,"uuid":"mine"}]', { device: 'meter.hall', topic: 'meters/hall' })
    expect(plan).toMatchObject({
      topic: 'meters/hall',
      readings: [
        { text: '23.50', uuid: undefined },
        { text: '{"a":1e999,"uuid":"mine"}', uuid: 'mine' },
      ],
    })
  })

  it.each<[string, Parameters<typeof planOf>, RegExp]>([
    ['for another device', ['{}', over, 'pi'], /route activity, and --to is for readings of Pis/],
    ['of a file that does not name its topic', ['{}', { ...over, topic: '' }], /nobody knows the topic/],
    ['of a file that names a filter', ['{}', { ...over, topic: 'phones/+/activity' }], /nobody knows the topic/],
    ['without a device', ['{}', { device: '', topic: 'phones//activity' }, 'pi'], /^its topic names no device$/],
    ['too long for a message', [`{"note":"${'x'.repeat(MAX_MESSAGE_BYTES)}"}`, over], /bytes/],
    ['no JSON', ['walking', over], /not JSON/],
  ])('stays where it is %s', (_what, asked, why) => {
    expect(planOf(...asked)).toMatchObject({ kind: 'stays', why: expect.stringMatching(why) })
  })
})

describe('a letter that is still no reading stays', () => {
  it.each<[string, unknown, RegExp]>([
    ['no JSON', 'temp=21', /^the payload is not JSON$/],
    ['a number', '42', /JSON object/],
    ['an array in an array', '[[]]', /^reading 1 of 1: .*JSON object/],
    ['nothing', '[]', /no reading/],
    ['text for a number', reading(1, { temperature: 'warm' }), /^temperature: /],
    ['a host that is no name', reading(1, { hostname: 5 }), /^hostname: /],
    ['one bad reading among good ones', [reading(1), reading(2), reading(3, { ts: 'x' })], /^reading 3 of 3: ts: /],
    ['a number that JSON text cannot hold', '{"temperature":1e999}', /^temperature: the number is too large$/],
    ['such a number where anything may stand', '{"note":[1e999]}', /the number is too large$/],
    ['one reading that is too long', reading(1, { note: 'x'.repeat(MAX_MESSAGE_BYTES) }), /bytes/],
    ['nesting beyond reason', `{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, /nested/],
  ])('%s: one sentence says why', (_what, payload, why) => {
    const plan = planOf(payload)
    expect(plan.kind).toBe('stays')
    if (plan.kind === 'stays') expect(plan.why).toMatch(why)
  })

  it('one of which only the beginning was kept', () => {
    expect(planOf('[{"temperature":1},{"temp', { cutFrom: 9_000_000 })).toMatchObject({
      why: 'the payload is not JSON, because only 25 of its 9000000 bytes were kept',
    })
  })

  it('whatever it is, nothing throws, and what is ready the bridge takes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.jsonValue().map((v) => JSON.stringify([v])),
        ),
        (text) => {
          const plan = planOf(text)
          if (plan.kind === 'ready')
            for (const { text: one } of plan.readings)
              expect(decodeReadings('pi', Buffer.from(one)).refused).toEqual([])
        },
      ),
    )
  })
})
