import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openSenseHat } from '../publisher/sensors/sense-hat.ts'
import { simulateBoard } from '../publisher/sensors/simulator.ts'
import { silentLog } from '../src/log.ts'
import { type TimedBus, timed } from './world/bus-time.ts'
import { inDirectory } from './world/directory.ts'
import { startMosquitto } from './world/mosquitto.ts'
import { processOf, startSnowhat } from './world/program.ts'
import { conclude, megabytes, round, say, table } from './world/report.ts'
import { usageOf } from './world/usage.ts'

/**
 * What the Pi's program takes: two readings a second, the pose followed 50 times a second, simulated chips behind the real
 * drivers, an outbox on disk. Beside it a bare Node, and one with the MQTT and settings libraries alone.
 *
 *   npm run bench:publisher [-- --seconds 60]
 *
 * The first system's claim was about 50 MB and less than 5 % of a Pi 4, in Python.
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } })
const seconds = Number(values.seconds)
const RATE = 50
const PER_SECOND = 2
/** In the first minute V8's compiler takes as much as the program; a Pi runs for months. */
const WARM_UP_MS = 90_000

/** Resident bytes of a Node that has loaded this and does nothing. */
async function resident(source: string): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', `${source};setInterval(() => {}, 1000)`], {
    cwd: process.cwd(),
    stdio: 'ignore',
  })
  const node = processOf(child)
  await sleep(2_000)
  const { rss } = await usageOf(node.pid)
  await node.kill()
  return rss
}

/** Milliseconds of the bus for one reading, and for one look at the inertial chips. */
async function busTimes(): Promise<{ readonly reading: number; readonly inertia: number }> {
  let now = 0
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve(), after: () => () => undefined }
  const options = { seed: 1, board: 'v2', environment: 'indoor', altitude_m: 0, motion: 'still' } as const
  const { chips } = simulateBoard(options, clock)
  let bus: TimedBus | undefined
  const open = async () => {
    bus = timed(await chips.open())
    return bus
  }
  const hat = await openSenseHat(open, { clock, log: silentLog(), random: () => 0.5 })
  const mean = async (what: () => Promise<unknown>, everyMs: number) => {
    now += 5_000
    await what()
    const before = bus?.milliseconds ?? Number.NaN
    for (let i = 0; i < 200; i++) {
      now += everyMs
      await what()
    }
    return ((bus?.milliseconds ?? Number.NaN) - before) / 200
  }
  const reading = await mean(() => hat.read(), 1000 / PER_SECOND)
  const inertia = await mean(() => hat.inertia(), 1000 / RATE)
  await hat.close()
  return { reading, inertia }
}

say('a Node with nothing, and one with the libraries')
const bare = await resident('0')
const libraries = await resident("await import('mqtt'); await import('convict')")
const bus = await busTimes()
const found = await inDirectory(async (dir) => {
  const broker = await startMosquitto(dir)
  const publisher = startSnowhat(['publisher', '--simulate', '--hostname', 'pi-bench'], {
    MQTT_URL: broker.url,
    PUBLISHER_READING_INTERVAL: 1 / PER_SECOND,
    PUBLISHER_ORIENTATION_RATE: RATE,
    PUBLISHER_OUTBOX_DIR: `${dir}/outbox`,
    PUBLISHER_BOARD: 'v2',
    LOG_LEVEL: 'info',
  })
  await publisher.line(/connected to the MQTT broker/)
  say(`${PER_SECOND} readings a second and ${RATE} looks at the pose, ${seconds} s`)
  await sleep(WARM_UP_MS)
  const before = await usageOf(publisher.pid)
  await sleep(seconds * 1000)
  const after = await usageOf(publisher.pid)
  await publisher.kill()
  await broker.stop()
  return { cpu: (after.cpuMs - before.cpuMs) / (seconds * 1000), rss: after.rss, peak: after.peakRss }
})

const share = (bus.reading * PER_SECOND + bus.inertia * RATE) / 1000
table([
  {
    'CPU % of a core': round(found.cpu * 100),
    'RSS MB': megabytes(found.rss),
    'peak MB': megabytes(found.peak),
    'bare Node MB': megabytes(bare),
    'with libraries MB': megabytes(libraries),
    'a reading, ms of the bus': round(bus.reading),
    'a look at the pose, ms': round(bus.inertia),
    'bus %': round(share * 100, 1),
  },
])
conclude(
  'publisher',
  [
    { what: 'share of a core', value: found.cpu, atMost: 0.03 },
    { what: 'share of a bus of 100 kHz', value: share, atMost: 0.15 },
    { what: 'milliseconds of the bus for a reading', value: bus.reading, atMost: 10 },
    { what: 'resident memory, MB', value: megabytes(found.rss), atMost: 80 },
  ],
  { seconds, ...found, bare, libraries, bus },
)
