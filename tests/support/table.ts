import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { snowflakeSection } from '../../bridge/config.ts'
import { runStatement } from '../../bridge/snowpipe/sql.ts'
import { systemClock } from '../../src/clock.ts'

const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
})

/** Asks a running emulator over the SQL REST API, as a user who has no key there; every value is text or null. */
export async function ask(url: string, statement: string, user = 'TEST'): Promise<(readonly (string | null)[])[]> {
  const defaults = Object.fromEntries(Object.entries(snowflakeSection).map(([key, setting]) => [key, setting.default]))
  const settings = { ...(defaults as never as Parameters<typeof runStatement>[0]), account: 'TEST', user, url }
  const { rows } = await runStatement({ ...settings, private_key: String(privateKey) }, statement, systemClock())
  return [...rows]
}

export async function countRows(url: string): Promise<number> {
  const [row] = await ask(url, 'select count(*) from DEMO.DEMO.SENSEHAT_SENSOR_DATA')
  return Number(row?.[0])
}

export interface StreamInTable {
  readonly hostname: string
  readonly stream: string
  /** Sequence numbers as they are in the table, in order. */
  readonly seqs: number[]
}

/** Opens the file by itself, with nothing of this project: what is in the table, by device and stream. */
export async function readTable(data: string): Promise<{ rows: number; streams: StreamInTable[] }> {
  const instance = await DuckDBInstance.create(join(data, 'warehouse.duckdb'), { access_mode: 'READ_ONLY' })
  try {
    const connection = await instance.connect()
    const result = await connection.runAndReadAll(
      'SELECT hostname, stream, seq FROM DEMO.SENSEHAT_SENSOR_DATA ORDER BY hostname, stream, seq',
    )
    const streams = new Map<string, StreamInTable>()
    for (const { hostname, stream, seq } of result.getRowObjectsJS()) {
      const key = `${hostname} ${stream}`
      const known = streams.get(key) ?? { hostname: String(hostname), stream: String(stream), seqs: [] }
      known.seqs.push(Number(seq))
      streams.set(key, known)
    }
    connection.closeSync()
    return { rows: result.currentRowCount, streams: [...streams.values()] }
  } finally {
    instance.closeSync()
  }
}

/** 1 to `length`: every reading of a stream once. */
export function upTo(length: number): number[] {
  return Array.from({ length }, (_, i) => i + 1)
}
