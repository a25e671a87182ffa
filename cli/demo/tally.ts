import type { Bridge } from '../../bridge/bridge.ts'
import type { Emulator } from '../../emulator/emulator.ts'
import type { Publisher } from '../../publisher/publisher.ts'

/** What the demo proves, as `--json` prints it. */
export interface Tally {
  /** Readings the Pis took. */
  readonly published: number
  readonly received: number
  readonly redelivered: number
  /** Rows the bridge has proof of. */
  readonly committed: number
  readonly rejected: number
  /** Rows in the table whose `uuid` is there already. */
  readonly duplicates: number
  /** Readings taken that are not in the table. */
  readonly missing: number
  /** Rows of this run, counted in DuckDB. */
  readonly rows: number
  readonly seconds: number
}

const TABLE = 'DEMO.DEMO.SENSEHAT_SENSOR_DATA'

/** Counts in the table itself, by this run's streams: the directory may hold rows of earlier runs. */
export async function tally(
  fleet: readonly Publisher[],
  bridge: Bridge,
  emulator: Emulator,
  seconds: number,
): Promise<Tally> {
  const streams = fleet.map((publisher) => `'${publisher.stream}'`).join(', ')
  const [counted] = await emulator.query(
    `SELECT count(*) AS all_rows, count(DISTINCT uuid) AS readings FROM ${TABLE} WHERE stream IN (${streams === '' ? "''" : streams})`,
  )
  const rows = Number(counted?.all_rows ?? 0)
  const readings = Number(counted?.readings ?? 0)
  const published = fleet.reduce((sum, publisher) => sum + publisher.stats().taken, 0)
  const { received, redelivered, committed, rejected } = bridge.totals()
  return {
    published,
    received,
    redelivered,
    committed,
    rejected,
    duplicates: rows - readings,
    missing: published - readings,
    rows,
    seconds: Math.round(seconds * 10) / 10,
  }
}

export function holds({ published, rejected, duplicates, missing, rows }: Tally): boolean {
  return missing === 0 && duplicates === 0 && rejected === 0 && rows === published
}
