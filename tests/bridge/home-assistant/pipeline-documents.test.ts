import fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { pipelineDocument } from '../../../bridge/home-assistant/pipeline-document.ts'
import { PipelineDocuments } from '../../../bridge/home-assistant/pipeline-documents.ts'
import { createTopics } from '../../../src/topics.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { RetainingBroker } from './retaining-broker.ts'

const topics = createTopics('sensehat', 'homeassistant')
const own = (hostname: string) => topics.deviceDiscovery(hostname)
const ours = (hostname: string) => topics.pipelineDiscovery(hostname)

/** A bridge's pipeline documents at a broker, which may have been there before. */
function world({ known = [] as string[], devices = [] as string[], version = '1' } = {}) {
  const clock = new ManualClock()
  const warnings: Record<string, unknown>[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line)) })
  const make = (as: string) =>
    new PipelineDocuments({
      clock,
      log,
      random: () => 0.5,
      topics,
      devices: () => devices,
      document: (hostname) => pipelineDocument({ hostname, version: as, underBridge: true }, topics),
    })
  let documents = make(version)
  const broker = new RetainingBroker((message) => documents.take(message))
  for (const hostname of known) broker.say(own(hostname), `{"of":"${hostname}"}`)
  const connect = async () => {
    await broker.link.subscribe(documents.filters)
    await broker.link.roundTrip('marker')
    await documents.connected(broker.link, broker.ended)
  }
  /** All that is to be said is said, and has come back. */
  const rest = async (ms = 10_000) => {
    for (let left = ms; left > 0; left -= 500) {
      await clock.advance(500)
      broker.deliver()
    }
  }
  return {
    clock,
    broker,
    warnings,
    connect,
    rest,
    documents: () => documents,
    lose: () => {
      documents.disconnected()
      broker.cut()
    },
    restart: async (as = version) => {
      documents.disconnected()
      broker.cut()
      documents = make(as)
      await connect()
    },
    /** Topics of ours that were published, the empty ones with a `-` before them. */
    said: () => broker.published.map(({ topic, payload }) => (payload === '' ? `-${topic}` : topic)),
  }
}

describe("the bridge's part of a Pi's device", () => {
  it('is announced for each Pi that is announced, and for nobody else', async () => {
    const { broker, connect, rest, said } = world({ known: ['pi-a', 'pi-b'], devices: ['pi-a', 'pi-c'] })
    await connect()
    await rest()
    expect(said()).toEqual([ours('pi-a'), ours('pi-b')])
    broker.say(own('pi-c'), '{}')
    broker.deliver()
    await rest()
    expect(said()).toEqual([ours('pi-a'), ours('pi-b'), ours('pi-c')])
  })

  it('is not sent again by time, by a connection, or by a bridge that starts anew', async () => {
    const { connect, lose, rest, restart, said } = world({ known: ['pi-a'] })
    await connect()
    await rest(3_600_000)
    lose()
    await connect()
    await rest()
    await restart()
    await rest()
    expect(said()).toEqual([ours('pi-a')])
  })

  it('of an earlier release is replaced, and what it had more is buried', async () => {
    const { broker, connect, rest, restart } = world({ known: ['pi-a'] })
    await connect()
    await rest()
    const old = JSON.parse(broker.retained.get(ours('pi-a')) ?? '') as { components: Record<string, unknown> }
    old.components.speed = { platform: 'sensor', unique_id: 'sensehat_pi-a_speed' }
    broker.say(ours('pi-a'), JSON.stringify(old))
    await restart('2')
    await rest()
    const now = JSON.parse(broker.retained.get(ours('pi-a')) ?? '') as typeof old & { origin: object }
    expect(now.origin).toMatchObject({ sw_version: '2' })
    expect(now.components.speed).toEqual({ platform: 'sensor' })
  })

  it('goes with the Pi, and comes back when the Pi announces itself again', async () => {
    const { broker, connect, rest, said } = world({ known: ['pi-a'] })
    await connect()
    await rest()
    broker.say(own('pi-a'), '')
    await rest()
    expect(broker.retained.size).toBe(0)
    broker.say(own('pi-a'), '{}')
    await rest()
    expect(said()).toEqual([ours('pi-a'), `-${ours('pi-a')}`, ours('pi-a')])
  })

  it.each([
    ['its own first', [own, ours]],
    ["the bridge's first", [ours, own]],
  ])(
    'deleted in Home Assistant with both documents (%s) is not touched, until the Pi comes again',
    async (_, order) => {
      const { broker, connect, rest, restart, said, documents } = world({ known: ['pi-a'], devices: ['pi-a'] })
      await connect()
      await rest()
      for (const topic of order) broker.say(topic('pi-a'), '')
      await rest()
      documents().born()
      await rest()
      await restart()
      await rest()
      expect(said()).toEqual([ours('pi-a')])
      expect(broker.retained.size).toBe(0)
      broker.say(own('pi-a'), '{}')
      await rest()
      expect(broker.retained.has(ours('pi-a'))).toBe(true)
    },
  )

  it('comes back with a Pi that announces itself at once after it was deleted', async () => {
    const { broker, connect, rest } = world({ known: ['pi-a'] })
    await connect()
    await rest()
    broker.say(ours('pi-a'), '')
    broker.say(own('pi-a'), '')
    broker.deliver()
    broker.say(own('pi-a'), '{}')
    await rest()
    expect(broker.retained.has(ours('pi-a'))).toBe(true)
  })

  it('is not taken for deleted because its own emptying is heard late', async () => {
    const { broker, clock, connect, documents, rest, said } = world({ known: ['pi-a'] })
    await connect()
    await rest()
    broker.say(own('pi-a'), '')
    broker.deliver()
    broker.say(own('pi-a'), '{}')
    await clock.advance(3_000)
    expect(said()).toEqual([ours('pi-a'), `-${ours('pi-a')}`])
    await rest()
    documents().born()
    await rest()
    expect(said().slice(2)).toEqual([ours('pi-a'), ours('pi-a')])
  })

  it('goes with the Pi also where the broker does not let the bridge read it', async () => {
    const { broker, connect, rest, warnings } = world({ known: ['pi-a'] })
    broker.mutes = (topic) => topic === ours('pi-a')
    await connect()
    await rest(30_000)
    expect(warnings).toHaveLength(1)
    broker.say(own('pi-a'), '')
    await rest()
    expect(broker.retained.size).toBe(0)
  })

  it('that alone was deleted in Home Assistant does not come back by itself', async () => {
    const { broker, connect, rest, said, documents } = world({ known: ['pi-a'] })
    await connect()
    await rest()
    broker.say(ours('pi-a'), '')
    await rest()
    documents().born()
    broker.say(own('pi-a'), '{"another":"version"}')
    await rest()
    expect(said()).toEqual([ours('pi-a')])
  })

  it('of a Pi that was forgotten while the bridge was away is emptied when it comes', async () => {
    const { broker, connect, lose, rest } = world({ known: ['pi-a', 'pi-b'] })
    await connect()
    await rest()
    lose()
    broker.say(own('pi-a'), '')
    await connect()
    await rest()
    expect([...broker.retained.keys()].sort()).toEqual([own('pi-b'), ours('pi-b')])
  })

  it('is not taken for a ghost because the broker has dropped what it should have brought', async () => {
    const { broker, connect, lose, rest, said } = world({ known: ['pi-a', 'pi-b'] })
    await connect()
    await rest()
    lose()
    broker.drops = (topic) => topic === own('pi-b')
    await connect()
    await rest()
    expect(said()).toEqual([ours('pi-a'), ours('pi-b')])
    expect(broker.retained.has(ours('pi-b'))).toBe(true)
  })

  it('of a large fleet is said at most twenty times a second, also after a birth', async () => {
    const { broker, clock, connect, documents } = world({ known: Array.from({ length: 100 }, (_, i) => `pi-${i}`) })
    await connect()
    const perSecond = async () => {
      const before = broker.published.length
      await clock.advance(1_000)
      return broker.published.length - before
    }
    for (let second = 0; second < 10; second++) expect(await perSecond()).toBeLessThanOrEqual(20)
    expect(broker.published.length).toBe(100)
    broker.deliver()
    documents().born()
    for (let second = 0; second < 10; second++) expect(await perSecond()).toBeLessThanOrEqual(20)
    expect(broker.published.length).toBe(200)
  })

  it('that the broker refuses is told of once, for the whole fleet', async () => {
    const { broker, connect, rest, warnings } = world({ known: ['pi-a', 'pi-b', 'pi-c'] })
    broker.refuses = () => true
    await connect()
    await rest(60_000)
    expect(warnings).toMatchObject([{ hint: expect.stringContaining('sensehat_pipeline') }])
  })

  it('leaves no ghost and is not missing, whatever happens in whatever order', async () => {
    const step = fc.oneof(
      fc.record({ act: fc.constantFrom('announce', 'forget', 'delete own first', 'delete ours first'), pi: fc.nat(2) }),
      fc.record({ act: fc.constantFrom('lose and connect', 'restart', 'birth'), pi: fc.constant(0) }),
      fc.record({ act: fc.constant('wait'), pi: fc.nat(3_000) }),
      fc.record({ act: fc.constant('deliver'), pi: fc.nat(3) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { broker, clock, connect, documents, lose, rest, restart, said } = world({ devices: ['pi-0'] })
        await connect()
        for (const { act, pi } of steps) {
          const [mine, its] = [own(`pi-${pi}`), ours(`pi-${pi}`)]
          if (act === 'announce') broker.say(mine, '{}')
          else if (act === 'forget') broker.say(mine, '')
          else if (act === 'wait') await clock.advance(pi)
          else if (act === 'deliver') broker.deliver(pi)
          else if (act === 'birth') documents().born()
          else if (act === 'restart') await restart()
          else if (act === 'lose and connect') {
            lose()
            await connect()
          } else for (const topic of act === 'delete own first' ? [mine, its] : [its, mine]) broker.say(topic, '')
        }
        await rest(20_000)
        for (const pi of ['pi-0', 'pi-1', 'pi-2'])
          if (!broker.retained.has(own(pi))) expect([...broker.retained.keys()]).not.toContain(ours(pi))
        const words = said().length
        await rest(120_000)
        expect(said().length).toBeLessThanOrEqual(words + 3)
        // Whoever comes anew is whole again.
        for (const pi of ['pi-0', 'pi-1', 'pi-2']) broker.say(own(pi), '')
        await rest()
        for (const pi of ['pi-0', 'pi-1', 'pi-2']) broker.say(own(pi), '{}')
        await rest()
        for (const pi of ['pi-0', 'pi-1', 'pi-2']) expect([...broker.retained.keys()]).toContain(ours(pi))
      }),
      { numRuns: 40 },
    )
  })
})
