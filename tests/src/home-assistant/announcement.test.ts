import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Announcement } from '../../../src/home-assistant/announcement.ts'
import type { HaComponent, HaDocument } from '../../../src/home-assistant/document.ts'
import { encodeHaDocument } from '../../../src/home-assistant/encode.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

const TOPIC = 'homeassistant/device/pi-a/sensehat/config'

function documentOf(keys: readonly string[], version = '1'): HaDocument {
  const sensor = (key: string): HaComponent => ({ platform: 'sensor', unique_id: `sensehat_pi-a_${key}`, name: key })
  return {
    device: { identifiers: ['sensehat_pi-a'], name: 'Pi', sw_version: version },
    origin: { name: 'snowhat' },
    components: Object.fromEntries(keys.map((key) => [key, sensor(key)])),
  }
}

/** An announcement and a broker that keeps what is retained, and brings it back when `echoes`. */
function world(broker: { held?: string; echoes?: boolean; refuses?: boolean } = {}) {
  const clock = new ManualClock()
  const sent: { at: number; text: string }[] = []
  let document = documentOf(['temperature'])
  let problems = 0
  const announcement = new Announcement(TOPIC, () => document, {
    clock,
    log: silentLog(),
    onProblem: () => problems++,
  })
  let { held } = broker
  const hear = (text: string, retain: boolean) =>
    announcement.message({ topic: TOPIC, payload: Buffer.from(text), retain })
  const announcer = {
    publish: async (_topic: string, text: string) => {
      if (broker.refuses) throw new Error('Not authorized')
      sent.push({ at: clock.monotonic(), text })
      held = text
      if (broker.echoes ?? true) hear(text, false)
    },
  }
  return {
    announcement,
    clock,
    sent,
    hear,
    problems: () => problems,
    become: (next: HaDocument) => {
      document = next
      announcement.changed()
    },
    connect: async (keeps = false) => {
      if (held !== undefined) hear(held, true)
      await announcement.connected(announcer, keeps)
      await settled()
    },
    lose: () => announcement.disconnected(),
    wipe: () => {
      held = undefined
    },
    parsed: () => JSON.parse(sent.at(-1)?.text ?? '{}') as HaDocument,
  }
}

describe('a device document', () => {
  it('is sent to a broker that does not hold it, and not to one that does', async () => {
    const fresh = world()
    await fresh.connect()
    expect(fresh.sent.length).toBe(1)
    fresh.lose()
    await fresh.connect()
    expect(fresh.sent.length).toBe(1)
    const known = world({ held: encodeHaDocument(documentOf(['temperature'])) })
    await known.connect()
    expect(known.sent).toEqual([])
  })

  it('is sent again to a broker that has lost it', async () => {
    const one = world()
    await one.connect()
    one.lose()
    one.wipe()
    await one.connect()
    expect(one.sent.length).toBe(2)
  })

  it('is never sent by a timer', async () => {
    const one = world()
    await one.connect()
    await one.clock.advance(7 * 86_400_000)
    expect(one.sent.length).toBe(1)
  })

  it("is sent again after Home Assistant's birth, and a version from around it once more a minute later", async () => {
    const one = world()
    await one.connect()
    await one.clock.advance(100_000)
    await one.announcement.born()
    expect(one.sent.length).toBe(2)
    one.become(documentOf(['temperature'], '2'))
    await one.clock.advance(10_000)
    expect(one.sent.length).toBe(3)
    await one.clock.advance(600_000)
    expect(one.sent.length).toBe(4)
    expect(one.sent[3]?.text).toBe(one.sent[2]?.text)
  })

  it('that the broker held already is said once after a birth: it is no new version', async () => {
    const one = world({ held: encodeHaDocument(documentOf(['temperature'])) })
    await one.connect()
    await one.announcement.born()
    await one.clock.advance(600_000)
    expect(one.sent.length).toBe(1)
  })

  it('that changes often is sent at most every five seconds, the last version in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(4_000), fc.nat(3)), { maxLength: 30 }), async (changes) => {
        const one = world()
        await one.connect()
        for (const [pause, version] of changes) {
          await one.clock.advance(pause)
          one.become(documentOf(['temperature'], String(version)))
        }
        await one.clock.advance(20_000)
        const last = String(changes.at(-1)?.[1] ?? 1)
        expect(one.parsed().device.sw_version).toBe(last)
        for (const [i, { at }] of one.sent.entries())
          if (i > 0) expect(at - (one.sent[i - 1]?.at ?? 0)).toBeGreaterThanOrEqual(5_000)
      }),
    )
  })

  it('buries what the broker still holds of components that are gone, and lets them rise again', async () => {
    const one = world({ held: encodeHaDocument(documentOf(['temperature', 'humidity', 'pressure'])) })
    await one.connect()
    expect(one.parsed().components).toMatchObject({
      temperature: { unique_id: 'sensehat_pi-a_temperature' },
      humidity: { platform: 'sensor' },
      pressure: { platform: 'sensor' },
    })
    expect(one.parsed().components.humidity).toEqual({ platform: 'sensor' })
    one.become(documentOf(['temperature', 'humidity']))
    await one.clock.advance(10_000)
    expect(one.parsed().components.humidity).toMatchObject({ unique_id: 'sensehat_pi-a_humidity' })
    expect(one.parsed().components.pressure).toEqual({ platform: 'sensor' })
  })

  it('that was deleted in Home Assistant is not sent again: not changed, not after a birth, not on a new connection', async () => {
    const one = world()
    await one.connect()
    one.hear('', false)
    expect(one.announcement.removed).toBe(true)
    one.wipe()
    one.become(documentOf(['temperature'], '2'))
    await one.announcement.born()
    one.lose()
    await one.connect()
    await one.clock.advance(100_000)
    expect(one.sent.length).toBe(1)
  })

  it('that was deleted while nobody listened stays deleted: the broker kept all else; a broker that lost all gets it again', async () => {
    const one = world()
    await one.connect()
    one.lose()
    one.wipe()
    await one.connect(true)
    expect([one.announcement.removed, one.sent.length]).toEqual([true, 1])
    const other = world()
    await other.connect()
    other.lose()
    other.wipe()
    await other.connect(false)
    expect([other.announcement.removed, other.sent.length]).toEqual([false, 2])
  })

  it('that is found at the broker has arrived after all', async () => {
    const broker = { echoes: false }
    const one = world(broker)
    await one.connect()
    await one.clock.advance(11_000)
    expect(one.announcement.refused).toBeDefined()
    one.lose()
    await one.connect()
    expect(one.announcement.refused).toBeUndefined()
  })

  it('that does not come back is told of, once, until it does', async () => {
    const broker = { echoes: false }
    const one = world(broker)
    await one.connect()
    await one.clock.advance(9_000)
    expect(one.announcement.refused).toBeUndefined()
    await one.clock.advance(2_000)
    expect([one.announcement.refused, one.problems()]).toEqual([expect.any(String), 1])
    broker.echoes = true
    await one.announcement.born()
    expect([one.announcement.refused, one.problems()]).toEqual([undefined, 2])
  })

  it('that is refused is told of at once', async () => {
    const one = world({ refuses: true })
    await one.connect()
    expect(one.announcement.refused).toContain('Not authorized')
  })

  it('of a stranger at its place is overwritten at the next connection, and not fought for', async () => {
    const one = world()
    await one.connect()
    one.hear('{"device":{}}', false)
    await one.clock.advance(100_000)
    expect(one.sent.length).toBe(1)
    one.lose()
    await one.connect()
    expect(one.sent.length).toBe(1)
    one.lose()
    one.hear('no JSON at all', true)
    one.wipe()
    await one.connect()
    expect(one.sent.length).toBe(2)
  })
})
