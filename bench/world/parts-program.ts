import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32, gzipSync } from 'node:zlib'
import { Agent, request } from 'undici'
import { quotesIfPlain } from '../../bridge/routes/reading-check.ts'
import { answer } from './program.ts'
import { createDevice } from './readings.ts'

/*
 * What no bridge can do without, each alone and as cheap as it can be had: parsing a reading, validating it, a checksum over it, compressing a batch, one POST of it. MQTT is the bare subscriber's part.
 */

export type PartsQuestion =
  | { readonly do: 'parts'; readonly rowsPerAppend: number }
  /** So many appends at this pace to that address. */
  | {
      readonly do: 'post'
      readonly url: string
      readonly rowsPerAppend: number
      readonly perSecond: number
      readonly ms: number
    }

/** Microseconds of processor per row. */
export interface Parts {
  readonly parse: number
  readonly validate: number
  readonly checksum: number
  readonly compress: number
}

const ROWS = 2_000
const ROUNDS = 10
/** Requests. */
const WARM_UP = 3_200

answer<PartsQuestion>(async (question) => {
  const device = await createDevice(7, 'benchaaa')
  const messages = Array.from({ length: ROWS }, (_, i) => Buffer.from(device.next(1_800_000_000_000 + i * 500)))
  const { rowsPerAppend } = question
  const bodies: Buffer[] = []
  for (let at = 0; at + rowsPerAppend <= ROWS; at += rowsPerAppend)
    bodies.push(Buffer.concat(messages.slice(at, at + rowsPerAppend).flatMap((row) => [row, Buffer.from('\n')])))
  if (question.do === 'post')
    return post(
      question,
      bodies.map((body) => gzipSync(body, { level: 1 })),
    )
  const values = messages.map((message) => JSON.parse(message.toString()) as object)
  return {
    parse: perRow(messages, (message) => JSON.parse(message.toString())),
    validate: perRow(values, quotesIfPlain),
    checksum: perRow(messages, (message) => crc32(message)),
    compress: perRow(bodies, (body) => gzipSync(body, { level: 1 })) / rowsPerAppend,
  } satisfies Parts
})

/** The median of some rounds: a machine that does other things as well has slow ones. */
function perRow<T>(items: readonly T[], act: (item: T) => unknown): number {
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const begun = process.cpuUsage()
    for (const item of items) act(item)
    const { user, system } = process.cpuUsage(begun)
    // The first one compiles.
    if (round > 0) rounds.push((user + system) / items.length)
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN
}

/** At the pace of the bridge: a request into a quiet process costs more than one of many. */
async function post(
  { url, rowsPerAppend, perSecond, ms }: PartsQuestion & { do: 'post' },
  bodies: readonly Buffer[],
): Promise<number> {
  const dispatcher = new Agent({ connections: 64 })
  const path = '/v2/streaming/data/databases/D/schemas/S/pipes/P/channels/bench/rows'
  const tokens = new Map<number, string>()
  const channels = 64
  const call = async (method: 'PUT' | 'POST', address: string, body: Buffer | string) => {
    const { body: reply } = await request(`${url}${address}`, {
      method,
      dispatcher,
      headers: { authorization: 'Bearer token', 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
      body,
    })
    return (await reply.json()) as { next_continuation_token: string }
  }
  for (let channel = 0; channel < channels; channel++)
    tokens.set(
      channel,
      (await call('PUT', path.replace('/data', '').replace('bench/rows', `bench-${channel}`), '{}'))
        .next_continuation_token,
    )
  let sent = 0
  const one = async (index: number) => {
    const channel = index % channels
    const query = `continuationToken=${tokens.get(channel)}&startOffsetToken=1.abcd.aaaaaaaa.1&endOffsetToken=1.abcd.aaaaaaaa.9&requestId=${randomUUID()}`
    const address = `${path.replace('bench/rows', `bench-${channel}/rows`)}?${query}`
    const { next_continuation_token: next } = await call('POST', address, bodies[index % bodies.length] as Buffer)
    tokens.set(channel, next)
  }
  const run = async (forMs: number) => {
    const started = performance.now()
    const under: Promise<void>[] = []
    while (performance.now() - started < forMs) {
      under.push(one(sent++))
      // One timer per request and no more: waking up for nothing would be counted too.
      const due = started + (under.length * 1000) / perSecond - performance.now()
      if (due > 0) await sleep(due)
    }
    await Promise.all(under)
    return under.length
  }
  // Compiled first: the bridge has been for a while.
  for (let i = 0; i < WARM_UP; i += channels) await Promise.all(Array.from({ length: channels }, () => one(sent++)))
  await run(Math.min(1_000, ms))
  const begun = process.cpuUsage()
  const posts = await run(ms)
  const { user, system } = process.cpuUsage(begun)
  await dispatcher.close()
  return (user + system) / posts / rowsPerAppend
}
