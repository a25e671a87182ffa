import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { type Mosquitto, startMosquitto } from '../support/mosquitto.ts'
import { freePorts } from '../support/ports.ts'
import { type Program, snowhat } from '../support/program.ts'
import { countRows, readTable, upTo } from '../support/table.ts'

export interface BridgeHealth {
  readonly mqtt_connected: boolean
  readonly devices: number
  readonly rows_waiting: number
  readonly dead_letters: number
  readonly problems: readonly string[]
}

/** Publisher, bridge and emulator as processes of their own around a Mosquitto in a container. */
export interface Chain {
  readonly broker: Mosquitto
  readonly emulatorUrl: string
  readonly environment: Readonly<Record<string, string>>
  emulator(): Program
  bridge(args?: readonly string[]): Program
  /** Twenty readings a second; `batches` of ten, then it waits until they are in the table and ends. */
  publisher(hostname: string, batches?: number): Program
  health(): Promise<BridgeHealth>
  rows(): Promise<number>
  /** Waits until the publishers are content, stops the others, and counts in the file. */
  expectAllOnce(
    publishers: Readonly<Record<string, Program>>,
    readings: number,
    others: readonly Program[],
  ): Promise<void>
  /** Counts in the file, when all programs have ended: every reading of these hosts, once. */
  expectTableOnce(readings: Readonly<Record<string, number>>): Promise<void>
}

export async function startChain(): Promise<Chain> {
  const broker = await startMosquitto()
  onTestFinished(() => broker.stop())
  const ports = await freePorts('emulator', 'page')
  const data = join(temporaryDirectory(), 'warehouse')
  const emulatorUrl = `http://127.0.0.1:${ports.emulator}`
  const environment = {
    SNOWHAT_MQTT_URL: broker.url,
    SNOWHAT_SNOWFLAKE_URL: emulatorUrl,
    SNOWHAT_HTTP_PORT: String(ports.page),
    SNOWHAT_BATCH_MAX_AGE_MS: '300',
    SNOWHAT_BRIDGE_STATUS_INTERVAL_MS: '200',
    SNOWHAT_EMULATOR_PORT: String(ports.emulator),
    SNOWHAT_EMULATOR_DATA: data,
    SNOWHAT_EMULATOR_COMMIT_DELAY: '300ms',
  }
  const expectTableOnce = async (readings: Readonly<Record<string, number>>) => {
    const { streams } = await readTable(data)
    expect(streams.map(({ hostname }) => hostname)).toEqual(Object.keys(readings).sort())
    for (const { hostname, seqs } of streams) expect(seqs).toEqual(upTo(readings[hostname] ?? 0))
  }
  const start = (args: readonly string[]) => snowhat(args, { env: environment })
  const health = async () => (await (await fetch(`http://127.0.0.1:${ports.page}/api/health`)).json()) as BridgeHealth
  return {
    broker,
    emulatorUrl,
    environment,
    emulator: () => start(['emulator']),
    bridge: (args = []) => start(['bridge', ...args]),
    publisher: (hostname, batches = 0) =>
      start(['publisher', '-s', '-r', '0.05', '--hostname', hostname, '--max-batches', String(batches)]),
    health,
    rows: () => countRows(emulatorUrl),
    expectAllOnce: async (publishers, readings, others) => {
      for (const [hostname, publisher] of Object.entries(publishers)) {
        await publisher.line(/all readings are in the table"/, 60_000)
        expect(await publisher.ended(), hostname).toMatchObject({ code: 0 })
      }
      await eventually('an empty spool', async () => (await health()).rows_waiting === 0)
      for (const program of others) {
        program.kill('SIGTERM')
        expect(await program.ended()).toMatchObject({ code: 0 })
      }
      await expectTableOnce(Object.fromEntries(Object.keys(publishers).map((hostname) => [hostname, readings])))
    },
    expectTableOnce,
  }
}
