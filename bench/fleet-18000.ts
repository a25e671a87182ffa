import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Bridge, type BridgeHealth, startBridge } from './world/bridge.ts'
import { inDirectory } from './world/directory.ts'
import { startFleet } from './world/fleet.ts'
import { startMosquitto } from './world/mosquitto.ts'
import { conclude, megabytes, round, say, table } from './world/report.ts'
import { startSink } from './world/sink.ts'
import { usageOf } from './world/usage.ts'

/**
 * A fleet as large as one table takes: 18,000 devices on ten pipes, one bridge, batches of 30 s, 2,000 readings a second.
 *
 *   npm run bench:fleet [-- --devices 18000 --pipes 10 --rate 2000 --age 30 --opens 10 --seconds 120 --idle 60]
 *
 * Mosquitto and the bridge are real, Snowpipe is a sink that refuses more than `--opens` openings a second on each pipe. The
 * fleet starts all at once; when every channel is open it goes on for `--seconds`, is silent for `--idle`, the bridge is
 * killed, and it starts again with the whole fleet known while readings go on. Is anybody left behind? The age of the oldest
 * row that waits tells: it is looked at every five seconds, and stands in the line of JSON as it was over time.
 */
const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '18000' },
    pipes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '2000' },
    age: { type: 'string', default: '30' },
    opens: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '120' },
    idle: { type: 'string', default: '60' },
  },
})
const number = (key: keyof typeof values) => Number(values[key])
const [devices, pipes, rate, age] = [number('devices'), number('pipes'), number('rate'), number('age')]
const [opens, seconds, idle] = [number('opens'), number('seconds'), number('idle')]

const MB = 1024 * 1024
const MOST_MB = 600
const LOOK_MS = 5_000
/** Beyond the age of a batch: its append, the commit after a second, the question for it. */
const SLACK_S = 10
/** What a bridge without rows may take of a core, per thousand channels. */
const IDLE_SHARE_PER_THOUSAND = 0.01
/** Nobody waits longer for a fleet that does not come. */
const PATIENCE_MS = 30 * 60_000

interface Sample {
  readonly phase: string
  readonly seconds: number
  readonly oldestWaiting: number
  readonly rowsWaiting: number
  readonly channels: number
  readonly committed: number
  readonly appends: number
  readonly rssMb: number
}

const found = await inDirectory(async (dir) => {
  const broker = await startMosquitto(dir)
  const sink = await startSink(opens)
  const start = () =>
    startBridge(
      { mqtt: broker.url, snowpipe: sink.url, spool: join(dir, 'spool') },
      {
        SNOWFLAKE_PIPES: Array.from({ length: pipes }, (_, i) => `SENSOR_PIPE_${i}`).join(','),
        BATCH_MAX_AGE_MS: age * 1_000,
        SPOOL_MAX_BYTES: 2 ** 31,
        // What waits for its batch stays in memory: rate × age × 1.2 kB, and some more.
        SPOOL_MEMORY_BYTES: Math.round(rate * (age + SLACK_S) * 1_200),
      },
    )
  let bridge: Bridge = await start()
  await bridge.subscribed
  say(`making ${devices} devices`)
  const fleet = await startFleet(broker.url, devices)
  const began = performance.now()
  const samples: Sample[] = []

  say(`the storm: all at once, ${rate}/s`)
  const storm = await measured('storm', async () => {
    await fleet.pace(rate)
    await watch('storm', async () => (await sink.count()).channelsCommitted >= devices)
  })
  const refusedInStorm = (await sink.count()).refusedOpens
  say(`the backlog of the storm`)
  await watch('catching up', async (health) => health.lag_seconds < age + SLACK_S)

  say(`${seconds} s of it`)
  const before = await sink.count()
  const steady = await measured('steady', () => watch('steady', later(seconds)))
  const after = await sink.count()
  const metricsSince = performance.now()
  const metricsBytes = (await bridge.metrics()).length
  const metricsMs = performance.now() - metricsSince

  say('the rest of it, and silence')
  await fleet.pace(0)
  await watch('draining', async ({ rows_waiting }) => rows_waiting === 0)
  // Ledgers of the last commits are on their way.
  await sleep(LOOK_MS)
  const silent = await measured('silent', () => sleep(idle * 1_000))
  const firstPeak = (await usageOf(bridge.pid)).peakRss

  say('killed, and started again while readings go on')
  await bridge.kill('SIGKILL')
  const opensBefore = (await sink.count()).opens
  const { acknowledged: atKill } = await fleet.pace(rate)
  const downSince = performance.now()
  bridge = await start()
  await bridge.subscribed
  const subscribedAfter = (performance.now() - downSince) / 1_000
  const restart = await measured('restart', () =>
    watch('restart', async () => (await sink.count()).opens - opensBefore >= devices),
  )
  await watch('restarted', async (health) => health.lag_seconds < age + SLACK_S)
  const { acknowledged } = await fleet.pace(0)
  say(`${acknowledged - atKill} readings after the kill; the rest of them`)
  await watch('ending', async ({ rows_waiting }) => rows_waiting === 0)
  const { committed } = await sink.count()
  const secondPeak = (await usageOf(bridge.pid)).peakRss
  await bridge.kill()
  await fleet.stop()
  await sink.stop()
  await broker.stop()
  return {
    storm,
    steady,
    silent,
    restart,
    subscribedAfter,
    refusedInStorm,
    metricsBytes,
    metricsMs,
    firstPeak,
    secondPeak,
    committedPerSecond: (after.committed - before.committed) / steady.seconds,
    rowsPerAppend: (after.rows - before.rows) / Math.max(1, after.appends - before.appends),
    acknowledged,
    committed,
    samples,
  }

  function later(s: number): () => Promise<boolean> {
    const until = performance.now() + s * 1_000
    return async () => performance.now() >= until
  }

  /** Looks every few seconds, and writes down what it sees, until `holds`. */
  async function watch(phase: string, holds: (health: BridgeHealth) => Promise<boolean>): Promise<void> {
    const since = performance.now()
    for (;;) {
      const [health, count, { rss }] = [await bridge.health(), await sink.count(), await usageOf(bridge.pid)]
      samples.push({
        phase,
        seconds: round((performance.now() - began) / 1_000, 1),
        oldestWaiting: health.lag_seconds,
        rowsWaiting: health.rows_waiting,
        channels: count.channelsCommitted,
        committed: count.committed,
        appends: count.appends,
        rssMb: megabytes(rss),
      })
      const { oldestWaiting, rowsWaiting, channels, committed, appends, rssMb } = samples.at(-1) as Sample
      say(
        `  ${phase}: ${channels} channels, ${committed} rows by ${appends} appends, ${rowsWaiting} wait, the oldest ${oldestWaiting} s, ${rssMb} MB`,
      )
      if (await holds(health)) return
      if (performance.now() - since > PATIENCE_MS) throw new Error(`${phase} does not end`)
      await sleep(LOOK_MS)
    }
  }

  async function measured(phase: string, act: () => Promise<unknown>) {
    const since = performance.now()
    const before = await usageOf(bridge.pid)
    await act()
    const after = await usageOf(bridge.pid)
    const took = (performance.now() - since) / 1_000
    return { phase, seconds: took, ofACore: (after.cpuMs - before.cpuMs) / 1_000 / took, rss: after.rss }
  }
})

const phases = [found.storm, found.steady, found.silent, found.restart]
table(
  phases.map(({ phase, seconds: took, ofACore, rss }) => ({
    phase,
    seconds: round(took, 1),
    'of a core': round(ofACore, 3),
    MB: megabytes(rss),
  })),
)
const oldest = found.samples.filter(({ phase }) => phase === 'steady').map(({ oldestWaiting }) => oldestWaiting)
// A pipe that has more of the fleet than the others is the last to be open.
const fastest = devices / pipes / opens
conclude(
  'fleet-18000',
  [
    { what: 'rows a second, committed', value: found.committedPerSecond, atLeast: rate * 0.97 },
    { what: 'the oldest row that waited, seconds', value: Math.max(...oldest), atMost: age + SLACK_S },
    {
      what: 'peak resident memory, MB',
      value: Math.max(found.firstPeak, found.secondPeak) / MB,
      atMost: MOST_MB,
    },
    { what: 'storm, times what the pipes allow', value: found.storm.seconds / fastest, atMost: 2 },
    { what: 'openings refused, share', value: found.refusedInStorm / devices, atMost: 0.1 },
    {
      what: 'of a core while nothing comes',
      value: found.silent.ofACore,
      atMost: (IDLE_SHARE_PER_THOUSAND * devices) / 1_000,
    },
    {
      what: 'rows committed less readings acknowledged',
      value: found.committed - found.acknowledged,
      atLeast: 0,
      atMost: 0,
    },
  ],
  { devices, pipes, rate, age, opens, ...found },
)
