import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { freePort } from '../../tests/support/ports.ts'
import { startSnowhat } from './program.ts'

/** The built emulator: a Snowpipe whose rows can be counted in the end. */
export interface Emulator {
  readonly url: string
  readonly pid: number
  /** Rows that are committed and in the table. */
  rows(): Promise<number>
  /** Channels it has. */
  channels(): Promise<number>
  /** In the place of those before, as `POST /emulator/faults` takes them (docs/emulator.md). */
  faults(faults: readonly Readonly<Record<string, unknown>>[]): Promise<void>
  /** Commits what it was sent, and ends. */
  stop(): Promise<void>
}

export interface Counted {
  readonly rows: number
  /** Rows less different ones. */
  readonly duplicates: number
  /** Some of what is there more than once, for whoever looks for the reason. */
  readonly examples: readonly string[]
}

/** `data` is the directory of its warehouse. */
export async function startEmulator(data: string): Promise<Emulator> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const program = startSnowhat(['emulator'], { EMULATOR_PORT: port, EMULATOR_DATA: data, LOG_LEVEL: 'info' })
  await program.line(/the emulator is running/)
  while (!(await fetch(`${url}/emulator/health`).catch(() => undefined))?.ok) await sleep(20)
  const stats = async () =>
    (await (await fetch(`${url}/emulator/stats`)).json()) as {
      readonly rowsInserted: number
      readonly channels: number
    }
  return {
    url,
    pid: program.pid,
    rows: async () => (await stats()).rowsInserted,
    channels: async () => (await stats()).channels,
    faults: async (faults) => {
      const answer = await fetch(`${url}/emulator/faults`, { method: 'POST', body: JSON.stringify(faults) })
      if (!answer.ok) throw new Error(`the emulator refuses the faults: ${await answer.text()}`)
    },
    stop: () => program.kill(),
  }
}

/** Counted in the file of an emulator that has stopped, with nothing of ours: by `uuid`, which names a reading. */
export async function countIn(data: string): Promise<Counted> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const table = 'warehouse.DEMO.SENSEHAT_SENSOR_DATA'
  try {
    await connection.run(`ATTACH '${join(data, 'warehouse.duckdb')}' AS warehouse (READ_ONLY)`)
    const read = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS()
    const [sum] = await read(`SELECT count(*) AS n, count(DISTINCT uuid) AS different FROM ${table}`)
    const [rows, different] = [Number(sum?.n), Number(sum?.different)]
    const twice = await read(`SELECT uuid FROM ${table} GROUP BY uuid HAVING count(*) > 1 ORDER BY uuid LIMIT 5`)
    return { rows, duplicates: rows - different, examples: twice.map(({ uuid }) => String(uuid)) }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
