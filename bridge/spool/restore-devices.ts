import type { AsideLogs } from './aside-logs.ts'
import type { Devices } from './devices.ts'
import { type RowLog, rowsNow } from './row-log.ts'
import { type DeviceFacts, decodeFacts, restoreFacts } from './spool-record.ts'
import type { SpoolSnapshot } from './spool-snapshot.ts'

/** The devices as the snapshot and the logs tell: first all facts, then the rows, which are read in their light. */
export async function restoreDevices(
  known: SpoolSnapshot | undefined,
  devices: Devices,
  rows: RowLog,
  aside: AsideLogs,
): Promise<void> {
  const facts = new Map(Object.entries(known?.devices ?? {}))
  const through = known?.through ?? 0
  for await (const { sequence, body } of rows.log.read(through + 1)) {
    const found = decodeFacts(body)
    if (found !== undefined && sequence > through) facts.set(found.device, found.facts)
  }
  for (const [hostname, one] of facts) restoreFacts(devices.of(hostname), one)
  await restoreRows(rows, facts, (hostname) => {
    const device = devices.of(hostname)
    return device.aside ? undefined : device
  })
  await aside.sweep((hostname) => devices.of(hostname).aside)
  for (const device of devices.all()) {
    if (!device.aside) continue
    const log = await aside.open(device)
    device.unload(log.usage)
    await restoreRows(log, facts, () => device)
  }
  for (const device of devices.all()) {
    device.given = device.newest ?? null
    // They came after it was taken out of use.
    if (device.waiting > 0) device.retired = false
    const { made } = device
    if (made !== null) device.made = { ...made, seq: Math.max(made.seq, device.received.max(made.stream) ?? 0) }
  }
}

async function restoreRows(
  log: RowLog,
  facts: ReadonlyMap<string, DeviceFacts>,
  deviceOf: (hostname: string) => ReturnType<Devices['of']> | undefined,
): Promise<void> {
  await log.restore((record, sequence) => {
    const device = deviceOf(record.device)
    if (device === undefined) return undefined
    const { forgotten } = device
    const isVoid = forgotten !== null && sequence <= (device.aside ? forgotten.aside : forgotten.main)
    for (const row of rowsNow(record, device))
      if (!(isVoid && forgotten.readings.has(row.token.stream, row.token.seq))) device.restore(row)
    if (sequence > (facts.get(record.device)?.through ?? 0)) device.counters.received += record.rows.length
    return device
  })
}
