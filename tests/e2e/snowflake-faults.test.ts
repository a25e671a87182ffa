import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, it } from 'vitest'
import { describeWithMosquitto, startAnyMosquitto } from '../support/any-mosquitto.ts'
import { eventually } from '../support/eventually.ts'
import { upTo } from '../support/table.ts'
import { type Bench, reading, startBench } from './bench.ts'

/*
 * What hits every device alike: a real bridge, a real Mosquitto, the emulator with its faults, one after the other. Every answer
 * to a single device is in snowflake-answers.test.ts.
 */

/** Readings of each device while its fault goes on and after. */
const READINGS = 50
const EVERY_MS = 100
const FAULT = { for: '3s' }

type Fault = Readonly<Record<string, unknown>> & { readonly action: string }

/** Only a person knows what is in the table then. */
const HELD: readonly (readonly [what: string, faults: readonly Fault[]])[] = [
  ['its table is replaced', [{ action: 'replace-table' }]],
  ['its channel is dropped', [{ action: 'drop-channel' }]],
]

/** Rows are answered with 200 and go nowhere, or are lost before they are committed. */
const LOSSES: readonly (readonly [what: string, faults: readonly Fault[]])[] = [
  [
    'rows that were taken are lost before they are committed',
    [
      { operation: 'commit', action: 'delay', ms: 1000, for: '5s' },
      { operation: 'append', action: 'lose-pending', count: 3, ...FAULT },
    ],
  ],
  ['rows are lost, and the channel says so', [{ operation: 'append', action: 'row-gap', count: 2 }]],
  [
    'the channels become invalid while rows wait for their commit',
    [
      { operation: 'commit', action: 'delay', ms: 1000, for: '5s' },
      { action: 'invalidate-channel', after: '1s' },
    ],
  ],
  [
    'the channels become invalid, and what was pending is committed after all',
    [
      { operation: 'commit', action: 'delay', ms: 1000, for: '5s' },
      { action: 'invalidate-channel', pending: 'kept', after: '1s' },
    ],
  ],
  ['commits take their time', [{ operation: 'commit', action: 'delay', ms: [500, 5000], seed: 3 }]],
  ['nothing is committed for a while', [{ operation: 'commit', action: 'freeze', ...FAULT }]],
]

const EXPIRED: Fault = { action: 'expire-tokens' }
const REOPENED: Fault = { action: 'invalidate-channel' }
interface Document {
  readonly faults?: readonly Fault[]
  readonly dialect?: object
  readonly limits?: object
}

/** What hits every device alike, one after the other: a document, or a list of faults, most for three seconds. */
const PHASES: readonly (readonly [name: string, document: Document | readonly Fault[]])[] = [
  ...LOSSES,
  ['tokens expire twice a second', [{ ...EXPIRED, ...FAULT, every: '500ms' }]],
  ['the token call fails', [EXPIRED, { operation: 'token', action: 'server-error', ...FAULT }]],
  ['the token call is throttled', [EXPIRED, { operation: 'token', action: 'throttle', retryAfter: 1, ...FAULT }]],
  ['the answers to the token call get lost', [EXPIRED, { operation: 'token', action: 'lose-answer', ...FAULT }]],
  ['the service fails over', [{ action: 'fail-over', after: '1s' }]],
  [
    'the service fails over between the refusal of a token and the request for another',
    [EXPIRED, { operation: 'token', action: 'fail-over', count: 1 }],
  ],
  [
    'the service fails over, and the account has no route to its name',
    [{ action: 'fail-over' }, { operation: 'hostname', action: 'no-route', ...FAULT }],
  ],
  ['the service fails over and keeps what is pending', [{ action: 'fail-over', pending: 'kept', after: '1s' }]],
  ['the status call has no route', [{ operation: 'status', action: 'no-route', ...FAULT }]],
  ['the status call fails', [{ operation: 'status', action: 'server-error', ...FAULT }]],
  ['the status call is not authorized', [{ operation: 'status', action: 'unauthorized', ...FAULT }]],
  ['the status call is refused in a 200', [{ operation: 'status', action: 'reject', ...FAULT }]],
  ['the answers to the status call get lost', [{ operation: 'status', action: 'lose-answer', ...FAULT }]],
  ['the answers to the status call are slow', [{ operation: 'status', action: 'dribble', over: '2s', ...FAULT }]],
  [
    'one request in five gets lost, and one answer',
    [
      { operation: '*', action: 'lose-request', probability: 0.2, seed: 1, ...FAULT },
      { operation: '*', action: 'lose-answer', probability: 0.2, seed: 2, ...FAULT },
    ],
  ],
  [
    'the service speaks as its documentation',
    {
      faults: [EXPIRED, REOPENED, { action: 'fail-over', after: '1s' }],
      dialect: {
        hostnameAnswer: 'json',
        tokenAnswer: 'json',
        goodStatus: 'ACTIVE',
        errorCounter: 'rows_errors',
        timestamps: 'iso',
      },
    },
  ],
  [
    'the service speaks otherwise',
    {
      faults: [
        EXPIRED,
        REOPENED,
        { action: 'fail-over', after: '1s' },
        { operation: 'append', action: 'row-gap', count: 2 },
      ],
      dialect: {
        hostnameAnswer: 'quoted',
        tokenAnswer: 'quoted',
        goodStatus: 'none',
        timestamps: 'string',
        errorBody: 'error_code',
      },
    },
  ],
  [
    'the service tells of refusals by their code alone',
    {
      faults: [{ operation: 'append', action: 'stale-token', count: 2 }],
      dialect: { errorBody: 'string', goodStatus: '0' },
    },
  ],
  ['few requests a second are allowed', { limits: { requestsPerSecond: 2 } }],
  ['few bytes a second are allowed', { limits: { bytesPerSecond: 300 } }],
  [
    'the clock of the service is slow, then fast',
    [
      EXPIRED,
      { action: 'skew-clock', by: '-5m', for: '2s' },
      { action: 'skew-clock', by: '2h', after: '2s', for: '2s' },
    ],
  ],
]

/** One after the other they take minutes: at each commit one of each kind, all of them in `.ci/full`. */
const ALL_PHASES = process.env.SNOWHAT_ALL_FAULTS !== undefined
const KINDS: ReadonlySet<string> = new Set([
  'tokens expire twice a second',
  'the service fails over',
  'the service fails over between the refusal of a token and the request for another',
  'the status call is not authorized',
  'one request in five gets lost, and one answer',
  'the service speaks otherwise',
  'few bytes a second are allowed',
  'rows that were taken are lost before they are committed',
])
const ONE_OF_EACH_KIND = PHASES.filter(([name]) => KINDS.has(name))

describeWithMosquitto('every reading of every device is in the table once when', () => {
  let bench: Bench
  let phase = 0

  beforeAll(async () => {
    bench = await startBench({ broker: startAnyMosquitto })
    return () => bench.close()
  })

  it.each(ALL_PHASES ? PHASES : ONE_OF_EACH_KIND)('%s', { timeout: 120_000 }, async (_name, document) => {
    phase += 1
    const devices = [`pi-${phase}-a`, `pi-${phase}-b`]
    const publish = (seq: number) => Promise.all(devices.map((pi) => bench.publish(pi, reading(pi, seq))))
    await publish(1)
    await eventually('channels in use', async () => {
      const rows = await rowsOf(bench)
      return devices.every((pi) => rows.get(pi) === 1)
    })
    await setFaults(bench, document)
    for (let seq = 2; seq <= READINGS; seq += 1) {
      await publish(seq)
      await sleep(EVERY_MS)
    }
    const { hits } = (await (await fetch(`${bench.emulatorUrl}/emulator/faults`)).json()) as { hits: number[] }
    await eventually(
      'every reading',
      async () => {
        const rows = await rowsOf(bench)
        return devices.every((pi) => (rows.get(pi) ?? 0) >= READINGS)
      },
      90_000,
    )
    for (const pi of devices) expect(await bench.seqs(pi)).toEqual(upTo(READINGS))
    const faults = Array.isArray(document) ? (document as readonly Fault[]) : ((document as Document).faults ?? [])
    expect(faults.filter((fault, i) => !['skew-clock', 'freeze'].includes(fault.action) && hits[i] === 0)).toEqual([])
  })

  it.each(HELD)('not when %s: then the lane is held, and nothing is blindly sent again', async (what, faults) => {
    const pi = `pi-${what.includes('table') ? 'replaced' : 'dropped'}`
    await bench.publish(pi, reading(pi, 1))
    await eventually('it is in the table', async () => (await rowsOf(bench)).get(pi) === 1)
    await setFaults(bench, { faults })
    const before = await rowsOf(bench)
    await bench.publish(pi, reading(pi, 2))
    await eventually('it is held', async () => {
      const device = (await bench.devices()).find(({ hostname }) => hostname === pi)
      return device?.lane === 'held'
    })
    expect((await rowsOf(bench)).get(pi)).toBe(before.get(pi))
  })
})

async function setFaults(bench: Bench, document: object): Promise<void> {
  const reply = await fetch(`${bench.emulatorUrl}/emulator/faults`, { method: 'POST', body: JSON.stringify(document) })
  expect(reply.status, await reply.text()).toBe(200)
}

async function rowsOf(bench: Bench): Promise<Map<string, number>> {
  const rows = await bench.ask('select hostname, count(*) from DEMO.DEMO.SENSEHAT_SENSOR_DATA group by hostname')
  return new Map(rows.map(([hostname, count]) => [String(hostname), Number(count)]))
}
