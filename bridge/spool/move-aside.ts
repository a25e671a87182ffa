import type { AsideLogs } from './aside-logs.ts'
import type { DeviceLog } from './device-log.ts'
import type { RowLog } from './row-log.ts'
import { encodeFacts } from './spool-record.ts'

/** Rows are written in pieces of this size. */
const PIECE_BYTES = 512 * 1024

/**
 * Copies the rows of these devices from `main`, each into a log of its own, and counts them there. `note` makes facts
 * durable in `main`; when that, or anything before it, fails, all rows are where they were, and it rejects.
 */
export async function moveAside(
  moving: ReadonlySet<DeviceLog>,
  main: RowLog,
  aside: AsideLogs,
  note: (facts: Buffer[]) => Promise<void>,
): Promise<void> {
  const logs = new Map<DeviceLog, RowLog>()
  try {
    for (const device of moving) logs.set(device, await aside.openEmpty(device))
    await copyRows(main, logs, moving)
    for (const { forgotten } of moving) if (forgotten !== null) Object.assign(forgotten, { aside: 0 })
    // Only when this is durable the rows are there: until then they are where they were.
    await note([...logs].map(([device, log]) => encodeFacts(device, log.accepted, true)))
  } catch (error) {
    for (const [device, log] of logs) await aside.abandon(device, log)
    throw error
  }
  for (const [device, log] of logs) {
    aside.add(device, log)
    device.aside = true
    device.unload(log.usage)
    log.eased()
  }
}

async function copyRows(
  main: RowLog,
  logs: ReadonlyMap<DeviceLog, RowLog>,
  moving: ReadonlySet<DeviceLog>,
): Promise<void> {
  for await (const { device, rows } of main.rowsOf(moving)) {
    let from = 0
    let bytes = 0
    for (const [index, row] of rows.entries()) {
      bytes += row.json.length
      if (bytes < PIECE_BYTES && index < rows.length - 1) continue
      await logs.get(device)?.copy(device, rows.slice(from, index + 1))
      from = index + 1
      bytes = 0
    }
  }
}
