import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, it } from 'vitest'
import { describeWithMosquitto, startAnyMosquitto } from '../support/any-mosquitto.ts'
import { eventually } from '../support/eventually.ts'
import { upTo } from '../support/table.ts'
import { type Bench, reading, startBench } from './bench.ts'

/*
 * The bridge's ladder of decisions against every answer of the service: a real bridge, a real Mosquitto, the emulator with
 * its faults. Each fault has a device of its own, so that all of them can go on at once, and one bridge bears them all.
 */

/** Readings of each device while its fault goes on and after. */
const READINGS = 50
const EVERY_MS = 100
const FAULT = { for: '3s' }
/** A lane that is refused looks again after a minute; rows that never commit are sent anew after two. */
const LONGEST_MS = 180_000

type Fault = Readonly<Record<string, unknown>> & { readonly action: string }

const append = (fault: Fault): Fault => ({ operation: 'append', ...FAULT, ...fault })
/** Rows wait for their commit, so that there is something to lose. */
const slowly = (ms: number): Fault => ({ operation: 'commit', action: 'delay', ms, for: '10s' })
/** The channel must be opened while the fault goes on. */
const open = (fault: Fault): Fault[] => [
  { action: 'invalidate-channel' },
  { operation: 'open', ...FAULT, for: '6s', ...fault },
]

/** After it every reading is in the table once. */
const PASSES: Readonly<Record<string, readonly Fault[]>> = {
  'answers-500': [append({ action: 'server-error' })],
  'answers-502': [append({ action: 'server-error', status: 502, body: '<html>Bad Gateway</html>' })],
  'answers-503': [append({ action: 'server-error', status: 503, body: '' })],
  'answers-504': [append({ action: 'server-error', status: 504, body: 'upstream timeout' })],
  'answers-408': [append({ action: 'time-out' })],
  'answers-499': [append({ action: 'time-out', status: 499 })],
  'no-route': [append({ action: 'no-route' })],
  'throttle-and-when': [append({ action: 'throttle', retryAfter: 1 })],
  throttle: [append({ action: 'throttle' })],
  'throttle-bare': [append({ action: 'throttle', code: '' })],
  'reject-1': [append({ action: 'reject' })],
  'reject-2': [append({ action: 'reject', statusCode: 2 })],
  'reject-3': [append({ action: 'reject', statusCode: 3 })],
  'reject-4': [append({ action: 'reject', statusCode: 4 })],
  'reject-5': [append({ action: 'reject', statusCode: 5 })],
  'reject-99': [append({ action: 'reject', statusCode: 99 })],
  'lost-requests': [append({ action: 'lose-request', probability: 0.5, seed: 1 })],
  'lost-answers': [append({ action: 'lose-answer', probability: 0.5, seed: 2 })],
  'late-requests': [append({ action: 'delay', ms: [50, 2000] })],
  'slow-answers': [append({ action: 'dribble', over: '2s' })],
  stale: [append({ action: 'stale-token' })],
  unauthorized: [append({ action: 'unauthorized' })],
  forbidden: [append({ action: 'forbidden' })],
  'no-pipe': [append({ action: 'not-found', what: 'pipe' })],
  'no-table': [append({ action: 'not-found', what: 'table' })],
  'no-database': [append({ action: 'not-found', what: 'database' })],
  'no-schema': [append({ action: 'not-found', what: 'schema' })],
  'no-role': [append({ action: 'not-found', what: 'role' })],
  'no-channel': [append({ action: 'not-found', what: 'channel' })],
  'invalid-pipe': [append({ action: 'conflict', what: 'invalid-pipe' })],
  'other-conflict': [append({ action: 'conflict', what: 'other' })],
  gone: [append({ action: 'gone', count: 2 })],
  'row-gap': [append({ action: 'row-gap', count: 2 })],
  'node-crash': [slowly(1000), append({ action: 'lose-pending', count: 3 })],
  'node-crash-at-end': [slowly(10_000), { action: 'lose-pending', after: '9s' }],
  'black-hole-at-end': [append({ action: 'black-hole', for: '20s' })],
  invalidated: [slowly(1000), { action: 'invalidate-channel', after: '1s' }],
  'invalidated-kept': [slowly(1000), { action: 'invalidate-channel', pending: 'kept', after: '1s' }],
  'open-in-progress': open({ action: 'conflict' }),
  'open-uncommitted': open({ action: 'conflict', what: 'uncommitted-rows' }),
  'open-throttled': open({ action: 'throttle', retryAfter: 1 }),
  'open-no-route': open({ action: 'no-route' }),
  'open-500': open({ action: 'server-error' }),
  'open-lost': open({ action: 'lose-answer', count: 3 }),
  'open-200-but-not': open({ action: 'channel-status', code: 'ERR_PIPE_IN_INVALID_STATE' }),
  'open-full-pipe': open({ action: 'conflict', what: 'channel-limit' }),
  'status-lies': [{ operation: 'status', action: 'channel-status', code: 'ERR_CHANNEL_MUST_BE_REOPENED', count: 2 }],
  'slow-commits': [{ operation: 'commit', action: 'delay', ms: [500, 5000], seed: 3 }],
  frozen: [{ operation: 'commit', action: 'freeze', ...FAULT }],
}

/** Nobody but a person knows what to do: the lane is held, and what is in the table is there once. */
const HOLDS: Readonly<Record<string, readonly Fault[]>> = {
  dropped: [{ action: 'drop-channel', after: '1s' }],
  'black-hole': [append({ action: 'black-hole' })],
}

/** Every reading is in the table once, or among the dead letters: a refusal may be the row's own fault. */
const MAY_SET_ASIDE: Readonly<Record<string, readonly Fault[]>> = {
  'bad-request': [append({ action: 'bad-request' })],
  'too-large': [append({ action: 'too-large' })],
}

const ALL = { ...PASSES, ...HOLDS, ...MAY_SET_ASIDE }

describeWithMosquitto('every answer of the service, borne by one bridge at once', () => {
  let bench: Bench

  beforeAll(async () => {
    bench = await startBench({
      broker: startAnyMosquitto,
      env: { SNOWHAT_BRIDGE_OPENS_PER_SECOND: '40', SNOWHAT_LOG_LEVEL: 'info' },
    })
    return () => bench.close()
  })

  it('ends with every reading in the table once, or with a lane that is held', { timeout: 300_000 }, async () => {
    const devices = Object.keys(ALL)
    const publish = (seq: number) => Promise.all(devices.map((pi) => bench.publish(pi, reading(pi, seq))))
    await publish(1)
    await eventually('every channel in use', async () => (await rowsOf(bench)).size === devices.length, 60_000)
    const faults = Object.entries(ALL).flatMap(([channel, list]) => list.map((fault) => ({ ...fault, channel })))
    await setFaults(bench, { faults })
    for (let seq = 2; seq <= READINGS; seq += 1) {
      await publish(seq)
      await sleep(EVERY_MS)
    }
    const late = () => Object.keys(PASSES).filter((pi) => (rows.get(pi) ?? 0) < READINGS)
    let rows = await rowsOf(bench)
    await eventually(
      'every reading of every device',
      async () => {
        rows = await rowsOf(bench)
        if (late().length > 0) throw new Error(`late: ${late().map((pi) => `${pi} ${rows.get(pi)}`)}`)
        return true
      },
      LONGEST_MS,
    )
    const { hits } = (await (await fetch(`${bench.emulatorUrl}/emulator/faults`)).json()) as { hits: number[] }
    const missed = faults.filter((fault, i) => fault.action !== 'freeze' && hits[i] === 0)
    expect(missed).toEqual([])

    const lanes = new Map((await bench.devices()).map(({ hostname, lane }) => [hostname, lane]))
    for (const pi of Object.keys(PASSES)) expect([pi, await bench.seqs(pi)]).toEqual([pi, upTo(READINGS)])
    for (const pi of Object.keys(HOLDS)) {
      const seqs = await bench.seqs(pi)
      expect([pi, lanes.get(pi), new Set(seqs).size]).toEqual([pi, 'held', seqs.length])
    }
    for (const pi of Object.keys(MAY_SET_ASIDE)) {
      const { dead_letters: setAside = 0 } = await bench.counters(pi)
      const seqs = await bench.seqs(pi)
      expect([pi, new Set(seqs).size, seqs.length + setAside]).toEqual([pi, seqs.length, READINGS])
    }
  })
})

const EXPIRED: Fault = { action: 'expire-tokens' }
const REOPENED: Fault = { action: 'invalidate-channel' }
interface Document {
  readonly faults?: readonly Fault[]
  readonly dialect?: object
  readonly limits?: object
}

/** What hits every device alike, one after the other: a document, or a list of faults, most for three seconds. */
const PHASES: readonly (readonly [name: string, document: Document | readonly Fault[]])[] = [
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
    expect(faults.filter((fault, i) => fault.action !== 'skew-clock' && hits[i] === 0)).toEqual([])
  })

  it('its table is not replaced: then the lane is held, and nothing is blindly sent again', async () => {
    const pi = 'pi-replaced'
    await bench.publish(pi, reading(pi, 1))
    await eventually('it is in the table', async () => (await rowsOf(bench)).get(pi) === 1)
    await setFaults(bench, { faults: [{ action: 'replace-table' }] })
    expect((await rowsOf(bench)).size).toBe(0)
    await bench.publish(pi, reading(pi, 2))
    await eventually('it is held', async () => {
      const device = (await bench.devices()).find(({ hostname }) => hostname === pi)
      return device?.lane === 'held'
    })
    expect((await rowsOf(bench)).size).toBe(0)
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
