import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBridge } from './world/bridge.ts'
import { inDirectory } from './world/directory.ts'
import { startFleet } from './world/fleet.ts'
import { startMosquitto } from './world/mosquitto.ts'
import { conclude, megabytes, round, say, table } from './world/report.ts'
import { startSink } from './world/sink.ts'
import { usageOf } from './world/usage.ts'

/**
 * Snowpipe is away for ten minutes while 1,000 devices go on at two readings a second; then it comes back, and so do the
 * readings: how fast is the backlog sent while new ones keep coming? And does the memory of the bridge stay what it is?
 *
 *   npm run bench:outage [-- --minutes 10 --devices 1000 --rate 2 --build 5000]
 *
 * The backlog of the outage is built faster than real time (`--build` readings a second), so that the bench takes minutes;
 * what counts is how many rows there are. Snowpipe is a process that only counts (`world/sink-program.ts`).
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    devices: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '2' },
    build: { type: 'string', default: '5000' },
  },
})
const [minutes, devices, rate, build] = [values.minutes, values.devices, values.rate, values.build].map(Number) as [
  number,
  number,
  number,
  number,
]
const live = devices * rate
const backlog = Math.round(live * 60 * minutes)
const ASKED = 5
/** Rows of so many seconds are always under way: batches of five, commits of one, a look each. */
const UNDER_WAY_S = 8
const MOST_MB = 200

const found = await inDirectory(async (dir) => {
  const broker = await startMosquitto(dir)
  const sink = await startSink()
  const fleet = await startFleet(broker.url, devices)
  const where = { mqtt: broker.url, snowpipe: sink.url, spool: join(dir, 'spool') }
  // Rows of this outage and of its end; where there is less room the broker and the Pis keep the rest.
  const settings = { SPOOL_MAX_BYTES: 8 * 2 ** 30, BRIDGE_OPENS_PER_SECOND: 100 }
  const bridge = await startBridge(where, settings)
  await bridge.subscribed
  say('a while without trouble, until every channel is open')
  await fleet.pace(live)
  while ((await sink.count()).channelsCommitted < devices) await sleep(500)
  await bridge.until(({ rows_waiting }) => rows_waiting <= live * UNDER_WAY_S)

  say(`Snowpipe is away: ${backlog} readings, ${build}/s`)
  await sink.leave()
  await fleet.pace(build)
  const before = await fleet.count()
  const started = performance.now()
  for (let sent = 0; sent < backlog; sent = (await fleet.count()).sent - before.sent) await sleep(250)
  await fleet.pace(live)
  const builtMs = performance.now() - started
  // What is with the broker by now is the bridge's in a moment.
  const waiting = await bridge.until(({ rows_waiting }) => rows_waiting >= backlog)
  const afterBuild = await usageOf(bridge.pid)
  const spool = await sizeOf(join(dir, 'spool'))

  say(`Snowpipe is back: ${waiting.rows_waiting} rows wait, ${megabytes(spool)} MB; new ones keep coming, ${live}/s`)
  const committedBefore = (await sink.count()).committed
  await sink.comeBack()
  const back = performance.now()
  let most = 0
  const marks: { seconds: number; committed: number; waiting: number }[] = []
  for (;;) {
    await sleep(1_000)
    const { rows_waiting } = await bridge.health()
    const { committed, ...sunk } = await sink.count()
    most = Math.max(most, (await usageOf(bridge.pid)).rss)
    marks.push({ seconds: (performance.now() - back) / 1000, committed, waiting: rows_waiting })
    if (marks.length % 10 === 0)
      say(`${marks.length} s: ${rows_waiting} wait, ${committed - committedBefore} committed, ${JSON.stringify(sunk)}`)
    if (rows_waiting <= live * UNDER_WAY_S) break
  }
  const caughtUp = marks.at(-1) ?? { seconds: Number.NaN, committed: 0, waiting: 0 }
  const after = await usageOf(bridge.pid)
  await fleet.pace(0)
  const { acknowledged } = await fleet.count()
  await bridge.until(({ rows_waiting }) => rows_waiting === 0)
  const { rows } = await sink.count()
  await bridge.kill()
  await fleet.stop()
  await sink.stop()
  await broker.stop()
  return {
    waiting: waiting.rows_waiting,
    spool,
    built: (backlog * 1000) / builtMs,
    seconds: caughtUp.seconds,
    rowsPerSecond: (caughtUp.committed - committedBefore) / caughtUp.seconds,
    afterBuild,
    after,
    most,
    acknowledged,
    rows,
  }
})

const times = found.rowsPerSecond / live
table([
  {
    'rows waiting': found.waiting,
    'spool MB': megabytes(found.spool),
    'caught up after s': round(found.seconds, 1),
    'rows/s': Math.round(found.rowsPerSecond),
    'x real time': round(times, 2),
    'RSS MB': megabytes(found.after.rss),
    'peak MB': megabytes(found.after.peakRss),
    'CPU µs/row': round(
      ((found.after.cpuMs - found.afterBuild.cpuMs) * 1000) / (found.rowsPerSecond * found.seconds),
      1,
    ),
  },
])
conclude(
  'outage',
  [
    { what: 'catching up, backlog and new rows, times real time', value: times, atLeast: ASKED },
    { what: 'peak resident memory of the bridge, MB', value: megabytes(found.after.peakRss), atMost: MOST_MB },
    {
      what: 'rows less readings the broker has acknowledged',
      value: found.rows - found.acknowledged,
      atLeast: 0,
      atMost: 0,
    },
  ],
  { minutes, devices, rate, ...found },
)

async function sizeOf(dir: string): Promise<number> {
  const { readdir } = await import('node:fs/promises')
  let bytes = 0
  for (const name of await readdir(dir)) {
    const found = await stat(join(dir, name)).catch(() => undefined)
    bytes += found?.isFile() ? found.size : 0
  }
  return bytes
}
