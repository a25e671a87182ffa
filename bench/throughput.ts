import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBridge } from './world/bridge.ts'
import { inDirectory } from './world/directory.ts'
import { countIn, startEmulator } from './world/emulator.ts'
import { type Fleet, startFleet } from './world/fleet.ts'
import { lagsOf, type Mark } from './world/lag.ts'
import { startMosquitto } from './world/mosquitto.ts'
import { conclude, megabytes, round, say, table } from './world/report.ts'
import { startSubscriber } from './world/subscriber.ts'
import { type Usage, usageOf } from './world/usage.ts'

/**
 * How many single readings a second this machine takes from the Pis to rows in a table, with everything on it: the fleet,
 * a real Mosquitto, the bridge with its spool on disk, and the emulator with DuckDB, each a process of its own.
 *
 *   npm run bench:throughput [-- --seconds 60 --rate 4500 --devices 1000 --warm-up 15]
 *
 * What counts is what is both acknowledged by the broker and committed in the table during the same seconds; at the end
 * the file holds each acknowledged reading once. Then, as information, the same load with a bare mqtt.js subscriber in
 * the place of the bridge and the emulator.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '4500' },
    devices: { type: 'string', default: '1000' },
    'warm-up': { type: 'string', default: '15' },
  },
})
const [seconds, rate, devices, warmUp] = [values.seconds, values.rate, values.devices, values['warm-up']].map(
  Number,
) as [number, number, number, number]
const ASKED = 4_000
const MOST_MB = 200
const LOOK_MS = 250
const OPENS_PER_SECOND = 100

const loadBefore = loadavg()[0] ?? Number.NaN
const found = await inDirectory(async (dir) => {
  const broker = await startMosquitto(dir)
  const emulator = await startEmulator(join(dir, 'warehouse'))
  const bridge = await startBridge(
    { mqtt: broker.url, snowpipe: emulator.url, spool: join(dir, 'spool') },
    { SPOOL_MAX_BYTES: 2 ** 31, BRIDGE_OPENS_PER_SECOND: OPENS_PER_SECOND },
  )
  await bridge.subscribed
  const fleet = await startFleet(broker.url, devices)
  const processes = { bridge, emulator, broker, fleet }

  say(`until every channel is open; then ${warmUp} s at ${rate}/s before it counts`)
  await fleet.pace(devices)
  while ((await emulator.channels()) < devices) await sleep(LOOK_MS)
  await fleet.pace(rate)
  await sleep(warmUp * 1_000)

  say(`${seconds} s at ${rate}/s`)
  const waitingBefore = (await bridge.health()).rows_waiting
  const before = await usages(processes)
  const marks: Mark[] = [await look()]
  const first = marks[0] as Mark
  for (let last = first; last.at - first.at < seconds * 1_000; ) {
    await sleep(LOOK_MS)
    last = await look()
    marks.push(last)
  }
  const last = marks.at(-1) as Mark
  const after = await usages(processes)
  const waitingAfter = (await bridge.health()).rows_waiting
  const { late } = await fleet.count()

  say('the rest of it')
  const { acknowledged } = await fleet.pace(0)
  while ((await emulator.rows()) < acknowledged) await sleep(LOOK_MS)
  marks.push(await look())
  await bridge.until(({ rows_waiting }) => rows_waiting === 0)
  const { peakRss } = await usageOf(bridge.pid)
  await bridge.kill()
  await emulator.stop()
  const inTable = await countIn(join(dir, 'warehouse'))

  say('the same load, and a bare subscriber')
  const bare = await withBareSubscriber(broker.url, fleet, broker.pid)
  await fleet.stop()
  await broker.stop()

  const elapsed = (last.at - first.at) / 1_000
  return {
    elapsed,
    acknowledgedPerSecond: (last.acknowledged - first.acknowledged) / elapsed,
    committedPerSecond: (last.committed - first.committed) / elapsed,
    waitingBefore,
    waitingAfter,
    late,
    lag: lagsOf(marks, last.at),
    cpu: Object.fromEntries(
      Object.keys(processes).map((name) => [name, ((after[name]?.cpuMs ?? 0) - (before[name]?.cpuMs ?? 0)) / 1_000]),
    ),
    emulatorRss: after.emulator?.rss ?? Number.NaN,
    peakRss,
    acknowledged,
    inTable,
    bare,
  }

  async function look(): Promise<Mark> {
    const [{ acknowledged }, rowsInserted] = await Promise.all([fleet.count(), emulator.rows()])
    return { at: performance.now(), acknowledged, committed: rowsInserted }
  }
})

const perRow = (cpuSeconds: number, perSecond: number) => round((cpuSeconds * 1e6) / (perSecond * found.elapsed), 1)
table([
  {
    'acknowledged/s': Math.round(found.acknowledgedPerSecond),
    'committed/s': Math.round(found.committedPerSecond),
    'waiting before': found.waitingBefore,
    'and after': found.waitingAfter,
    'lag p50 s': round(found.lag.p50 / 1_000, 1),
    'p95 s': round(found.lag.p95 / 1_000, 1),
    'bridge peak MB': megabytes(found.peakRss),
    'emulator MB': megabytes(found.emulatorRss),
  },
])
table([
  ...Object.entries(found.cpu).map(([process, cpu]) => ({
    process,
    'CPU s': round(cpu, 1),
    'of a core': round(cpu / found.elapsed),
    'µs/row': perRow(cpu, found.acknowledgedPerSecond),
  })),
  {
    process: `bare subscriber, ${Math.round(found.bare.perSecond)}/s`,
    'CPU s': round(found.bare.cpu, 1),
    'of a core': round(found.bare.cpu / seconds),
    'µs/row': round((found.bare.cpu * 1e6) / found.bare.messages, 1),
  },
])
conclude(
  'throughput',
  [
    {
      what: 'readings a second, acknowledged and committed in the table',
      value: Math.min(found.acknowledgedPerSecond, found.committedPerSecond),
      atLeast: ASKED,
    },
    { what: 'peak resident memory of the bridge, MB', value: megabytes(found.peakRss), atMost: MOST_MB },
    {
      what: 'rows in the table less readings acknowledged',
      value: found.inTable.rows - found.acknowledged,
      atLeast: 0,
      atMost: 0,
    },
    { what: 'rows there twice', value: found.inTable.duplicates, atLeast: 0, atMost: 0 },
  ],
  { seconds, rate, devices, load_average_before: round(loadBefore), ...found },
)

/** As many seconds of it, from a cold start, which at this load costs a bare subscriber next to nothing. */
async function withBareSubscriber(url: string, fleet: Fleet, broker: number) {
  const subscriber = await startSubscriber(url, 'bare')
  const before = await fleet.count()
  const brokerBefore = await usageOf(broker)
  await fleet.pace(rate)
  await sleep(seconds * 1_000)
  const { acknowledged } = await fleet.pace(0)
  const sent = acknowledged - before.acknowledged
  const { messages, ms, cpuMs } = await subscriber.received(sent)
  const brokerAfter = await usageOf(broker)
  await subscriber.leave()
  return {
    messages,
    perSecond: (messages * 1_000) / ms,
    cpu: cpuMs / 1_000,
    brokerCpu: (brokerAfter.cpuMs - brokerBefore.cpuMs) / 1_000,
  }
}

async function usages(processes: Readonly<Record<string, { readonly pid: number }>>): Promise<Record<string, Usage>> {
  const all = Object.entries(processes).map(async ([name, { pid }]) => [name, await usageOf(pid)] as const)
  return Object.fromEntries(await Promise.all(all))
}
