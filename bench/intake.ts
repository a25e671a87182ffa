import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '../tests/support/ports.ts'
import { type Bridge, startBridge } from './world/bridge.ts'
import { inDirectory } from './world/directory.ts'
import { startFleet } from './world/fleet.ts'
import { startMosquitto } from './world/mosquitto.ts'
import { conclude, median, megabytes, round, say, table } from './world/report.ts'
import { startSubscriber } from './world/subscriber.ts'
import { usageOf } from './world/usage.ts'

/**
 * How fast the bridge takes in what a real Mosquitto has queued for it: single readings, QoS 1, persistent session, each
 * parsed, validated, written, synced and then acknowledged. Beside it, in turn in the same run, the same messages from a
 * queue of its own: a bare mqtt.js subscriber that throws them away.
 *
 *   npm run bench:intake [-- --rounds 5 --messages 100000 --devices 1000]
 *
 * Both are processes of their own and begin cold, as they do when there is a queue. Snowpipe is away meanwhile.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '100000' },
    devices: { type: 'string', default: '1000' },
  },
})
const [rounds, messages, devices] = [Number(values.rounds), Number(values.messages), Number(values.devices)]
const CLIENT_ID = 'snowhat-bridge'
const ASKED = 0.35
const MOST_MB = 200

const results = await inDirectory(async (dir) => {
  const broker = await startMosquitto(dir)
  const nobody = `http://127.0.0.1:${await freePort()}`
  const fleet = await startFleet(broker.url, devices)
  const found: { bare: number; bridge: number; bridgeCpu: number; bareCpu: number; peak: number }[] = []
  for (let round = 0; round < rounds; round++) {
    // Sessions first: from then on the broker queues for both.
    for (const id of ['bare', CLIENT_ID]) await (await startSubscriber(broker.url, id)).leave()
    await fleet.flood(messages)
    const runs = { bare: drainBare, bridge: drainBridge }
    const order = round % 2 === 0 ? (['bare', 'bridge'] as const) : (['bridge', 'bare'] as const)
    const rates = { bare: { rate: 0, cpu: 0, peak: 0 }, bridge: { rate: 0, cpu: 0, peak: 0 } }
    for (const who of order) rates[who] = await runs[who](broker.url, join(dir, `spool-${round}`), nobody)
    found.push({
      bare: rates.bare.rate,
      bridge: rates.bridge.rate,
      bareCpu: rates.bare.cpu,
      bridgeCpu: rates.bridge.cpu,
      peak: rates.bridge.peak,
    })
    say(`round ${round + 1}: bare ${Math.round(rates.bare.rate)}/s, bridge ${Math.round(rates.bridge.rate)}/s`)
  }
  await fleet.stop()
  await broker.stop()
  return found
})

const ratio = median(results.map(({ bare, bridge }) => bridge / bare))
const peak = Math.max(...results.map((one) => one.peak))
const of = (key: 'bare' | 'bridge' | 'bareCpu' | 'bridgeCpu') => median(results.map((one) => one[key]))
table([
  { who: 'bare mqtt.js subscriber', 'messages/s': Math.round(of('bare')), 'CPU µs/message': round(of('bareCpu'), 1) },
  {
    who: 'bridge, spool on disk',
    'messages/s': Math.round(of('bridge')),
    'CPU µs/message': round(of('bridgeCpu'), 1),
    'peak MB': megabytes(peak),
  },
])
conclude(
  'intake',
  [
    { what: 'intake of the bare subscriber', value: ratio, atLeast: ASKED },
    { what: 'peak resident memory of the bridge, MB', value: megabytes(peak), atMost: MOST_MB },
  ],
  {
    rounds,
    messages,
    devices,
    bare_per_s: Math.round(of('bare')),
    bridge_per_s: Math.round(of('bridge')),
    ratios: results.map(({ bare, bridge }) => round(bridge / bare, 3)),
  },
)

interface Drained {
  readonly rate: number
  /** Microseconds of processor per message, the start of the process left out. */
  readonly cpu: number
  readonly peak: number
}

async function drainBare(url: string): Promise<Drained> {
  const subscriber = await startSubscriber(url, 'bare')
  const { ms, cpuMs } = await subscriber.received(messages)
  const { peakRss } = await usageOf(subscriber.pid)
  await subscriber.leave()
  return { rate: ((messages - 1) * 1000) / ms, cpu: (cpuMs * 1000) / messages, peak: peakRss }
}

async function drainBridge(mqtt: string, spool: string, snowpipe: string): Promise<Drained> {
  const bridge = await startBridge({ mqtt, spool, snowpipe }, { SPOOL_MAX_BYTES: 2 ** 31 })
  try {
    const from = await lookFrom(bridge, 1)
    const to = await lookFrom(bridge, messages)
    return {
      rate: ((to.rows - from.rows) * 1000) / (to.at - from.at),
      cpu: ((to.cpuMs - from.cpuMs) * 1000) / (to.rows - from.rows),
      peak: to.peakRss,
    }
  } finally {
    // Its rows need not be delivered: the next round has a spool of its own.
    await bridge.kill(process.env.BENCH_NODE_OPTIONS === undefined ? 'SIGKILL' : 'SIGTERM')
  }
}

/** The first look at which the spool holds so many rows. Seldom until they are nearly there: fifty looks a second take a tenth of the bridge. */
async function lookFrom(bridge: Bridge, rows: number) {
  await bridge.until(({ rows_waiting }) => rows_waiting >= rows * 0.9, rows > 1 ? 250 : 20)
  const health = await bridge.until(({ rows_waiting }) => rows_waiting >= rows, 20)
  return { rows: health.rows_waiting, at: performance.now(), ...(await usageOf(bridge.pid)) }
}
