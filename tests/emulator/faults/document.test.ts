import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dialectShape } from '../../../emulator/answer-dialect.ts'
import { startEmulator } from '../../../emulator/emulator.ts'
import { limitsShape } from '../../../emulator/faults/document.ts'
import { FAULTS, Fault } from '../../../emulator/faults/fault.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { emulated, settingsFor, temporaryDirectory } from '../harness.ts'

const COMMON = ['operation', 'channel', 'count', 'probability', 'seed', 'after', 'for', 'every', 'action']

describe('a document that is wrong', () => {
  it('is refused with one sentence that names what is wrong, and the old one stays', async () => {
    const { client } = await emulated()
    const old = [{ operation: 'hostname', action: 'no-route' }]
    await client.faults(old)
    const fault = (rest: object) => ({ faults: [{ operation: 'append', ...rest }] })
    const wrong: readonly (readonly [unknown, string])[] = [
      [4, 'the document must be a JSON object'],
      [{ fautls: [] }, 'the document has "fautls", which is unknown; did you mean "faults"?'],
      [{ faults: {} }, 'faults must be a list of faults'],
      [[4], 'faults[0] must be a JSON object'],
      [fault({}), 'faults[0].action is missing'],
      [fault({ action: 'throttel' }), 'faults[0].action is "throttel", which is unknown; did you mean "throttle"?'],
      [
        fault({ action: 'throttle', retryafter: 1 }),
        'faults[0] has "retryafter", which is unknown; did you mean "retryAfter"?',
      ],
      [[{ action: 'throttle' }], 'faults[0].operation is missing'],
      [
        [{ operation: 'apend', action: 'gone' }],
        'faults[0].operation is "apend", which is unknown; did you mean "append"?',
      ],
      [
        [{ operation: 'xyz', action: 'lose-answer' }],
        'faults[0].operation is "xyz", which is none of hostname, token, pipe-info, open, append, status, drop, statement, *',
      ],
      [fault({ action: 'gone', count: 0 }), 'faults[0].count must be a whole number from 1 on'],
      [fault({ action: 'gone', probability: 2 }), 'faults[0].probability must be a number from 0 to 1'],
      [fault({ action: 'gone', for: '5 sec' }), 'faults[0].for must be a time such as 500ms, 20s or 5m'],
      [fault({ action: 'gone', for: 0 }), 'faults[0].for must be longer than nothing'],
      [
        fault({ action: 'delay', ms: [5, 1] }),
        'faults[0].ms must be a number of milliseconds, or the least and the most in a list: [500, 5000]',
      ],
      [fault({ action: 'delay' }), 'faults[0].ms is missing'],
      [fault({ action: 'server-error', status: 404 }), 'faults[0].status must be 500, 502, 503 or 504'],
      [fault({ action: 'answer', status: 99 }), 'faults[0].status must be a status from 200 to 599'],
      [
        fault({ action: 'answer', status: 200, headers: { 'retry-after': '1\r\n' } }),
        'faults[0].headers must be names and values that HTTP allows',
      ],
      [
        fault({ action: 'expire-tokens', every: '1s' }),
        'faults[0].every is for a fault without operation, which strikes by itself',
      ],
      [
        [{ action: 'fail-over', channel: 'a' }],
        'faults[0].channel needs an operation here: fail-over by itself strikes the whole service',
      ],
      [{ dialect: { goodstatus: 'OK' } }, 'dialect has "goodstatus", which is unknown; did you mean "goodStatus"?'],
      [{ dialect: { goodStatus: 'OK' } }, 'dialect.goodStatus is "OK", which is none of 0, SUCCESS, ACTIVE, none'],
      [{ limits: { requestsPerSecond: -1 } }, 'limits.requestsPerSecond must be a whole number; 0 for no limit'],
    ]
    for (const [document, sentence] of wrong) {
      const refused = await client.disturb(document)
      expect(refused.json, JSON.stringify(document)).toEqual({ code: 'INVALID_FAULTS', message: sentence })
      expect(refused.status).toBe(400)
    }
    expect((await client.call('GET', '/emulator/faults')).json.faults).toEqual(old)
  })

  it('in a file keeps the emulator from starting, and the file is named', async () => {
    const deps = { clock: new ManualClock(), log: silentLog() }
    const file = join(temporaryDirectory(), 'faults.json')
    for (const [text, sentence] of [
      ['[{"action":"gone"}]', 'faults[0].operation is missing'],
      ['{', 'JSON'],
    ] as const) {
      writeFileSync(file, text)
      const start = startEmulator(settingsFor({ data: temporaryDirectory(), faults: file }), deps)
      await expect(start).rejects.toMatchObject({
        code: 'E_CONFIG_INVALID',
        message: expect.stringMatching(new RegExp(`^${file} holds no faults that can be used: .*`)),
      })
      await expect(start).rejects.toThrow(sentence)
    }
  })
})

it('faults in a file are in force from the first request on', async () => {
  const file = join(temporaryDirectory(), 'faults.json')
  writeFileSync(file, JSON.stringify({ faults: [{ operation: 'open', action: 'no-route', count: 1 }] }))
  const { client } = await emulated({ faults: file })
  expect([(await client.open('a')).status, (await client.open('a')).status]).toEqual([404, 200])
})

describe('docs/emulator.md', () => {
  const page = readFileSync(new URL('../../../docs/emulator.md', import.meta.url), 'utf8')
  /** Rows of tables that begin with a name in backticks and end with an example in JSON. */
  const rows = [...page.matchAll(/^\| `([\w-]+)` \|(.*)\| `(\{.*\})` \|$/gm)].map(
    ([, name = '', text = '', example = '']) => ({
      name,
      text,
      example: JSON.parse(example) as Record<string, unknown>,
    }),
  )

  it('has every fault in its tables, each with an example that is one', () => {
    const faults = rows.filter(({ example }) => 'action' in example)
    expect(faults.map(({ name }) => name)).toEqual(FAULTS.map(({ shape }) => shape.action.value))
    for (const { name, example } of faults) expect(Fault.parse(example).action).toBe(name)
  })

  it('names every field a fault has of its own, and its defaults hold', () => {
    for (const { shape } of FAULTS) {
      const row = rows.find(({ name }) => name === shape.action.value)
      for (const field of Object.keys(shape).filter((key) => !COMMON.includes(key)))
        expect(row?.text, `${row?.name}: ${field}`).toContain(`\`${field}\``)
    }
  })

  it('has every knob of dialect and limits, each with an example that is one', async () => {
    const { client } = await emulated()
    const knobs = rows.filter(({ example }) => !('action' in example))
    expect(knobs.map(({ name }) => name)).toEqual([...Object.keys(dialectShape), ...Object.keys(limitsShape)])
    for (const { name, example } of knobs) {
      expect(Object.keys(Object.values(example)[0] as object)).toEqual([name])
      const set = await client.disturb(example)
      expect([name, set.status, set.json.message]).toEqual([name, 200, undefined])
    }
  })

  it('has documents that can be given as they stand', async () => {
    const { client } = await emulated()
    const documents = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']) => JSON.parse(text))
    expect(documents.length).toBeGreaterThan(0)
    for (const document of documents) expect((await client.disturb(document)).json.message).toBeUndefined()
  })
})
