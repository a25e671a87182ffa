import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DeadLetterFile } from '../../../phone/intake/dead-letter-file.ts'
import { Seen } from '../../../phone/intake/seen.ts'
import { SnowhatError } from '../../../src/errors.ts'
import { silentLog } from '../../../src/log.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { settled } from '../../support/manual-clock.ts'
import { ANDROID, BAD_NEIGHBOURS, intakeSetUp } from '../support.ts'

const message = { deviceId: 'a', sessionId: 's', messageId: 1 }

describe('messages that came before', () => {
  it('are written down only when they are on the disk: after a power cut the sender may have to send them again', async () => {
    const seen = new Seen()
    let stored: () => void = () => undefined
    const writing = new Promise<void>((resolve) => {
      stored = resolve
    })
    seen.add(message, 'hash', writing)
    expect(seen.look(message, 'hash')).toMatchObject({ duplicateOf: writing })
    expect(new Seen(seen.saved()).look(message, 'hash')).toBe('new')
    stored()
    await writing
    expect(new Seen(seen.saved()).look(message, 'hash')).toMatchObject({ duplicateOf: expect.any(Promise) })
  })

  it('are forgotten where there was no room for them', async () => {
    const seen = new Seen()
    const writing = Promise.reject(new Error('full'))
    seen.add(message, 'hash', writing)
    await writing.catch(() => undefined)
    expect(seen.look(message, 'hash')).toBe('new')
  })
})

it('a recording whose message is on its way to the disk is not silent', async () => {
  const heard: string[] = []
  const { intake } = await intakeSetUp({ onHeard: ({ sessionId }) => heard.push(sessionId) })
  const body = Buffer.from(
    '{"messageId":1,"sessionId":"s","deviceId":"a","payload":[{"name":"light","time":1,"values":{"lux":1}}]}',
  )
  const taken = intake.take(body, 'http')
  expect(heard).toEqual(['s'])
  await taken
})

it('a disk that hangs fills no memory: what is too much is refused, counted, and taken when there is room again', async () => {
  const waiting: ((sequence: number) => void)[] = []
  const { intake } = await intakeSetUp({
    append: () => new Promise((resolve) => waiting.push(resolve)),
    limits: { messagesPerS: 1e9, bytesPerS: 1e12 },
  })
  const filling = 'x'.repeat(8_000_000)
  const take = (n: number) =>
    intake.take(Buffer.from(`{"filling":"${filling}",${ANDROID.replace(':17', `:${n}`).slice(1)}`), 'mqtt')
  const first = Array.from({ length: 8 }, (_, n) => take(n))
  expect(await take(8)).toEqual({ kind: 'full' })
  expect(intake.counters.lost).toBe(1)
  for (const resolve of waiting) resolve(1)
  expect((await Promise.all(first)).map(({ kind }) => kind)).toEqual(first.map(() => 'stored'))
  const again = take(8)
  waiting.at(-1)?.(9)
  expect(await again).toMatchObject({ kind: 'stored' })
})

describe('the same message while the first is on its way to the disk', () => {
  const twice = async () => {
    const waiting: { resolve: (sequence: number) => void; reject: (error: unknown) => void }[] = []
    const append = () => new Promise<number>((resolve, reject) => waiting.push({ resolve, reject }))
    const { intake } = await intakeSetUp({ append })
    const answers: string[] = []
    const take = (source: 'http' | 'mqtt') =>
      intake.take(Buffer.from(ANDROID), source).then(({ kind }) => void answers.push(kind))
    const both = Promise.all([take('http'), take('mqtt')])
    await settled()
    expect([answers, waiting.length]).toEqual([[], 1])
    return { answers, both, first: waiting[0] }
  }

  it('is not said to be stored before the first is', async () => {
    const { answers, both, first } = await twice()
    first?.resolve(1)
    await both
    expect(answers.sort()).toEqual(['duplicate', 'stored'])
  })

  it('is refused with the first where there is no room', async () => {
    const { answers, both, first } = await twice()
    first?.reject(new SnowhatError('E_LOG_FULL', 'full'))
    await both
    expect(answers).toEqual(['full', 'full'])
  })
})

it('a phone that sends more bytes than it may is refused until it has been silent for long enough', async () => {
  const { intake, clock } = await intakeSetUp({ limits: { messagesPerS: 1_000, bytesPerS: ANDROID.length / 10 } })
  const take = async (n: number) => (await intake.take(Buffer.from(ANDROID.replace(':17', `:${10 + n}`)), 'http')).kind
  expect([await take(1), await take(2)]).toEqual(['stored', 'refused'])
  await clock.advance(9_000)
  expect(await take(3)).toBe('refused')
  await clock.advance(1_000)
  expect(await take(4)).toBe('stored')
})

it('a picture that nobody wants is not written to the disk', async () => {
  const { intake, stored } = await intakeSetUp()
  await intake.take(Buffer.from(BAD_NEIGHBOURS), 'http')
  const [record] = await stored()
  const text = record?.kind === 'message' ? record.text : ''
  expect(text).toContain('futuresensor')
  expect(text).not.toMatch(/camera|AAAA/)
})

it('dead letters take no more than they may, and the newest stay', async () => {
  const dir = temporaryDirectory()
  const letters = new DeadLetterFile(dir, 20_000, silentLog())
  for (let index = 0; index < 1_000; index++) {
    letters.add({ at: 0, source: 'http', reason: 'null-axis', index, reading: { index } })
    if (index % 50 === 49) await letters.close()
  }
  const files = readdirSync(dir)
  expect(files.sort()).toEqual(['dead-letters.ndjson', 'dead-letters.ndjson.previous'])
  expect(files.reduce((bytes, file) => bytes + statSync(join(dir, file)).size, 0)).toBeLessThanOrEqual(20_000)
  expect(readFileSync(join(dir, 'dead-letters.ndjson'), 'utf8')).toContain('"index":999')
})
