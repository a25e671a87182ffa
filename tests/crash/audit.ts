import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** One line of a Pi's journal. */
export interface Taken {
  readonly uuid: string
  /** Epoch milliseconds. */
  readonly at: number
}

export interface Audit {
  readonly taken: number
  readonly rows: number
  /** Taken, and not in the table. */
  readonly missing: readonly Taken[]
  /** In the table more than once: uuid and how often. */
  readonly duplicates: readonly (readonly [uuid: string, copies: number])[]
  /** In the table, and nobody's. */
  readonly strangers: readonly string[]
  /** The last reading of a stream that was killed: in hand at that moment, written into the journal and nowhere else. */
  readonly excused: readonly Taken[]
  /** What the view that users have says. */
  readonly gaps: readonly string[]
}

/**
 * Compares what the Pis have taken with what is in the table, by `uuid` alone: with nothing of the product but the file
 * of a warehouse that has stopped. `killed` are the Pis whose last reading of a stream may have died in their hands.
 */
export async function audit(journals: string, warehouse: string): Promise<Audit> {
  const { taken, last } = readJournals(journals)
  const copies = new Map<string, number>()
  let gaps: string[] = []
  await withWarehouse(warehouse, async (read) => {
    for (const { uuid, n } of await read(
      'SELECT uuid, count(*)::INTEGER AS n FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA GROUP BY 1',
    ))
      copies.set(String(uuid), Number(n))
    gaps = (await read('SELECT * FROM DEMO.DEMO.SENSEHAT_GAPS')).map((row) => JSON.stringify(row, replacer))
  })
  const missing: Taken[] = []
  const excused: Taken[] = []
  for (const one of taken.values()) {
    if (copies.has(one.uuid)) continue
    if (last.has(one.uuid)) excused.push(one)
    else missing.push(one)
  }
  return {
    taken: taken.size,
    rows: [...copies.values()].reduce((sum, n) => sum + n, 0),
    missing,
    duplicates: [...copies].filter(([, n]) => n > 1),
    strangers: [...copies.keys()].filter((uuid) => !taken.has(uuid)),
    excused,
    gaps,
  }
}

/** A stream that ended as it should writes `end` behind its last reading: nothing of it is excused. */
function readJournals(directory: string): { taken: Map<string, Taken>; last: Set<string> } {
  const taken = new Map<string, Taken>()
  const last = new Set<string>()
  for (const file of readdirSync(directory)) {
    const newest = new Map<string, string>()
    for (const line of readFileSync(join(directory, file), 'utf8').split('\n').filter(Boolean)) {
      const one = JSON.parse(line) as Taken & { readonly end?: string }
      if (one.end !== undefined) {
        newest.delete(one.end)
        continue
      }
      const stream = one.uuid.slice(0, one.uuid.lastIndexOf('-'))
      const seq = Number(one.uuid.slice(stream.length + 1))
      const before = newest.get(stream)
      const expected = before === undefined ? 1 : Number(before.slice(stream.length + 1)) + 1
      if (seq !== expected)
        throw new Error(`the journal ${file} has ${one.uuid} after ${before}: the witness is no good`)
      newest.set(stream, one.uuid)
      taken.set(one.uuid, one)
    }
    for (const uuid of newest.values()) last.add(uuid)
  }
  return { taken, last }
}

type Read = (sql: string) => Promise<Record<string, unknown>[]>

/** Under the name it had, because views name their tables in full. */
async function withWarehouse(file: string, work: (read: Read) => Promise<void>): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`ATTACH '${file}' AS DEMO (READ_ONLY)`)
    await connection.run('USE DEMO.DEMO')
    await work(async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJS())
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** All rows of some readings, for the story of a failure. */
export async function rowsOf(
  warehouse: string,
  condition: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  let rows: Record<string, unknown>[] = []
  await withWarehouse(warehouse, async (read) => {
    rows = await read(
      `SELECT hostname, stream, seq, after, uuid, bridge_received_at, ingestion_timestamp
       FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA WHERE ${condition} ORDER BY hostname, stream, seq`,
    )
  })
  return rows
}

function replacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
