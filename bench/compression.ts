import { compressed, type Encoding, encodingOf } from '../bridge/compression.ts'
import { ndjsonOf } from '../bridge/ndjson.ts'
import { createDevice } from './world/readings.ts'
import { round, say, table } from './world/report.ts'

/**
 * What compressing a batch costs, gzip against zstd, in processor time and on the wire. Tells whether `batch.compression: auto` is
 * right on this machine; zstd needs Node 22.15.
 *
 *   npx tsx bench/compression.ts
 */
const BATCHES = [5, 100, 1_000]
/** In each measurement, after as many again to warm up. */
const ROWS = 100_000
const NOW = 1_800_000_000_000

const encodings: readonly Encoding[] = encodingOf('auto') === 'zstd' ? ['gzip', 'zstd'] : ['gzip']
const device = await createDevice(1, 'abcd1234')
const results: Record<string, string | number>[] = []
for (const rows of BATCHES) {
  const batch = ndjsonOf(
    Array.from({ length: rows }, (_, i) => Buffer.from(device.next(NOW + i * 1_000))),
    NOW,
  )
  for (const encoding of encodings) {
    const wire = (await compressed(batch, encoding)).length
    await repeat(batch, encoding, rows)
    const before = process.cpuUsage()
    const done = await repeat(batch, encoding, rows)
    const { system, user } = process.cpuUsage(before)
    results.push({
      rows,
      encoding,
      'µs/row': round((system + user) / done, 2),
      'bytes/row': round(batch.length / rows, 0),
      'on the wire': round(wire / rows, 0),
    })
  }
}
say(`Node ${process.versions.node}`)
table(results)

/** Gives how many rows were compressed. */
async function repeat(batch: Buffer, encoding: Encoding, rows: number): Promise<number> {
  const times = Math.ceil(ROWS / rows)
  for (let time = 0; time < times; time++) await compressed(batch, encoding)
  return times * rows
}
