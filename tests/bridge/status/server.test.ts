import { describe, expect, it, onTestFinished } from 'vitest'
import { BackPressure } from '../../../bridge/back-pressure.ts'
import { MemoryDeadLetters } from '../../../bridge/dead-letters/memory-dead-letters.ts'
import { serveStatus } from '../../../bridge/status/server.ts'
import { silentLog } from '../../../src/log.ts'
import { FIELDS as READING } from '../../../src/reading.ts'
import { defaultSettings } from '../../support/bridge-settings.ts'
import { LaneWorld } from '../../support/lane-world.ts'
import { anyRows, reading } from '../../support/readings.ts'
import { statusOf } from '../../support/status.ts'

const STALLED_AFTER = 300_000

interface Answer {
  readonly status: number
  readonly body: {
    readonly [key: string]: unknown
    readonly reasons?: readonly { readonly code: string; readonly devices?: readonly string[] }[]
  }
}

/** The page of a bridge whose lanes, spool and Snowflake are a lane world's. */
async function page({ token = '' } = {}) {
  const world = new LaneWorld()
  const { clock, spool } = world
  const outside = { brokerAway: 0, beside: false, lettersFail: false }
  const deadLetters = Object.defineProperty(new MemoryDeadLetters(), 'failing', { get: () => outside.lettersFail })
  const pressure = new BackPressure({ clock, log: silentLog(), spool, maxBytes: 1_000, resume: () => undefined })
  const source = statusOf(world, {
    connected: () => outside.brokerAway === 0,
    stalledAfter: STALLED_AFTER,
    brokerAway: () => outside.brokerAway,
    beside: () => outside.beside,
    deadLetters,
    pressure,
  })
  const server = await serveStatus({ ...defaultSettings.http, port: 0, token }, source, silentLog())
  onTestFinished(async () => {
    await server.close()
    const closing = world.close()
    await world.clock.advance(60_000)
    await closing
  })
  const url = `http://127.0.0.1:${server.port}`
  const get = async (path: string): Promise<Answer> => {
    const response = await fetch(url + path)
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
  const decide = async (body: string, headers: Record<string, string> = {}, host = 'pi'): Promise<Answer> => {
    const response = await fetch(`${url}/api/devices/${host}/decision`, { method: 'POST', body, headers })
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
  const forget = async (query = '', headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(`${url}/api/devices/pi${query}`, { method: 'DELETE', headers })
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
  const reasons = async () => (await get('/healthz')).body.reasons?.map(({ code }) => code) ?? []
  return { world, outside, pressure, url, get, decide, forget, reasons }
}

/** Three rows committed, then another channel. */
async function held(world: LaneWorld): Promise<void> {
  world.take(1, 3)
  await world.run(4_000)
  world.snowpipe.lose('pi')
  world.take(4, 6)
  await world.run(4_000)
}

describe('/healthz', () => {
  it('is green while rows go through, and while nothing waits, however long', async () => {
    const { world, get } = await page()
    expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } })
    world.take(1, 7)
    await world.run(5_000)
    await world.run(3_600_000, 30_000)
    expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } })
  })

  it('turns red when rows wait and none gets into the table for too long, and green with the first that does', async () => {
    const { world, get, reasons } = await page()
    world.take(1, 3)
    await world.run(5_000)
    world.snowpipe.openFaults.push(...Array<'lose request'>(99).fill('lose request'))
    world.snowpipe.appendFaults.push(...Array<'lose request'>(999).fill('lose request'))
    world.take(4, 6)
    await world.run(STALLED_AFTER - 10_000, 2_000)
    expect(await reasons()).toEqual([])
    await world.run(20_000, 2_000)
    expect(await get('/healthz')).toMatchObject({
      status: 503,
      body: { reasons: [{ code: 'stalled', devices: ['pi'] }] },
    })
    world.snowpipe.openFaults.length = 0
    world.snowpipe.appendFaults.length = 0
    await world.run(60_000, 1_000)
    expect(await reasons()).toEqual([])
  })

  it('counts from when rows began to wait, not from the last commit', async () => {
    const { world, reasons } = await page()
    world.take(1, 3)
    await world.run(5_000)
    await world.run(STALLED_AFTER * 2, 30_000)
    world.snowpipe.commitDelayMs = 60_000
    world.take(4, 6)
    world.events.emit('readings:spooled', 'pi', anyRows(3))
    await world.run(30_000, 1_000)
    expect(await reasons()).toEqual([])
  })

  it('is red while a device is held', async () => {
    const { world, get } = await page()
    await held(world)
    expect(await get('/healthz')).toMatchObject({ status: 503, body: { reasons: [{ code: 'held', devices: ['pi'] }] } })
  })

  it.each([401, 403])('is red while Snowflake refuses the credentials with %i', async (status) => {
    const { world, reasons } = await page()
    world.snowpipe.openFaults.push({ status })
    world.take(1, 3)
    await world.run(2_000)
    expect(await reasons()).toEqual(['blocked'])
    await world.run(90_000, 1_000)
    expect(await reasons()).toEqual([])
  })

  it('is red while the spool is full', async () => {
    const { pressure, reasons } = await page()
    const { SnowhatError } = await import('../../../src/errors.ts')
    await pressure.guard(() => Promise.reject(new SnowhatError('E_SPOOL_FULL', 'full'))).catch(() => undefined)
    expect(await reasons()).toEqual(['spool_full'])
  })

  it('is red when the broker is away for too long, and not before', async () => {
    const { outside, reasons } = await page()
    outside.brokerAway = STALLED_AFTER
    expect(await reasons()).toEqual([])
    outside.brokerAway = STALLED_AFTER + 1
    expect(await reasons()).toEqual(['broker_away'])
  })

  it('is red when another program takes a channel away again and again', async () => {
    const { world, get, reasons } = await page()
    for (let seq = 1; seq <= 8; seq++) {
      world.take(seq)
      await world.run(2_500)
      world.snowpipe.takeAway('pi')
    }
    expect(await reasons()).toContain('duplicate_channel_owner')
    expect((await get('/api/health')).body.problems).toContain('duplicate_channel_owner')
  })

  it('is red while the broker refuses ledgers, and green when it takes one', async () => {
    const { world, reasons } = await page()
    world.brokerRefuses = true
    world.take(1, 3)
    await world.run(5_000)
    expect(await reasons()).toEqual(['ledger_refused'])
    world.brokerRefuses = false
    await world.run(30_000, 1_000)
    expect(await reasons()).toEqual([])
    expect(world.inTable()).toEqual([1, 2, 3])
  })

  it('is red while dead letters cannot be kept', async () => {
    const { outside, reasons } = await page()
    outside.lettersFail = true
    expect(await reasons()).toEqual(['dead_letters_not_kept'])
  })

  it('is red beside another bridge', async () => {
    const { outside, reasons } = await page()
    outside.beside = true
    expect(await reasons()).toEqual(['rival'])
  })
})

describe('/metrics', () => {
  it('answers in the text format of Prometheus', async () => {
    const { url } = await page()
    const response = await fetch(`${url}/metrics`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await response.text()).toContain('\nsnowhat_healthy 1\n')
  })
})

describe('/api', () => {
  it('shows why a device is held, what to look at, and what each choice does', async () => {
    const { world, get } = await page()
    await held(world)
    const { body } = await get('/api/devices/pi')
    expect(body).toMatchObject({
      hostname: 'pi',
      lane: 'held',
      decision: null,
      hold: {
        code: 'another_channel',
        reason: expect.stringContaining('dropped'),
        choices: { keep: expect.any(String), resend: expect.stringContaining('cannot come back') },
        queries: [
          expect.stringContaining("hostname = 'pi' GROUP BY stream"),
          expect.stringContaining("(stream = 'aaaaaaaa' AND seq BETWEEN 4 AND 6)"),
        ],
      },
    })
    expect((await get('/api/devices')).body).toHaveLength(1)
    expect((await get('/api/health')).body).toMatchObject({
      instance: 'own1',
      host: 'nas',
      healthy: false,
      problems: ['held'],
    })
  })

  it('shows of a device what came last, its last hour, and what went wrong', async () => {
    const { world, get } = await page()
    world.take(1, 3)
    const newest = Buffer.from(JSON.stringify(reading(3, { ts: world.clock.now() / 1000, temperature: 21.5 })))
    world.events.emit('readings:spooled', 'pi', [{ json: newest }])
    world.events.emit('reading:refused', 'pi', 'not_json', 'the payload is not JSON')
    expect((await get('/api/devices/pi')).body).toMatchObject({
      seen_at: '2026-11-22T12:00:00.000Z',
      last: {
        measured_at: '2026-11-22T12:00:00.000Z',
        simulated: false,
        values: { temperature: 21.5, humidity: null },
      },
      bytes_today: expect.any(Number),
      errors: [{ code: 'not_json', message: 'the payload is not JSON', times: 1 }],
    })
    const { body } = await get('/api/devices/pi/history')
    expect(body).toMatchObject({ step_ms: 30_000, from: Date.UTC(2026, 10, 22, 11, 0, 30) })
    expect(Object.keys(body.fields as object)).toEqual(['temperature'])
    expect((body.fields as Record<string, unknown[]>).temperature?.filter((one) => one !== null)).toEqual([21.5])
    expect((await get('/api/sparklines?device=pi&device=other')).body).toEqual({
      pi: body,
      other: { ...body, fields: {} },
    })
  })

  it.each(['/api/devices/other', '/api/devices/other/history', '/api', '/nowhere', '/api/devices/pi/decision'])(
    'answers %s with 404',
    async (path) => {
      const { get } = await page()
      expect((await get(path)).status).toBe(404)
    },
  )

  it('answers other methods with 405', async () => {
    const { url } = await page()
    expect((await fetch(`${url}/api/devices`, { method: 'POST' })).status).toBe(405)
    expect((await fetch(`${url}/api/devices/pi/decision`, { method: 'DELETE' })).status).toBe(405)
  })
})

describe('POST /api/devices/<hostname>/decision', () => {
  const bearer = { authorization: 'Bearer secret' }

  it('is off without a token, and says how to set one', async () => {
    const { world, decide } = await page()
    await held(world)
    const answer = await decide('{"decision":"keep"}', bearer)
    expect(answer).toMatchObject({ status: 403, body: { error: expect.stringContaining('SNOWHAT_HTTP_TOKEN_FILE') } })
    expect(world.lane.state).toBe('held')
  })

  it.each([
    ['no token', {}],
    ['another token', { authorization: 'Bearer Secret' }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: 'Basic secret' }],
  ] as const)('is refused with %s', async (_what, headers) => {
    const { world, decide } = await page({ token: 'secret' })
    await held(world)
    expect((await decide('{"decision":"keep"}', headers)).status).toBe(401)
    expect(world.lane.state).toBe('held')
    expect(world.device.decision).toBeNull()
  })

  it.each(['', 'keep', '{}', '{"decision":"drop"}', '[]', 'null', `{"decision":"keep","x":"${'x'.repeat(2_000)}"}`])(
    'wants one of two words: %j is answered with 400',
    async (body) => {
      const { world, decide } = await page({ token: 'secret' })
      await held(world)
      expect(await decide(body, bearer)).toMatchObject({
        status: 400,
        body: { error: expect.stringContaining('keep') },
      })
      expect(world.lane.state).toBe('held')
    },
  )

  it('says when there is nothing to decide, and when there is no such device', async () => {
    const { world, decide } = await page({ token: 'secret' })
    world.take(1, 3)
    await world.run(3_000)
    expect((await decide('{"decision":"keep"}', bearer)).status).toBe(409)
    expect((await decide('{"decision":"keep"}', bearer, 'other')).status).toBe(404)
  })

  it('lets the lane go on, tells what that does, and shows later what was decided', async () => {
    const { world, decide, get, reasons } = await page({ token: 'secret' })
    await held(world)
    const answer = await decide('{"decision":"keep"}', bearer)
    expect(answer).toMatchObject({
      status: 200,
      body: { hostname: 'pi', decision: 'keep', effect: expect.any(String) },
    })
    await world.run(5_000)
    expect(world.inTable()).toEqual([1, 2, 3, 4, 5, 6])
    expect((await get('/api/devices/pi')).body).toMatchObject({
      lane: 'ready',
      hold: null,
      decision: { choice: 'keep', code: 'another_channel', carried_out: true },
    })
    expect(await reasons()).toEqual([])
  })
})

describe('DELETE /api/devices/<hostname>', () => {
  const TOKEN = { authorization: 'Bearer secret' }

  it('is refused without the token, and where there is none', async () => {
    const open = await page()
    expect(await open.forget('', TOKEN)).toMatchObject({
      status: 403,
      body: { error: expect.stringMatching(/^deletions are off: set http.token_file/) },
    })
    const closed = await page({ token: 'secret' })
    closed.world.take(1, 3)
    await closed.world.run(4_000)
    expect((await closed.forget()).status).toBe(401)
    expect((await closed.get('/api/devices/pi')).status).toBe(200)
  })

  it('takes the device from the page', async () => {
    const { world, forget, get } = await page({ token: 'secret' })
    world.take(1, 3)
    await world.run(4_000)
    expect(await forget('?channel=true', TOKEN)).toEqual({
      status: 200,
      body: { hostname: 'pi', rows_given_up: 0, channel: 'dropped' },
    })
    expect((await get('/api/devices/pi')).status).toBe(404)
    expect((await get('/api/devices')).body).toEqual([])
    expect((await forget('', TOKEN)).status).toBe(404)
  })

  it('is refused while readings wait, but for force', async () => {
    const { world, forget } = await page({ token: 'secret' })
    world.snowpipe.openFaults.push({ status: 403, code: 'X' })
    world.take(1, 2)
    expect(await forget('', TOKEN)).toMatchObject({
      status: 409,
      body: { error: '2 readings of pi not in the table yet', hint: expect.stringContaining('snowhat ledger') },
    })
    expect(await forget('?force=true', TOKEN)).toMatchObject({ status: 200, body: { rows_given_up: 2 } })
  })

  it('is refused, by force too, while Snowflake has not said what became of readings', async () => {
    const { world, forget } = await page({ token: 'secret' })
    world.snowpipe.commitDelayMs = 60_000
    world.take(1, 3)
    await world.run(1_000)
    expect(await forget('?force=true', TOKEN)).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('are with Snowflake'), hint: expect.stringContaining('in a moment') },
    })
  })

  it('says that Snowflake keeps the channel', async () => {
    const { world, forget } = await page({ token: 'secret' })
    world.take(1, 3)
    await world.run(4_000)
    world.snowpipe.dropFaults.push({ status: 403, code: 'ERR_ROLE_X' })
    expect(await forget('?channel=true', TOKEN)).toMatchObject({
      status: 502,
      body: { error: expect.stringContaining('does not drop its channel') },
    })
  })
})

describe('the page', () => {
  it('may load nothing from elsewhere, and no script or style that is written into it', async () => {
    const { url } = await page()
    const response = await fetch(url)
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'self';/)
    expect(response.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(await response.text()).toContain('<script type="module" src="main.js">')
    for (const path of ['/', '/api/devices', '/api/health'])
      expect((await fetch(url + path)).headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('is asked for each time, and sent again only when it is another', async () => {
    const { url } = await page()
    const first = await fetch(`${url}/uplot.js`)
    const etag = first.headers.get('etag') ?? ''
    expect(first.headers.get('cache-control')).toBe('no-cache')
    expect((await first.arrayBuffer()).byteLength).toBeGreaterThan(50_000)
    const again = await fetch(`${url}/uplot.js`, { headers: { 'if-none-match': etag } })
    expect([again.status, await again.text()]).toEqual([304, ''])
    expect((await fetch(`${url}/uplot.js`, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })

  it('gives out its own files and no others', async () => {
    const { url } = await page()
    for (const path of ['/server.ts', '/../package.json', '/%2e%2e/fleet/fleet.ts', '/index.html'])
      expect((await fetch(url + path)).status).toBe(404)
  })

  it('names and units are those of a reading', async () => {
    const script = new URL('../../../bridge/page/fields.js', import.meta.url)
    const { FIELDS: SHOWN } = (await import(script.href)) as { FIELDS: { key: string; unit: string }[] }
    expect(SHOWN.length).toBeGreaterThan(10)
    const known = new Map(READING.map((field) => [field.key as string, 'unit' in field ? field.unit : undefined]))
    for (const { key, unit } of SHOWN) expect({ key, unit: known.get(key) }).toEqual({ key, unit })
  })
})
