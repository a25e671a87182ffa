import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { pageUrl } from '../../cli/ledger/bridge-page.ts'
import type { Ledger } from '../../src/ledger.ts'
import { aedesBroker } from '../support/aedes-broker.ts'
import { defaultSettings } from '../support/bridge-settings.ts'
import { snowhat } from '../support/command.ts'
import { ledger } from '../support/ledgers.ts'
import { connected } from '../support/links.ts'
import { freePort } from '../support/ports.ts'

const ATTIC = ledger({
  instance: 'run1',
  incarnation: 1_792_000_000_000,
  streams: { aaaaaaaa: { spooled: [[1, 118]], committed: [[1, 110]] }, bbbbbbbb: { spooled: [[1, 2]], committed: [] } },
  counters: { ...ledger().counters, received: 120, redelivered: 3 },
  lag_rows: 10,
  lag_seconds: 2.14,
  last_commit_at: '2026-11-22T12:00:00.000Z',
})
const CELLAR = ledger({
  instance: 'run1',
  streams: {
    cccccccc: {
      spooled: [
        [1, 4],
        [7, 9],
      ],
      committed: [[1, 4]],
      declared: [[6, 6]],
    },
  },
  counters: { ...ledger().counters, received: 7, declared_gaps: 1, undeclared_gaps: 1 },
})

/** A broker that holds what a bridge has left there. */
async function broker(ledgers: Readonly<Record<string, Ledger>>) {
  const aedes = await aedesBroker()
  const link = await connected(aedes.url, '3.1.1')
  const retain = (topic: string, payload: string) => link.publish(topic, payload, { retain: true })
  for (const [hostname, one] of Object.entries(ledgers))
    await retain(`sensehat/bridge/devices/${hostname}`, JSON.stringify(one))
  await retain('sensehat/bridge/availability', 'online')
  await retain(
    'sensehat/bridge/info',
    JSON.stringify({ instance: 'run1', version: '0.1.0', host: 'nas', started_at: 'T' }),
  )
  const env = { SNOWHAT_MQTT_URL: aedes.url, SNOWHAT_HTTP_PORT: String(await freePort()) }
  return { env, ledger: (...argv: string[]) => snowhat(['ledger', ...argv], env) }
}

const HOLD = {
  code: 'another_channel',
  reason: 'it was dropped',
  since: '2026-11-22T12:00:00.000Z',
  choices: { keep: 'goes on', resend: 'sends again' },
  queries: ['SELECT uuid FROM T'],
}

/** A bridge's page, as far as this command goes there. */
async function page(answers: { devices?: unknown; decision?: (token: string | undefined) => [number, unknown] }) {
  const decided: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const [status, body] =
      request.method === 'POST'
        ? (answers.decision?.(request.headers.authorization) ?? [404, {}])
        : [200, answers.devices ?? []]
    if (request.method === 'POST') decided.push(`${request.url} ${Buffer.concat(chunks)}`)
    response.writeHead(status).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, decided }
}

describe('snowhat ledger', () => {
  it('shows each device with what was published, is in the table and is missing, without a bridge to ask', async () => {
    const { ledger: run } = await broker({ 'pi-cellar': CELLAR, 'pi-attic': ATTIC })
    const { code, out, err } = await run()
    expect(err).toBe('')
    expect(code).toBe(1)
    const [head, , attic, cellar, , verdict, next, bridge] = out.trimEnd().split('\n')
    expect(head?.split(/ {2,}/)).toEqual([
      'device',
      'published',
      'received',
      'spooled',
      'committed',
      'missing',
      'given up',
      'redelivered',
      'late',
      'rejected',
      'dead letters',
      'waiting',
      'lag',
      'lane',
    ])
    expect(attic?.split(/ {2,}/)).toEqual(['pi-attic', ...'120 120 120 110 0 0 3 0 0 0 10'.split(' '), '2.1 s', '?'])
    expect(cellar?.split(/ {2,}/).slice(0, 6)).toEqual(['pi-cellar', '9', '7', '7', '4', '1'])
    expect(verdict).toMatch(/^pi-cellar: 1 reading is missing; /)
    expect(next).toMatch(/^ {2}snowhat ledger pi-cellar .*snowhat publisher outbox status$/)
    expect(bridge).toBe('bridge online: instance run1, on nas, version 0.1.0, since T')
  })

  it('is content, exit 0, when nothing is missing', async () => {
    const { ledger: run } = await broker({ 'pi-attic': ATTIC })
    const { code, out } = await run()
    expect(code).toBe(0)
    expect(out).toContain('nothing is missing')
  })

  it('shows one device stream by stream', async () => {
    const { ledger: run } = await broker({ 'pi-cellar': CELLAR, 'pi-attic': ATTIC })
    const { code, out } = await run('pi-cellar')
    expect(code).toBe(1)
    expect(out).toMatch(/^pi-cellar\n/)
    expect(out).toMatch(/cccccccc {2}1-4, 7-9 {2}1-4 {8}5 {8}6\n/)
    expect(out).not.toContain('pi-attic')
  })

  it('gives programs one JSON object per device', async () => {
    const { ledger: run } = await broker({ 'pi-cellar': CELLAR, 'pi-attic': ATTIC })
    const { out } = await run('--json')
    const [attic, cellar] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(attic).toMatchObject({ hostname: 'pi-attic', published: 120, committed: 110, missing: 0, lane: null })
    expect(cellar).toMatchObject({ hostname: 'pi-cellar', missing: 1, ledger: { instance: 'run1' } })
  })

  it("adds the lane and what is to be decided where the bridge's page answers", async () => {
    const { ledger: run } = await broker({ 'pi-attic': ATTIC })
    const { url } = await page({ devices: [{ hostname: 'pi-attic', lane: 'held', hold: HOLD, ledger: ATTIC }] })
    const all = await run('--bridge-url', `${url}/`)
    expect(all.code).toBe(1)
    expect(all.out).toContain('pi-attic: held until you decide\n  snowhat ledger pi-attic ')
    const one = await run('pi-attic', '--bridge-url', url)
    expect(one.out).toContain('held since 2026-11-22T12:00:00.000Z: it was dropped')
    expect(one.out).toContain('  SELECT uuid FROM T;')
    expect(one.out).toContain('  snowhat ledger pi-attic --keep\n      goes on')
  })

  it('does not believe the page of another bridge', async () => {
    const { ledger: run } = await broker({ 'pi-attic': ATTIC })
    const other = { ...ATTIC, instance: 'oth1' }
    const { url } = await page({ devices: [{ hostname: 'pi-attic', lane: 'held', hold: HOLD, ledger: other }] })
    expect(await run('--bridge-url', url)).toMatchObject({ code: 0 })
  })

  it('says when no bridge has ever been at the broker, or when it knows nothing of a host', async () => {
    const { ledger: run } = await broker({})
    expect(await run()).toMatchObject({ code: 0, out: expect.stringContaining('no ledger at mqtt://') })
    const { code, err } = await run('pi-nowhere')
    expect(code).toBe(1)
    expect(err).toMatch(/^snowhat: there is no ledger of pi-nowhere at /)
  })

  it('says in one sentence that the broker cannot be reached', async () => {
    const { code, err } = await snowhat(['ledger'], { SNOWHAT_MQTT_URL: `mqtt://127.0.0.1:${await freePort()}` })
    expect(code).toBe(1)
    expect(err).toMatch(/^snowhat: cannot reach the MQTT broker mqtt:\/\/.*ECONNREFUSED.*\n.*SNOWHAT_MQTT_URL.*\n$/)
  })

  it('shows nobody the password in the address of the broker', async () => {
    const { env } = await broker({})
    const nowhere = `mqtt://127.0.0.1:${await freePort()}`
    for (const [url, ...argv] of [
      [env.SNOWHAT_MQTT_URL, 'ledger'],
      [env.SNOWHAT_MQTT_URL, 'ledger', 'pi-nowhere'],
      [nowhere, 'ledger'],
    ] as const) {
      const secret = url.replace('//', '//pi:hunter2@')
      const { out, err } = await snowhat([...argv], { ...env, SNOWHAT_MQTT_URL: secret })
      expect(out + err).toContain(url.replace('//', '//[secret]@'))
      expect(out + err).not.toContain('hunter2')
    }
  })

  it.each([[['a', 'b']], [['--keep']], [['pi', '--keep', '--resend']]])('%j is bad usage', async (argv) => {
    expect((await snowhat(['ledger', ...argv], {})).code).toBe(2)
  })
})

describe('snowhat ledger HOST --keep', () => {
  it('hands the decision and the token to the bridge, and says what that does', async () => {
    const { url, decided } = await page({
      decision: (token) => (token === 'Bearer secret' ? [200, { effect: 'goes on' }] : [401, { error: 'no' }]),
      devices: [{ hostname: 'pi', lane: 'ready', hold: null, ledger: ATTIC }],
    })
    const { code, out } = await snowhat(['ledger', 'pi', '--keep', '--bridge-url', url], {
      SNOWHAT_HTTP_TOKEN: 'secret',
    })
    expect(code).toBe(0)
    expect(out).toBe('pi: goes on\nits lane is ready now\n')
    expect(decided).toEqual(['/api/devices/pi/decision {"decision":"keep"}'])
  })

  it.each([
    [401, { error: 'this needs the token' }, /this needs the token .*\n.*SNOWHAT_HTTP_TOKEN_FILE/],
    [403, { error: 'decisions are off: set http.token_file' }, /decisions are off/],
    [409, { error: 'pi is not held', hint: 'nothing to do' }, /pi is not held .*\n.*nothing to do/],
  ])('says why the bridge does not take it (%i)', async (status, body, words) => {
    const { url } = await page({ decision: () => [status, body] })
    const { code, err } = await snowhat(['ledger', 'pi', '--resend', '--bridge-url', url], {})
    expect(code).toBe(1)
    expect(err).toMatch(words)
  })

  it("says when the bridge's page is not there", async () => {
    const port = String(await freePort())
    const { code, err } = await snowhat(['ledger', 'pi', '--keep'], { SNOWHAT_HTTP_PORT: port })
    expect(code).toBe(1)
    expect(err).toMatch(/page does not answer at http:\/\/127\.0\.0\.1:\d+.*\n.*--bridge-url/)
  })

  it.each([
    ['127.0.0.1', 'http://127.0.0.1:8080'],
    ['0.0.0.0', 'http://127.0.0.1:8080'],
    ['::', 'http://127.0.0.1:8080'],
    ['nas', 'http://nas:8080'],
    ['fd00::1', 'http://[fd00::1]:8080'],
  ])('finds the page of a bridge that listens on %s', (host, url) => {
    expect(pageUrl({ ...defaultSettings.http, host }, undefined)).toBe(url)
  })
})
