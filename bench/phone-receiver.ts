import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../tests/support/ports.ts'
import type { BareReceiverQuestion } from './world/bare-receiver-program.ts'
import { inDirectory } from './world/directory.ts'
import { type Mosquitto, startMosquitto } from './world/mosquitto.ts'
import type { PhonesCount, PhonesQuestion } from './world/phones-program.ts'
import { startHelper, startSnowhat } from './world/program.ts'
import { conclude, megabytes, round, say, type Target, table } from './world/report.ts'
import type { RowCount, RowTakerQuestion } from './world/row-taker-program.ts'
import { type Point, trendOf } from './world/trend.ts'
import { usageOf } from './world/usage.ts'

/**
 * The receiver of phones as the program it is: HTTP, parser, journal with its syncs, windows, rows, MQTT, ledgers. Phones,
 * Mosquitto and a stand-in for the bridge are processes of their own. Beside it, sent the same, a server that parses and
 * throws away.
 *
 *   npm run bench:phone-receiver [-- --only one,fleet,fleet-gravity,memory --seconds 60 --hour 240]
 *
 * What it costs is processor time, the kernel's included, which a busy machine makes a little larger and not many times.
 * Memory is watched over an hour of recordings that is sent within `--hour` seconds: recordings end and begin, segments of the
 * journal are deleted, snapshots are written. What the run's line through the samples would come to in its length is its growth.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'one,fleet,fleet-gravity,memory' },
    seconds: { type: 'string', default: '60' },
    hour: { type: 'string', default: '240' },
  },
})
const only = values.only.split(',')
const [seconds, hour] = [Number(values.seconds), Number(values.hour)]

/** V8 compiles what runs often: one phone sends faster until then. */
const WARM_UP_S = 20
const WARM_UP_MESSAGES = 3_000
/** What the receiver takes of one phone: a MiB a second. */
const MOST_SPEED = 15
const DRAIN_MS = 60_000
const MB = 1024 * 1024
const SAMPLE_MS = 1_000
const MEMORY = { phones: 10, hertz: 50, recordings: 12, growthMb: 16, share: 0.1, warmUp: 0.3 }

interface Load {
  readonly name: string
  readonly phones: number
  readonly hertz: number
  readonly gravity: boolean
}

const LOADS: readonly Load[] = [
  { name: 'one', phones: 1, hertz: 200, gravity: true },
  { name: 'fleet', phones: 200, hertz: 100, gravity: false },
  { name: 'fleet-gravity', phones: 200, hertz: 100, gravity: true },
]

const targets: Target[] = []
const figures: Record<string, unknown> = {}
const lines: Record<string, string | number>[] = []

for (const load of LOADS) if (only.includes(load.name)) await judge(load)
if (only.includes('memory')) await judgeMemory()
table(lines)
conclude('phone-receiver', targets, { seconds, hour, ...figures })

async function judge(load: Load): Promise<void> {
  const found = await measure(load)
  const bare = await measureBare(load)
  const { share, sent, rows, rss } = found
  const rate = sent.samples / sent.seconds
  lines.push({
    what: load.name,
    'samples/s': Math.round(rate),
    '% of a core': round(share * 100, 1),
    'µs a sample': round((share / rate) * 1e6, 1),
    'bare %': round(bare.share * 100, 1),
    'p50 ms': round(sent.p50, 1),
    'p99 ms': round(sent.p99, 1),
    'RSS MB, most': megabytes(rss),
  })
  const most = load.phones === 1 ? 0.02 : 1
  targets.push(
    { what: `${load.name}: share of a core`, value: share, atMost: most },
    { what: `${load.name}: samples a second, of those sent`, value: rate / (load.phones * load.hertz), atLeast: 0.95 },
    { what: `${load.name}: messages not answered with 200`, value: sent.sent - sent.taken, atMost: 0 },
    ...complete(load.name, rows, found.taken),
  )
  figures[load.name] = { ...sent, ...rows, share: round(share, 4), bare: round(bare.share, 4), rss_mb: megabytes(rss) }
}

function complete(name: string, { records, missing, activity }: RowCount, taken: number): Target[] {
  return [
    { what: `${name}: rows of messages less messages taken`, value: records - taken, atLeast: 0, atMost: 0 },
    { what: `${name}: numbers of rows missing`, value: missing, atMost: 0 },
    { what: `${name}: rows of activities`, value: activity, atLeast: 1 },
  ]
}

function measure(load: Load) {
  return inWorld({}, async ({ url, pid, rows }) => {
    const warmUp = await send(load, url, { name: `${load.name}-warm`, ...warmingUp(load) })
    const [before, since] = [await usageOf(pid), performance.now()]
    const sent = await send(load, url, { messages: seconds, recording: seconds })
    const [after, until] = [await usageOf(pid), performance.now()]
    const taken = warmUp.taken + sent.taken
    const share = (after.cpuMs - before.cpuMs) / (until - since)
    say(
      `${load.name}: ${round(share * 100, 1)} % of a core for ${Math.round(sent.samples / sent.seconds)} samples/s, answered in ${round(sent.p50)} ms, 99 % in ${round(sent.p99)} ms`,
    )
    return { sent, taken, share, rows: await drained(rows, taken), rss: after.peakRss }
  })
}

async function measureBare(load: Load): Promise<{ readonly share: number }> {
  const bare = startHelper('./bare-receiver-program.ts')
  const port = await freePort()
  await bare.ask({ port } satisfies BareReceiverQuestion)
  const url = `http://127.0.0.1:${port}/`
  await send(load, url, warmingUp(load))
  const [before, since] = [await usageOf(bare.pid), performance.now()]
  await send(load, url, { messages: Math.min(seconds, 30), recording: seconds })
  const after = await usageOf(bare.pid)
  const share = (after.cpuMs - before.cpuMs) / (performance.now() - since)
  await bare.kill()
  return { share }
}

function warmingUp({ phones }: Load) {
  const speed = Math.min(MOST_SPEED, Math.max(1, WARM_UP_MESSAGES / phones / WARM_UP_S))
  return { messages: Math.ceil(WARM_UP_S * speed), speed, recording: 60 }
}

async function judgeMemory(): Promise<void> {
  const { phones, hertz, recordings } = MEMORY
  const messages = 3_600
  const settings = { PHONE_LOG_MAX_BYTES: 64 * MB, PHONE_IDLE_FLUSH: '3s', PHONE_MAX_MESSAGES_PER_S: 1_000 }
  const found = await inWorld(settings, async ({ url, pid, rows, dir }) => {
    const samples: (Point & { readonly journal: number })[] = []
    const started = performance.now()
    let over = false
    const watching = (async () => {
      for (; !over; await sleep(SAMPLE_MS)) {
        const [{ rss }, journal] = await Promise.all([usageOf(pid), sizeOf(join(dir, 'phone'))])
        samples.push({ at: (performance.now() - started) / 1000, value: rss / MB, life: 0, journal })
      }
    })()
    const load = { name: 'memory', phones, hertz, gravity: true }
    const sent = await send(load, url, { messages, speed: messages / hour, recording: messages / recordings })
    over = true
    await watching
    const settled = await drained(rows, sent.taken)
    return { samples, sent, rows: settled, peak: (await usageOf(pid)).peakRss }
  })
  const { samples, sent, rows, peak } = found
  const length = sent.seconds
  const { mean, slope } = trendOf(samples.filter(({ at }) => at > length * MEMORY.warmUp))
  const journal = Math.max(...samples.map((sample) => sample.journal))
  lines.push({
    what: `memory, an hour in ${Math.round(length)} s`,
    'samples/s': Math.round(sent.samples / length),
    'p50 ms': round(sent.p50, 1),
    'p99 ms': round(sent.p99, 1),
    'RSS MB, most': megabytes(peak),
    'RSS MB, mean': round(mean, 1),
    'disk MB, most': megabytes(journal),
  })
  const atMost = round(Math.max(mean * MEMORY.share, MEMORY.growthMb), 1)
  targets.push(
    { what: 'memory: growth over the run, MB', value: slope * length, atMost },
    { what: 'memory: messages not answered with 200', value: sent.sent - sent.taken, atMost: 0 },
    ...complete('memory', rows, sent.taken),
  )
  const rss = samples.filter((_, i) => i % 10 === 0).map(({ value }) => Math.round(value))
  figures.memory = { ...sent, ...rows, rss_mb: rss, disk_mb: megabytes(journal) }
}

interface World {
  /** Where phones send to. */
  readonly url: string
  /** Of the receiver. */
  readonly pid: number
  readonly dir: string
  rows(): Promise<RowCount>
}

/** A receiver, a broker and who takes the rows, for as long as `act` takes. */
function inWorld<T>(settings: Readonly<Record<string, string | number>>, act: (world: World) => Promise<T>) {
  return inDirectory(async (dir) => {
    const broker: Mosquitto = await startMosquitto(dir)
    const taker = startHelper('./row-taker-program.ts')
    const ask = (question: RowTakerQuestion) => taker.ask<RowCount>(question)
    await ask({ do: 'connect', url: broker.url })
    const port = await freePort()
    const receiver = startSnowhat(['phone'], {
      MQTT_URL: broker.url,
      PHONE_PORT: port,
      PHONE_DIR: join(dir, 'phone'),
      LOG_LEVEL: 'info',
      ...settings,
    })
    await receiver.line(/connected to the MQTT broker/)
    const url = `http://127.0.0.1:${port}/sensor-data`
    const result = await act({ url, pid: receiver.pid, dir, rows: () => ask({ do: 'count' }) })
    await receiver.kill()
    await taker.kill()
    await broker.stop()
    return result
  })
}

/** A fleet in a process of its own sends, a second of readings a second unless `how` says otherwise. */
async function send(load: Load, url: string, how: Partial<PhonesQuestion>): Promise<PhonesCount> {
  const phones = startHelper('./phones-program.ts')
  const question = { ...load, url, speed: 1, recording: 60, messages: 0, ...how } satisfies PhonesQuestion
  const count = await phones.ask<PhonesCount>(question)
  await phones.kill()
  return count
}

/** When all rows of so many messages have come, or it has taken too long. */
async function drained(rows: World['rows'], messages: number): Promise<RowCount> {
  const limit = performance.now() + DRAIN_MS
  for (;;) {
    const count = await rows()
    if ((count.records >= messages && count.activity > 0) || performance.now() > limit) return count
    await sleep(200)
  }
}

async function sizeOf(dir: string): Promise<number> {
  const files = await readdir(dir, { recursive: true })
  // Segments go while it looks.
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(dir, file)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
