import { join } from 'node:path'
import mqtt from 'mqtt'
import { startBroker } from '../../cli/demo/broker.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { freePorts } from '../support/ports.ts'
import { type Program, snowhat } from '../support/program.ts'
import { ask } from '../support/table.ts'

export interface DeviceReport {
  readonly hostname: string
  /** State of its lane. */
  readonly lane: string
  readonly ledger: { readonly counters: Readonly<Record<string, number>> }
}

/** A bridge and an emulator as processes, a broker here, and a client that publishes whatever it likes. */
export interface Bench {
  readonly bridge: Program
  /** Of the bridge: what a command beside it is to be started with. */
  readonly environment: Readonly<Record<string, string>>
  /** Another one, when the first has ended. */
  startBridge(): Promise<Program>
  health(): Promise<Readonly<Record<string, unknown>>>
  /** Disturbs the emulator from now on, instead of what disturbed it so far. */
  faults(faults: readonly object[]): Promise<void>
  readonly emulatorUrl: string
  publish(hostname: string, payload: string | Buffer): Promise<void>
  publishTo(topic: string, payload: string | Buffer): Promise<void>
  /** Of all devices, as `/api/health` says. */
  deadLetters(): Promise<number>
  /** Of one, as `/api/devices` says. */
  counters(hostname: string): Promise<Readonly<Record<string, number>>>
  devices(): Promise<DeviceReport[]>
  /** Sequence numbers in the table, in order. */
  seqs(hostname: string): Promise<number[]>
  ask(statement: string): ReturnType<typeof ask>
  close(): Promise<void>
}

export interface BenchOptions {
  /** Gives its URL; by default the broker of the demo, in this process. */
  readonly broker?: (cleanUp: CleanUp) => Promise<string>
  /** For the bridge. */
  readonly env?: Readonly<Record<string, string>>
  /** Further arguments of the emulator. */
  readonly emulator?: readonly string[]
}

export async function startBench(options: BenchOptions = {}): Promise<Bench> {
  const closers: (() => void | Promise<void>)[] = []
  const cleanUp = (close: () => void | Promise<void>) => {
    closers.unshift(close)
  }
  const mqttUrl = await (options.broker ?? demoBroker)(cleanUp)
  const ports = await freePorts('emulator', 'page')
  const emulatorUrl = `http://127.0.0.1:${ports.emulator}`
  const page = `http://127.0.0.1:${ports.page}`
  const data = join(temporaryDirectory(cleanUp), 'warehouse')
  const where = ['--port', String(ports.emulator), '--data', data, '--commit-delay', '100ms']
  const emulator = snowhat(['emulator', ...where, ...(options.emulator ?? [])], { cleanUp })
  await emulator.line(/the emulator is running/)
  const env = {
    SNOWHAT_MQTT_URL: mqttUrl,
    SNOWHAT_SNOWFLAKE_URL: emulatorUrl,
    SNOWHAT_HTTP_PORT: String(ports.page),
    SNOWHAT_BRIDGE_STATUS_INTERVAL_MS: '100',
    ...options.env,
  }
  const startBridge = async () => {
    const program = snowhat(['bridge', '-i', '0.1'], { env, cleanUp })
    await program.line(/connected to the broker/)
    await eventually('the bridge to be ready', async () => (await fetch(`${page}/readyz`)).ok)
    return program
  }
  const bridge = await startBridge()
  const client = await mqtt.connectAsync(mqttUrl, { protocolVersion: 4 })
  cleanUp(() => client.endAsync(true))
  const get = async (path: string) => (await (await fetch(`${page}${path}`)).json()) as unknown
  const publishTo = async (topic: string, payload: string | Buffer) => {
    await client.publishAsync(topic, payload, { qos: 1 })
  }
  const devices = async () => (await get('/api/devices')) as DeviceReport[]
  return {
    bridge,
    environment: env,
    startBridge,
    health: async () => (await get('/api/health')) as Record<string, unknown>,
    faults: async (faults) => {
      await fetch(`${emulatorUrl}/emulator/faults`, { method: 'POST', body: JSON.stringify({ faults }) })
    },
    emulatorUrl,
    publish: (hostname, payload) => publishTo(`sensehat/${hostname}/readings`, payload),
    publishTo,
    deadLetters: async () => ((await get('/api/health')) as { dead_letters: number }).dead_letters,
    counters: async (hostname) =>
      (await devices()).find((device) => device.hostname === hostname)?.ledger.counters ?? {},
    devices,
    seqs: async (hostname) => {
      const statement = `select seq from DEMO.DEMO.SENSEHAT_SENSOR_DATA where hostname = '${hostname}' order by seq`
      return (await ask(emulatorUrl, statement)).map(([seq]) => Number(seq))
    },
    ask: (statement) => ask(emulatorUrl, statement),
    close: async () => {
      for (const close of closers) await close()
    },
  }
}

async function demoBroker(cleanUp: CleanUp): Promise<string> {
  const broker = await startBroker(0)
  cleanUp(() => broker.close())
  return `mqtt://127.0.0.1:${broker.port}`
}

export const STREAM = 'abcd1234'

/** A reading as JSON. */
export function reading(hostname: string, seq: number, more: Record<string, unknown> = {}): string {
  const uuid = `${hostname}-${STREAM}-${seq}`
  return JSON.stringify({ uuid, hostname, stream: STREAM, seq, temperature: 21.5, ...more })
}
