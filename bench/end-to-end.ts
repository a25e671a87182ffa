import { type Parts, startParts } from '../cli/demo/parts.ts'
import { tally } from '../cli/demo/tally.ts'
import { allSections } from '../cli/sections.ts'
import { systemClock } from '../src/clock.ts'
import { loadSettings } from '../src/config.ts'
import { Lifecycle } from '../src/lifecycle.ts'
import { silentLog } from '../src/log.ts'

/**
 * From reading to row: does one process keep up with 50 Pis at 10 readings a second, and how long does a reading
 * take until it can be selected? The table is asked ten times a second, so every figure is up to 100 ms too high.
 *
 *   npm run bench [-- PIS RATE SECONDS]
 *
 * The baseline is what the settings alone impose: age of a batch plus delay of a commit. The ratio says what
 * Snowhat adds to it.
 */
const [pis = 50, rate = 10, seconds = 30] = process.argv.slice(2).map(Number)
const LOOK_MS = 100
const WARM_UP_MS = 5_000

const clock = systemClock()
const settings = await loadSettings(allSections, {
  env: {},
  args: new Map<string, unknown>([
    ['demo.pis', pis],
    ['demo.rate', rate],
    ['demo.mqtt_port', 0],
    ['demo.snowpipe_port', 0],
    ['demo.port', 0],
    ['demo.data', `./data/bench-${process.pid}`],
    ['batch.max_age_ms', 1_000],
    ['emulator.commit_delay', '1s'],
    ['bridge.opens_per_second', 100],
  ]),
})
const life = new Lifecycle()
const parts = await startParts(settings, { clock, log: silentLog(), random: Math.random }, life)
const started = clock.monotonic()
const cpu = process.cpuUsage()
const latencies = await watch(parts)
const used = process.cpuUsage(cpu)
const elapsed = (clock.monotonic() - started) / 1000
for (const publisher of parts.fleet) publisher.stopSampling()
while (parts.bridge.totals().received < parts.fleet.reduce((n, p) => n + p.stats().taken, 0)) await clock.sleep(20)
await parts.bridge.drain(10_000)
const result = await tally(parts.fleet, parts.bridge, parts.emulator, elapsed)
const memory = process.memoryUsage().rss
await life.close()

const baselineMs = settings.batch.max_age_ms + settings.emulator.commit_delay
const p50 = percentile(latencies, 0.5)
const p95 = percentile(latencies, 0.95)
process.stdout.write(
  `${JSON.stringify({
    bench: 'end-to-end',
    node: process.version,
    pis,
    rate,
    ...result,
    rows_per_second: Math.round(result.published / elapsed),
    cores_used: Math.round(((used.user + used.system) / 1e6 / elapsed) * 100) / 100,
    rss_mb: Math.round(memory / 1024 / 1024),
    p50_ms: Math.round(p50),
    p95_ms: Math.round(p95),
    baseline_ms: baselineMs,
    p95_to_baseline: Math.round((p95 / baselineMs) * 100) / 100,
    p95_within_baseline_plus_1s: p95 <= baselineMs + 1_000,
  })}\n`,
)

/** For each row that becomes visible: milliseconds since it was measured. Rows of a stream appear in order. */
async function watch({ emulator, fleet }: Parts): Promise<number[]> {
  const measured = new Map<string, number[]>()
  for (const { stream, events } of fleet) {
    const times: number[] = []
    measured.set(stream, times)
    events.on('reading:taken', (reading) => times.push(Date.parse(String(reading.datetimestamp))))
  }
  const visible = new Map<string, number>()
  const found: number[] = []
  const until = clock.monotonic() + seconds * 1000
  const warm = clock.now() + WARM_UP_MS
  while (clock.monotonic() < until) {
    await clock.sleep(LOOK_MS)
    const rows = await emulator.query(
      'SELECT stream, count(*) AS n FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA GROUP BY stream',
    )
    const now = clock.now()
    for (const row of rows) {
      const stream = String(row.stream)
      const seen = visible.get(stream) ?? 0
      const fresh = (measured.get(stream) ?? []).slice(seen, Number(row.n))
      visible.set(stream, Number(row.n))
      found.push(...fresh.filter((at) => at > warm).map((at) => now - at))
    }
  }
  return found
}

function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN
}
