import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBridge } from './world/bridge.ts'
import { inDirectory } from './world/directory.ts'
import { startFleet } from './world/fleet.ts'
import { startMosquitto } from './world/mosquitto.ts'
import type { Parts, PartsQuestion } from './world/parts-program.ts'
import { startHelper } from './world/program.ts'
import { conclude, median, megabytes, round, say, table } from './world/report.ts'
import { startSink } from './world/sink.ts'
import { startSubscriber } from './world/subscriber.ts'
import { usageOf } from './world/usage.ts'

/**
 * What a row costs the bridge from the broker to Snowpipe, in processor time, against the sum of what cannot be avoided,
 * each measured alone in a process of its own in the same run: the MQTT packet and its PUBACK (a bare mqtt.js subscriber),
 * parse, validate, checksum, compress, POST. MQTT and POST at the pace of the bridge, the others in a loop.
 *
 *   npm run bench:cpu [-- --rounds 5 --rate 2000 --seconds 10]
 *
 * At 10 and at 100 rows an append, 200 and 100 devices; batches close when they are full.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '10' },
  },
})
const [rounds, rate, seconds] = [Number(values.rounds), Number(values.rate), Number(values.seconds)]
const ASKED = 2
const MOST_MB = 200
const CASES = [
  { rowsPerAppend: 10, devices: 200 },
  { rowsPerAppend: 100, devices: 100 },
]

const results = []
for (const one of CASES) results.push(await inDirectory((dir) => measure(dir, one)))

table(
  results.map(({ rowsPerAppend, bridge, mqtt, parts, post, sum, ratio, actual, peak }) => ({
    'rows an append': round(actual, 1),
    'bridge µs/row': round(bridge, 1),
    'sum µs/row': round(sum, 1),
    MQTT: round(mqtt, 1),
    parse: round(parts.parse, 1),
    validate: round(parts.validate, 1),
    checksum: round(parts.checksum, 1),
    compress: round(parts.compress, 1),
    POST: round(post, 1),
    ratio: round(ratio, 2),
    'peak MB': megabytes(peak),
    asked: rowsPerAppend,
  })),
)
conclude(
  'cpu-per-row',
  [
    ...results.map(({ rowsPerAppend, ratio }) => ({
      what: `the bridge's CPU per row, times the sum of its parts, ${rowsPerAppend} rows an append`,
      value: ratio,
      atMost: ASKED,
    })),
    {
      what: 'peak resident memory of the bridge, MB',
      value: megabytes(Math.max(...results.map(({ peak }) => peak))),
      atMost: MOST_MB,
    },
  ],
  { rounds, rate, seconds, results },
)

async function measure(dir: string, { rowsPerAppend, devices }: (typeof CASES)[number]) {
  const broker = await startMosquitto(dir)
  const sink = await startSink()
  const other = await startSink()
  const fleet = await startFleet(broker.url, devices)
  const bridge = await startBridge(
    { mqtt: broker.url, snowpipe: sink.url, spool: join(dir, 'spool') },
    { BATCH_MAX_ROWS: rowsPerAppend, BATCH_MAX_AGE_MS: 60_000, BRIDGE_OPENS_PER_SECOND: 100 },
  )
  await bridge.subscribed
  const subscriber = await startSubscriber(broker.url, 'bare')
  const helper = startHelper('./parts-program.ts')
  await fleet.pace(rate)
  while ((await sink.count()).channelsCommitted < devices) await sleep(500)
  // Compiled, and every batch a full one.
  await sleep(10_000)
  const found: { bridge: number; mqtt: number; parts: Parts; post: number; actual: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const before = await snapshot()
    await sleep(seconds * 1000)
    const after = await snapshot()
    const rows = after.rows - before.rows
    const messages = after.sent - before.sent
    // Bridge and subscriber get every message at the same time; the others run between.
    const parts = await helper.ask<Parts>({ do: 'parts', rowsPerAppend } satisfies PartsQuestion)
    const post = await helper.ask<number>({
      do: 'post',
      url: other.url,
      rowsPerAppend,
      perSecond: rate / rowsPerAppend,
      ms: (seconds * 1000) / 2,
    } satisfies PartsQuestion)
    found.push({
      bridge: ((after.bridge - before.bridge) * 1000) / rows,
      mqtt: ((after.bare - before.bare) * 1000) / messages,
      parts,
      post,
      actual: rows / (after.appends - before.appends),
    })
    say(`${rowsPerAppend} rows an append, round ${round + 1}: ${JSON.stringify(found.at(-1))}`)
  }
  const { peakRss: peak } = await usageOf(bridge.pid)
  await fleet.pace(0)
  for (const one of [fleet, sink, other, broker]) await one.stop()
  await bridge.kill('SIGKILL')
  await subscriber.leave().catch(() => undefined)
  await helper.kill()
  const of = (value: (one: (typeof found)[number]) => number) => median(found.map(value))
  const sums = found.map(
    ({ mqtt, parts, post }) => mqtt + post + parts.parse + parts.validate + parts.checksum + parts.compress,
  )
  return {
    rowsPerAppend,
    bridge: of((one) => one.bridge),
    mqtt: of((one) => one.mqtt),
    parts: {
      parse: of((one) => one.parts.parse),
      validate: of((one) => one.parts.validate),
      checksum: of((one) => one.parts.checksum),
      compress: of((one) => one.parts.compress),
    },
    post: of((one) => one.post),
    sum: median(sums),
    ratio: median(found.map((one, i) => one.bridge / (sums[i] as number))),
    actual: of((one) => one.actual),
    peak,
  }

  async function snapshot() {
    const [b, s, f, c] = await Promise.all([usageOf(bridge.pid), usageOf(subscriber.pid), fleet.count(), sink.count()])
    return { bridge: b.cpuMs, bare: s.cpuMs, sent: f.acknowledged, rows: c.rows, appends: c.appends }
  }
}
