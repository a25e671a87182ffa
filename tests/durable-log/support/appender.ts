import { systemClock } from '../../../src/clock.ts'
import { openDurableLog } from '../../../src/durable-log/durable-log.ts'
import { silentLog } from '../../../src/log.ts'

/** A process that appends for as long as it lives, and says which numbers it was told. */
const log = await openDurableLog(
  { dir: process.argv[2] as string, segmentBytes: 64 * 1024 },
  { clock: systemClock(), log: silentLog() },
)
process.stdout.write(`open ${log.nextSequence}\n`)
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (;;) {
      const sequence = log.nextSequence
      process.stdout.write(`${await log.append(Buffer.from(`body of ${sequence}`))}\n`)
    }
  }),
)
