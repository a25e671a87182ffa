import type { DeviceLog } from '../spool/device-log.ts'
import { choicesFor, type HoldCode } from './decision.ts'

/** Ranges in one statement; more is more than a person looks at. */
const MOST_RANGES = 20

/** Shows which of the rows that are still in the spool stand in the table already. */
export function rowsInDoubt(device: DeviceLog): string {
  const ranges = [...device.received.without(device.committed).entries()].flatMap(([stream, set]) =>
    set.toJSON().map(([first, last]) => `(stream = '${stream}' AND seq BETWEEN ${first} AND ${last})`),
  )
  const rows = ranges.length === 0 ? 'FALSE' : ranges.slice(0, MOST_RANGES).join(' OR ')
  return `SELECT uuid FROM SENSEHAT_SENSOR_DATA WHERE hostname = '${device.hostname}' AND (${rows}) ORDER BY stream, seq`
}

/** Shows what the table has of a device: whether it was emptied. */
export function rowsInTable(device: DeviceLog): string {
  return `SELECT stream, MIN(seq), MAX(seq), COUNT(*), COUNT(DISTINCT uuid) FROM SENSEHAT_SENSOR_DATA WHERE hostname = '${device.hostname}' GROUP BY stream`
}

/** What to look at before deciding, in the order of use. */
export function queriesFor(device: DeviceLog, code: HoldCode): string[] {
  if (code === 'rival') return []
  return code === 'row_counts' ? [rowsInDoubt(device)] : [rowsInTable(device), rowsInDoubt(device)]
}

/** Both ways out, and the command of each: only a person knows what is in the table. */
export function holdRemedy(device: DeviceLog, code: HoldCode): string {
  const ways = Object.entries(choicesFor(code)).map(
    ([choice, effect]) => `snowhat ledger ${device.hostname} --${choice}: ${effect}`,
  )
  if (ways.length === 0) return 'one bridge per broker: stop the other one, or leave this one off'
  return `look first: ${queriesFor(device, code).join('; ')}. Then ${ways.join('. Or ')}. Until then nothing is sent and nothing is lost`
}
