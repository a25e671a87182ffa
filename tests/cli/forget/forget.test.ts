import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { aedesBroker } from '../../support/aedes-broker.ts'
import { snowhat } from '../../support/command.ts'
import { ledger } from '../../support/ledgers.ts'
import { connected, type TestLink } from '../../support/links.ts'
import { freePort } from '../../support/ports.ts'

const OWN = [
  'homeassistant/device/pi-attic/sensehat/config',
  'homeassistant/device/pi-attic/sensehat_pipeline/config',
  'sensehat/bridge/devices/pi-attic',
  'sensehat/pi-attic/availability',
  'sensehat/pi-attic/info',
  'sensehat/pi-attic/led',
]
const OTHERS = [
  'homeassistant/device/pi-attic2/sensehat/config',
  'homeassistant/device/sensehat_bridge/config',
  'sensehat/bridge/devices/pi-attic2',
  'sensehat/pi-attic2/info',
]

interface World {
  readonly link: TestLink
  /** In the order they were emptied. */
  readonly emptied: string[]
  forget(...argv: string[]): ReturnType<typeof snowhat>
  /** Topics the broker holds. */
  held(): Promise<string[]>
}

interface Setting {
  readonly availability?: string
  readonly outbox?: number
  /** The bridge's page: what it is asked, and what it says. No bridge runs without. */
  readonly page?: { readonly url: string }
}

/** A broker that holds what a Pi, its neighbour and the bridge have left there. */
async function world({ availability = 'offline', outbox = 0, page }: Setting = {}): Promise<World> {
  const broker = await aedesBroker()
  const link = await connected(broker.url, '3.1.1')
  const payloads: Record<string, string> = {
    'sensehat/pi-attic/availability': availability,
    'sensehat/pi-attic/info': JSON.stringify({ outbox: { readings: outbox } }),
    'sensehat/bridge/devices/pi-attic': JSON.stringify(ledger({ instance: 'run1' })),
    'sensehat/bridge/availability': page === undefined ? 'offline' : 'online',
    'sensehat/bridge/info': JSON.stringify({ instance: 'run1' }),
  }
  for (const topic of new Set([...OWN, ...OTHERS, ...Object.keys(payloads)]))
    await link.publish(topic, payloads[topic] ?? 'x', { retain: true })
  const before = broker.published.all.length
  const args = ['--mqtt-url', broker.url, ...(page === undefined ? [] : ['--bridge-url', page.url])]
  return {
    link,
    get emptied() {
      return broker.published.all
        .slice(before)
        .filter(([, payload]) => payload === '')
        .map(([topic]) => topic)
    },
    forget: (...argv) => snowhat(['forget', ...argv, ...args], { SNOWHAT_HTTP_TOKEN: 'secret' }),
    held: async () => {
      const reader = await connected(broker.url, '3.1.1')
      await reader.subscribe(['#'])
      for (let before = -1; before < reader.messages.length; ) {
        before = reader.messages.length
        await reader.roundTrip('test/read')
      }
      return reader.messages.filter(({ retain }) => retain).map(({ topic }) => topic)
    },
  }
}

/** A bridge's page as far as this command goes there. */
async function page({
  answer = [200, { rows_given_up: 0, channel: 'kept' }] as [number, object],
  onForget = async (): Promise<void> => undefined,
} = {}) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    if (request.method === 'DELETE') {
      asked.push(`${request.url} ${request.headers.authorization}`)
      await onForget()
    }
    const [status, body] = request.method === 'DELETE' ? answer : [200, { instance: 'run1', spool_on_disk: true }]
    response.writeHead(status).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

describe('snowhat forget', () => {
  it("empties all that is retained of the device, Home Assistant's documents first, and nothing else", async () => {
    const bridge = await page()
    const w = await world({ page: bridge })
    const { code, out, err } = await w.forget('pi-attic')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(w.emptied).toEqual(OWN)
    expect((await w.held()).sort()).toEqual([...OTHERS, 'sensehat/bridge/availability', 'sensehat/bridge/info'].sort())
    for (const topic of OWN) expect(out).toContain(topic)
    expect(out).toContain('6 retained messages of pi-attic emptied; the broker holds none any more')
    expect(out).toContain('the bridge has forgotten it')
    expect(out).toContain('snowhat forget pi-attic --channel drops it')
  })

  it('lets the bridge forget it first: what is emptied before would be written again', async () => {
    let atBroker: string[] = []
    const bridge = await page({
      onForget: async () => {
        atBroker = await w.held()
      },
    })
    const w = await world({ page: bridge })
    await w.forget('pi-attic')
    expect(atBroker).toEqual(expect.arrayContaining(OWN))
    expect(bridge.asked).toEqual(['/api/devices/pi-attic?force=false&channel=false Bearer secret'])
  })

  it('tells programs in one JSON object', async () => {
    const bridge = await page({ answer: [200, { rows_given_up: 3, channel: 'dropped' }] })
    const w = await world({ page: bridge })
    const { out } = await w.forget('pi-attic', '--channel', '--force', '--json')
    const said = JSON.parse(out) as { topics: { topic: string; bytes: number }[] }
    expect(said).toMatchObject({ hostname: 'pi-attic', bridge: 'forgot', rows_given_up: 3, channel: 'dropped' })
    expect(said.topics.map(({ topic }) => topic)).toEqual(OWN)
    expect(bridge.asked).toEqual(['/api/devices/pi-attic?force=true&channel=true Bearer secret'])
  })

  it('--dry-run shows what would go, and changes nothing', async () => {
    const bridge = await page()
    const w = await world({ page: bridge })
    const before = await w.held()
    const { code, out } = await w.forget('pi-attic', '--dry-run')
    expect(code).toBe(0)
    for (const topic of OWN) expect(out).toContain(topic)
    expect(out).toContain('nothing was done')
    expect((await w.held()).sort()).toEqual(before.sort())
    expect(bridge.asked).toEqual([])
  })

  it('leaves a Pi alone that is online, unless it is forced', async () => {
    const w = await world({ page: await page(), availability: 'online' })
    const { code, err } = await w.forget('pi-attic')
    expect(code).toBe(1)
    expect(err).toMatch(/^snowhat: pi-attic is online: .*\n.*stop snowhat publisher/)
    expect(await w.held()).toEqual(expect.arrayContaining(OWN))
    expect((await w.forget('pi-attic', '--force')).code).toBe(0)
  })

  it('leaves a Pi alone that is heard though the broker says it is offline', async () => {
    const w = await world({ page: await page() })
    const stop = new AbortController()
    const speaking = (async () => {
      while (!stop.signal.aborted) {
        await w.link.publish('sensehat/pi-attic/state', '{}')
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()
    const { err } = await w.forget('pi-attic')
    stop.abort()
    await speaking
    expect(err).toMatch(/^snowhat: pi-attic is online/)
  })

  it('empties nothing when the bridge does not forget', async () => {
    const w = await world({ page: await page({ answer: [409, { error: 'rows wait', hint: 'so wait' }] }) })
    const { code, err } = await w.forget('pi-attic')
    expect(code).toBe(1)
    expect(err).toBe('snowhat: the bridge says: rows wait (E_BRIDGE_ANSWER)\n         so wait\n')
    expect(await w.held()).toEqual(expect.arrayContaining(OWN))
  })

  it('empties nothing while a running bridge cannot be told', async () => {
    const w = await world({ page: { url: `http://127.0.0.1:${await freePort()}` } })
    expect((await w.forget('pi-attic', '--force')).err).toMatch(/its page does not answer at http.*\n.*--bridge-url/)
    expect(await w.held()).toEqual(expect.arrayContaining(OWN))
  })

  it('does without a bridge when it is forced', async () => {
    const w = await world({ outbox: 2 })
    const { code, out } = await w.forget('pi-attic', '--force')
    expect(code).toBe(0)
    expect(out).not.toContain('bridge has')
    expect(w.emptied).toEqual(OWN)
  })

  it('empties what is left of a device that the bridge does not know', async () => {
    const w = await world({ page: await page({ answer: [404, { error: 'there is no device' }] }) })
    const { code, out } = await w.forget('pi-attic')
    expect(code).toBe(0)
    expect(out).toContain('the bridge did not know it')
  })

  it('says when there is nothing', async () => {
    const w = await world({ page: await page({ answer: [404, {}] }) })
    const { code, err } = await w.forget('pi-nowhere')
    expect(code).toBe(1)
    expect(err).toMatch(/^snowhat: mqtt:\/\/.* holds nothing of pi-nowhere .*\n/)
  })

  it.each([[[]], [['a', 'b']], [['Pi.Attic']], [['+']], [['bridge']]])('%j is bad usage', async (argv) => {
    expect((await snowhat(['forget', ...argv], {})).code).toBe(2)
  })

  it('knows a host name for what it becomes', async () => {
    expect((await snowhat(['forget', 'Pi.Attic'], {})).err).toContain('did you mean pi-attic?')
  })
})
