import { appendFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { parseDuration } from '../src/duration.ts'
import { type Bridge, startBridge } from './world/bridge.ts'
import { chart, type Mark, type Panel } from './world/chart.ts'
import { inDirectory } from './world/directory.ts'
import { countIn, startEmulator } from './world/emulator.ts'
import { startFleet } from './world/fleet.ts'
import { startMosquitto } from './world/mosquitto.ts'
import { conclude, megabytes, round, say, type Target, table } from './world/report.ts'
import { trendOf } from './world/trend.ts'
import { faultOf, type Planned, plan } from './world/trouble.ts'
import { descriptorsOf, usageOf } from './world/usage.ts'

/**
 * Hours of readings, and every so often something goes wrong: Snowpipe throttles, fails, loses answers or is slow, the
 * broker is restarted, the bridge is killed. Does anything grow that should not, and is each reading in the table once?
 *
 *   npm run bench:soak -- --for 1h --rate 1000 --devices 100 [--every 30s --sample 10s --seed N --out data/soak]
 *
 * Mosquitto, bridge and emulator are real processes; the Pis publish at QoS 1 and send again what was not acknowledged.
 * `soak.csv` and `soak.svg` in `--out` show the run. A leak is judged by the slope of a line through the samples, the
 * warm-up left out: what would it be over the whole run? The same `--seed` repeats the troubles, not their consequences.
 *
 * Memory needs a long run: the collector goes through the old heap only every minute or so, and what it has not looked at
 * yet rises like a leak. A run of a few minutes fails for that; it says something about the rows, not about memory.
 */
const { values } = parseArgs({
  options: {
    for: { type: 'string', default: '1h' },
    rate: { type: 'string', default: '1000' },
    devices: { type: 'string', default: '100' },
    every: { type: 'string', default: '30s' },
    sample: { type: 'string', default: '10s' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000) },
    out: { type: 'string', default: 'data/soak' },
  },
})
const [run, every, sampleEvery] = [duration('for'), duration('every'), duration('sample')]
const [rate, devices, seed] = [Number(values.rate), Number(values.devices), Number(values.seed)]

const MB = 1024 * 1024
const GROWTH = 0.1
/** Growth that says nothing: what a heap breathes, a few sockets more or less, two segments of the spool's log. */
const FLOORS = { rss: 16 * MB, descriptors: 10, spool: 16 * MB }
/** Of the run, and of each life of the bridge: caches fill, code is compiled, channels are opened. */
const WARM_UP = 0.2
const DRAIN_MS = 180_000

interface Sample {
  readonly seconds: number
  /** Which bridge: it counts up with each restart. */
  readonly life: number
  /** Of that bridge. */
  readonly age: number
  readonly rss: number
  readonly descriptors: number
  readonly spool: number
  readonly waiting: number
  readonly rows: number
  readonly acknowledged: number
}

const COLUMNS = 'seconds,life,rss_bytes,descriptors,spool_bytes,rows_waiting,rows_in_table,readings_acknowledged\n'
const csv = join(values.out, 'soak.csv')
await mkdir(values.out, { recursive: true })
await writeFile(csv, COLUMNS)
say(`seed ${seed}; ${csv} grows a line every ${sampleEvery / 1000} s`)

const found = await inDirectory(async (dir) => {
  const [spool, data] = [join(dir, 'spool'), join(dir, 'warehouse')]
  const broker = await startMosquitto(dir)
  const emulator = await startEmulator(data)
  const start = async () => {
    const bridge = await startBridge(
      { mqtt: broker.url, snowpipe: emulator.url, spool },
      { BRIDGE_OPENS_PER_SECOND: 100 },
    )
    await bridge.subscribed
    return { bridge, since: performance.now() }
  }
  let up: { readonly bridge: Bridge; readonly since: number } | undefined = await start()
  let life = 1
  const fleet = await startFleet(broker.url, devices)
  const started = performance.now()
  const elapsed = () => performance.now() - started
  const samples: Sample[] = []
  const marks: Mark[] = []
  await fleet.pace(rate)
  await Promise.all([watch(), disturb()])

  await emulator.faults([])
  const { acknowledged } = await fleet.pace(0)
  const seconds = elapsed() / 1000
  say(`${acknowledged} readings acknowledged; waiting for the last of them`)
  const limit = performance.now() + DRAIN_MS
  while (performance.now() < limit && (await emulator.rows()) < acknowledged) await sleep(500)
  const last = up.bridge
  while (performance.now() < limit && (await last.health()).rows_waiting > 0) await sleep(500)
  const { rows_waiting: undelivered, dead_letters: deadLetters } = await last.health()
  await last.kill()
  await fleet.stop()
  await emulator.stop()
  await broker.stop()
  return { samples, marks, seconds, acknowledged, undelivered, deadLetters, counted: await countIn(data) }

  async function watch(): Promise<void> {
    for (let next = sampleEvery; next <= run; next += sampleEvery) {
      await sleep(Math.max(0, next - elapsed()))
      const sample = await look()
      if (sample === undefined) continue
      samples.push(sample)
      await appendFile(csv, lineOf(sample))
    }
  }

  /** Nothing while the bridge is down; a bridge that should be up and does not answer ends the run. */
  async function look(): Promise<Sample | undefined> {
    const seen = up
    if (seen === undefined) return undefined
    try {
      const { pid } = seen.bridge
      const [{ rss }, descriptors, health] = await Promise.all([usageOf(pid), descriptorsOf(pid), seen.bridge.health()])
      const { acknowledged } = await fleet.count()
      const rows = await emulator.rows()
      const [at, age] = [elapsed(), performance.now() - seen.since]
      return {
        seconds: at / 1000,
        life,
        age: age / 1000,
        rss,
        descriptors,
        spool: await sizeOf(spool),
        waiting: health.rows_waiting,
        rows,
        acknowledged,
      }
    } catch (error) {
      if (up !== seen) return undefined
      throw error
    }
  }

  async function disturb(): Promise<void> {
    for (const planned of plan(seed, run, every)) {
      await sleep(Math.max(0, planned.at - elapsed()))
      const from = elapsed() / 1000
      await strike(planned)
      const to = elapsed() / 1000
      marks.push({ kind: planned.trouble, from, to })
      say(`${round(from / 60)} min: ${planned.trouble} for ${round(to - from, 1)} s`)
    }
  }

  async function strike(planned: Planned): Promise<void> {
    const fault = faultOf(planned)
    if (fault !== undefined) {
      await emulator.faults([fault])
      await sleep(planned.for)
    } else if (planned.trouble === 'broker-restart') {
      await broker.restart('SIGTERM')
    } else {
      const killed = up?.bridge
      up = undefined
      await killed?.kill('SIGKILL')
      life++
      up = await start()
    }
  }
})

const { samples, marks, seconds, acknowledged, undelivered, deadLetters, counted } = found
const picture = join(values.out, 'soak.svg')
const title = `Snowhat soak: ${values.for}, ${rate} readings/s, ${devices} devices, seed ${seed}`
await writeFile(picture, chart(title, panels(), marks, run / 1000))
const warm = samples.filter((sample) => sample.seconds > (run / 1000) * WARM_UP && sample.age > (run / 1000) * WARM_UP)
// The spool is the same directory for all lives of the bridge.
const whole = samples.filter((sample) => sample.seconds > (run / 1000) * WARM_UP)
const growths = [
  growth('resident memory of the bridge, MB', FLOORS.rss, MB, warm, 'rss'),
  growth('open descriptors of the bridge', FLOORS.descriptors, 1, warm, 'descriptors'),
  growth('spool directory, MB', FLOORS.spool, MB, whole, 'spool', true),
]
table([
  {
    minutes: round(seconds / 60, 1),
    troubles: marks.length,
    'readings/s': Math.round(acknowledged / seconds),
    'RSS MB, most': megabytes(most('rss')),
    'descriptors, most': most('descriptors'),
    'spool MB, most': megabytes(most('spool')),
    'rows waiting, most': most('waiting'),
  },
])
conclude(
  'soak',
  [
    ...growths.map(({ target }) => target),
    // Otherwise it was another soak than the one asked for.
    { what: 'readings a second, of those asked for', value: acknowledged / seconds / rate, atLeast: 0.9 },
    {
      what: 'rows in the table less readings acknowledged',
      value: counted.rows - acknowledged,
      atLeast: 0,
      atMost: 0,
    },
    { what: 'rows that are there twice', value: counted.duplicates, atMost: 0 },
    { what: 'rows not delivered in the end', value: undelivered, atMost: 0 },
    { what: 'dead letters', value: deadLetters, atMost: 0 },
  ],
  {
    for: values.for,
    rate,
    devices,
    seed,
    acknowledged,
    ...counted,
    troubles: marks.map(({ kind }) => kind),
    means: Object.fromEntries(growths.map(({ key, mean }) => [key, round(mean, 1)])),
  },
)
say(`see ${picture}`)

type Measured = 'rss' | 'descriptors' | 'spool'

/** `unit` is what one of the figures printed stands for. */
function growth(
  what: string,
  floor: number,
  unit: number,
  over: readonly Sample[],
  key: Measured,
  oneLife = false,
): { readonly key: Measured; readonly mean: number; readonly target: Target } {
  const points = over.map((sample) => ({
    at: sample.seconds,
    value: sample[key] / unit,
    life: oneLife ? 0 : sample.life,
  }))
  const { mean, slope } = trendOf(points)
  const atMost = round(Math.max(mean * GROWTH, floor / unit), 1)
  return { key, mean, target: { what: `growth over the run: ${what}`, value: (slope * run) / 1000, atMost } }
}

function panels(): Panel[] {
  const panel = (title: string, key: keyof Sample, unit = 1): Panel => {
    const points = samples.flatMap((sample, i) => {
      const value = [sample.seconds, sample[key] / unit] as const
      // No line from one process to the next.
      return (samples[i - 1]?.life ?? sample.life) === sample.life
        ? [value]
        : [[sample.seconds, undefined] as const, value]
    })
    return { title, points }
  }
  return [
    panel('Resident memory of the bridge, MB', 'rss', MB),
    panel('Open descriptors of the bridge', 'descriptors'),
    panel('Spool directory, MB', 'spool', MB),
    panel('Rows waiting in the bridge', 'waiting'),
    panel('Rows in the table, thousands', 'rows', 1_000),
  ]
}

function most(key: keyof Sample): number {
  return Math.max(...samples.map((sample) => sample[key]))
}

function lineOf(sample: Sample): string {
  const { life, rss, descriptors, spool, waiting, rows, acknowledged } = sample
  return `${[round(sample.seconds, 1), life, rss, descriptors, spool, waiting, rows, acknowledged].join(',')}\n`
}

/** All files below, also those of devices that were moved aside; some vanish meanwhile. */
async function sizeOf(dir: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const file = entry.isFile() ? await stat(join(entry.parentPath, entry.name)).catch(() => undefined) : undefined
    bytes += file?.size ?? 0
  }
  return bytes
}

function duration(option: 'for' | 'every' | 'sample'): number {
  const ms = parseDuration(values[option])
  if (ms === undefined || ms === 0)
    throw new Error(`--${option} is a time such as 90s, 20m or 1h, not ${values[option]}`)
  return ms
}
