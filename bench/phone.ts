import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { readParameters } from '../phone/classify/parameters.ts'
import { Recognition } from '../phone/recognition/recognition.ts'
import { parseMessage } from '../phone/wire/parse-message.ts'
import { DEFAULT_SENSORS, sensorFilter } from '../phone/wire/sensors.ts'
import { phoneMessage } from './world/phone-message.ts'
import { conclude, median, megabytes, round, say, table } from './world/report.ts'

/**
 * What the phones' messages cost from text to activity: parser, gravity, windows, classifier. Beside it, in turn in the same
 * run, `JSON.parse` of the same texts, which nobody can do without.
 *
 *   npm run bench:phone [-- --rounds 5 --phones 200 --hertz 100 --seconds 60]
 *
 * Messages hold a second of `accelerometer` and `gravity`: two readings a sample, as phones send them.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    phones: { type: 'string', default: '200' },
    hertz: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '60' },
  },
})
const [rounds, phones, hertz, seconds] = [values.rounds, values.phones, values.hertz, values.seconds].map(Number) as [
  number,
  number,
  number,
  number,
]
const T0_MS = 1_700_000_000_000
const MOST_RATIO = 8
const ONE_PHONE_HERTZ = 200

const parameters = await readParameters()
const keeps = sensorFilter(DEFAULT_SENSORS)

const found: { readonly fleet: ReturnType<typeof cost>; readonly one: ReturnType<typeof cost> }[] = []
for (let round = 0; round < rounds; round++) {
  const fleet = cost(phones, hertz, seconds)
  const one = cost(1, ONE_PHONE_HERTZ, seconds * 5)
  found.push({ fleet, one })
  say(`round ${round + 1}: ${Math.round(1e6 / fleet.whole)} samples/s, ${fleet.whole.toFixed(1)} µs a sample`)
}
// The first compiles.
const kept = found.length > 1 ? found.slice(1) : found
const of = (pick: (one: (typeof found)[number]) => number) => median(kept.map(pick))
const share = of(({ one }) => one.whole) * ONE_PHONE_HERTZ * 1e-6
const rate = of(({ fleet }) => 1e6 / fleet.whole)
const ratio = of(({ fleet }) => fleet.whole / fleet.bare)
table([
  {
    what: 'JSON.parse',
    'µs a sample': round(
      of(({ fleet }) => fleet.bare),
      1,
    ),
  },
  {
    what: 'to activities',
    'µs a sample': round(
      of(({ fleet }) => fleet.whole),
      1,
    ),
    'samples/s': Math.round(rate),
  },
])
conclude(
  'phone',
  [
    { what: 'samples a second on one core', value: rate, atLeast: 20_000 },
    { what: `share of a core for one phone at ${ONE_PHONE_HERTZ} Hz`, value: share, atMost: 0.02 },
    { what: 'cost beside JSON.parse', value: ratio, atMost: MOST_RATIO },
  ],
  { rounds, phones, hertz, seconds, heap_mb: megabytes(process.memoryUsage().heapUsed) },
)

/** Time per sample, µs, in which nothing but this goes on in the process: of everything, and of `JSON.parse` alone. */
function cost(phoneCount: number, rateHz: number, length: number): { readonly whole: number; readonly bare: number } {
  const recognition = Recognition.begin({ classifier: 'std' }, parameters)
  let [whole, bare, windows] = [0, 0, 0]
  for (let second = 0; second < length; second++)
    for (let phone = 0; phone < phoneCount; phone++) {
      const text = phoneMessage({
        deviceId: `phone-${phone}`,
        sessionId: 'recording',
        messageId: second,
        atMs: T0_MS + second * 1000,
        hertz: rateHz,
        gravity: true,
      })
      const start = performance.now()
      JSON.parse(text)
      const middle = performance.now()
      const parsed = parseMessage(text, keeps)
      if (!parsed.ok) throw new Error(parsed.sentence)
      windows += recognition.process(parsed.message, T0_MS + second * 1000 + 1000).length
      whole += performance.now() - middle
      bare += middle - start
    }
  if (windows === 0) throw new Error('no window came out')
  const samples = phoneCount * rateHz * length
  return { whole: (whole * 1000) / samples, bare: (bare * 1000) / samples }
}
