import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Intake, Outcome } from '../../../phone/intake/intake.ts'
import { createEndpoint } from '../../../phone/receiver/endpoint.ts'
import { openReceiver } from '../../../phone/receiver/server.ts'
import { systemClock } from '../../../src/clock.ts'
import { silentLog } from '../../../src/log.ts'
import { eventually } from '../../support/eventually.ts'
import { ANDROID, BAD_NEIGHBOURS, type IntakeOptions, intakeSetUp, TEST_BUTTON } from '../support.ts'

interface Options {
  readonly token?: string
  readonly maxBodyBytes?: number
  readonly bodyTimeoutMs?: number
  readonly intake?: Pick<Intake, 'take'>
  readonly stuck?: string
}

async function listening(
  { token = '', maxBodyBytes = 8_388_608, bodyTimeoutMs, intake, stuck }: Options = {},
  of: IntakeOptions = {},
) {
  const setUp = await intakeSetUp(of)
  const wellbeing = () => ({ status: 'all is well', stuck })
  const endpoint = createEndpoint(
    { token, maxBodyBytes },
    {
      clock: setUp.clock,
      log: silentLog(),
      intake: intake ?? setUp.intake,
      wellbeing,
      counters: () => setUp.intake.counters,
    },
  )
  const address = { host: '127.0.0.1', port: 0, tls_cert: '', tls_key: '' }
  const server = await openReceiver(address, endpoint, systemClock(), bodyTimeoutMs)
  onTestFinished(() => server.close(0))
  const url = (path: string) => `http://127.0.0.1:${server.port}${path}`
  const post = (path: string, body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(url(path), { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
  return { ...setUp, url, post, port: server.port }
}

/** Answers when it is told to. */
function slowIntake() {
  const waiting: ((outcome: Outcome) => void)[] = []
  return { waiting, intake: { take: () => new Promise<Outcome>((resolve) => waiting.push(resolve)) } }
}

describe('the endpoint', () => {
  it.each(['/sensor-data', '/sensor-data/', '/v1/sensor-logger', '/sensor-data/any'])(
    'I-1: takes the envelope by POST on %s and nothing by GET',
    async (path) => {
      const { post, url } = await listening()
      expect((await post(path, ANDROID)).status).toBe(200)
      const looked = await fetch(url(path))
      expect([looked.status, looked.headers.get('allow')]).toEqual([405, 'POST'])
    },
  )

  it('I-1: reads JSON whatever it is called, and says 415 to what is none and is not called so', async () => {
    const { post } = await listening()
    expect((await post('/sensor-data', ANDROID, { 'content-type': 'application/octet-stream' })).status).toBe(200)
    expect((await post('/sensor-data', 'hello', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await post('/sensor-data', 'hello')).status).toBe(400)
  })

  it('I-2: knows the token in the address, as a bearer token, and as a parameter', async () => {
    const { post } = await listening({ token: 's3cret/?' })
    const right = encodeURIComponent('s3cret/?')
    expect((await post(`/sensor-data/${right}`, ANDROID)).status).toBe(200)
    expect((await post(`/v1/sensor-logger/${right}`, ANDROID)).status).toBe(200)
    expect((await post(`/sensor-data?token=${right}`, ANDROID)).status).toBe(200)
    expect((await post('/sensor-data', ANDROID, { authorization: 'Bearer s3cret/?' })).status).toBe(200)
  })

  it('I-2, I-7: a wrong token is 401 to a program, and 499 with a sentence to the app, whose user sees it; nothing is stored', async () => {
    const { post, stored } = await listening({ token: 'right' })
    for (const path of ['/sensor-data', '/sensor-data/wrong', '/sensor-data?token=wrong', '/sensor-data/%zz']) {
      expect((await post(path, '{"hello":1}')).status).toBe(401)
      const shown = await post(path, ANDROID)
      expect(shown.status).toBe(499)
      expect(await shown.text()).toMatch(/^Snowhat: .*token.*\n$/)
    }
    expect(await stored()).toEqual([])
  })

  it('I-3: the test button is 200, and stores nothing', async () => {
    const { post, stored, intake } = await listening()
    const answer = await post('/sensor-data', TEST_BUTTON)
    expect([answer.status, await answer.json()]).toMatchObject([200, { status: 'success', processed_readings: 1 }])
    expect(await stored()).toEqual([])
    expect(intake.counters.last_test_at).not.toBeNull()
  })

  it('I-4, I-5: says how many readings came, and keeps the good ones beside the bad ones', async () => {
    const { post } = await listening()
    const answer = await post('/sensor-data', BAD_NEIGHBOURS)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { status: 'success', processed_readings: 6, accepted: 2, rejected: 3, duplicates: 0 },
    ])
  })

  it('I-4: does not say 200 before the message is stored', async () => {
    const { waiting, intake } = slowIntake()
    const { post } = await listening({ intake })
    let answered = false
    const answer = post('/sensor-data', ANDROID).then((response) => {
      answered = true
      return response
    })
    await eventually('the message is on its way to the disk', () => waiting.length === 1)
    expect(answered).toBe(false)
    waiting[0]?.({ kind: 'stored', size: 1, accepted: 1, rejected: 0, duplicates: 0 })
    expect((await answer).status).toBe(200)
  })

  it.each([
    '',
    '[]',
    '{"deviceId":"a","payload":[]}',
    '{"sessionId":"s","payload":[]}',
    '{"deviceId":"a","sessionId":"s"}',
  ])('I-6: %j is 400 with a sentence', async (body) => {
    const { post, stored } = await listening()
    const answer = await post('/sensor-data', body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ status: 'error', message: expect.stringMatching(/\w+ \w+/) })
    expect(await stored()).toEqual([])
  })

  it('I-7: tells the phone that it is not on the list, or sends too much', async () => {
    const strict = await listening({}, { devices: ['another'] })
    expect((await strict.post('/sensor-data', ANDROID)).status).toBe(499)
    const slow = await listening({}, { limits: { messagesPerS: 0.1, bytesPerS: 1e9 } })
    expect((await slow.post('/sensor-data', ANDROID)).status).toBe(200)
    expect((await slow.post('/sensor-data', ANDROID)).status).toBe(499)
  })

  it('I-8: a full disk is 503 with Retry-After, and nothing of the message is stored', async () => {
    const { post, fs, stored, intake } = await listening()
    fs.capacity = 0
    const answer = await post('/sensor-data', ANDROID)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30'])
    expect(intake.counters.lost).toBe(1)
    fs.capacity = Number.POSITIVE_INFINITY
    expect(await stored()).toEqual([])
    expect((await post('/sensor-data', ANDROID)).status).toBe(200)
  })

  it('I-9: what is too long is 413, also where its length is not said before', async () => {
    const { post, url } = await listening({ maxBodyBytes: 1_000 })
    expect((await post('/sensor-data', 'x'.repeat(1_001))).status).toBe(413)
    const stream = new ReadableStream({
      start: (controller) => {
        for (let i = 0; i < 20; i++) controller.enqueue(Buffer.alloc(100, 'x'))
        controller.close()
      },
    })
    const answer = await fetch(url('/sensor-data'), { method: 'POST', body: stream, duplex: 'half' } as RequestInit)
    expect(answer.status).toBe(413)
    expect((await post('/sensor-data', ANDROID.slice(0, 500))).status).toBe(400)
  })

  it('I-9: the 65th request under way is 503 when five seconds have brought it no turn', async () => {
    const { waiting, intake } = slowIntake()
    const { post, clock } = await listening({ intake })
    const first = Array.from({ length: 64 }, () => post('/sensor-data', ANDROID))
    await eventually('64 messages are on their way to the disk', () => waiting.length === 64)
    let late: number | undefined
    void post('/sensor-data', ANDROID).then(({ status }) => {
      late = status
    })
    await eventually('its answer', async () => {
      await clock.advance(1_000)
      return late === 503
    })
    expect(waiting).toHaveLength(64)
    for (const answer of waiting) answer({ kind: 'full' })
    await Promise.all(first)
  })

  it('a fleet that a slow disk has held up for a moment loses no message', async () => {
    const { waiting, intake } = slowIntake()
    const { post } = await listening({ intake })
    const posts = Array.from({ length: 150 }, () => post('/sensor-data', ANDROID))
    let answered = 0
    await eventually('all are taken, 64 at a time', () => {
      if (waiting.length < 64 && answered + waiting.length < posts.length) return false
      expect(waiting.length).toBeLessThanOrEqual(64)
      answered += waiting.length
      for (const answer of waiting.splice(0)) answer({ kind: 'test', size: 1 })
      return answered === posts.length
    })
    expect(new Set((await Promise.all(posts)).map(({ status }) => status))).toEqual(new Set([200]))
  })

  it('a sender that goes while it waits takes no place', async () => {
    const { waiting, intake } = slowIntake()
    const { post, port } = await listening({ intake })
    const first = Array.from({ length: 64 }, () => post('/sensor-data', ANDROID))
    await eventually('64 messages are on their way to the disk', () => waiting.length === 64)
    for (let i = 0; i < 64; i++) {
      const socket = connect(port, '127.0.0.1')
      socket.end('POST /sensor-data HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{')
      await once(socket.resume(), 'close')
    }
    for (const answer of waiting.splice(0)) answer({ kind: 'test', size: 1 })
    await Promise.all(first)
    let answered = 0
    for (let i = 0; i < 64; i++) void post('/sensor-data', ANDROID).then(() => answered++)
    await eventually('all that come later are answered', () => {
      for (const answer of waiting.splice(0)) answer({ kind: 'test', size: 1 })
      return answered === 64
    })
  })

  it('I-9: a body that does not come is given up with 408', async () => {
    const { port } = await listening({ bodyTimeoutMs: 200 })
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    let heard = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text
    })
    socket.write('POST /sensor-data HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{')
    await eventually('an answer', () => heard.startsWith('HTTP/1.1 408'))
  })

  it('I-10: the same message again is 200 and a duplicate, another one of that number is taken and counted', async () => {
    const { post, stored, intake } = await listening()
    await post('/sensor-data', ANDROID)
    const again = await post('/sensor-data', ANDROID)
    expect([again.status, await again.json()]).toMatchObject([
      200,
      { processed_readings: 4, accepted: 0, duplicates: 4 },
    ])
    expect(await stored()).toHaveLength(1)
    await post('/sensor-data', ANDROID.replace('0.31', '0.32'))
    expect(await stored()).toHaveLength(2)
    expect(intake.counters.messageid_conflict).toBe(1)
  })

  it('I-11: unpacks gzip, and not more than a body may have', async () => {
    const { post } = await listening({ maxBodyBytes: 10_000 })
    const gzip = { 'content-encoding': 'gzip' }
    expect((await post('/sensor-data', Buffer.from(gzipSync(ANDROID)), gzip)).status).toBe(200)
    expect((await post('/sensor-data', Buffer.from(gzipSync(Buffer.alloc(1_000_000))), gzip)).status).toBe(413)
    expect((await post('/sensor-data', ANDROID, gzip)).status).toBe(400)
    expect((await post('/sensor-data', ANDROID, { 'content-encoding': 'br' })).status).toBe(415)
  })

  it('answers on /healthz with what is wrong, and 404 elsewhere', async () => {
    const well = await listening()
    await well.post('/sensor-data', ANDROID)
    const seen = await fetch(well.url('/healthz'))
    expect([seen.status, await seen.json()]).toMatchObject([200, { status: 'all is well', counters: { messages: 1 } }])
    expect((await well.post('/elsewhere', ANDROID)).status).toBe(404)
    const ill = await listening({ stuck: 'the disk hangs' })
    const answer = await fetch(ill.url('/healthz'))
    expect([answer.status, await answer.json()]).toMatchObject([503, { status: 'the disk hangs' }])
  })
})
