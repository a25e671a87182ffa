import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { type CutProxy, openCutProxy } from '../support/cut-proxy.ts'
import { eventually } from '../support/eventually.ts'
import { type MosquittoProcess, openMosquitto } from '../support/mosquitto-process.ts'
import { freePorts } from '../support/ports.ts'
import { audit } from './audit.ts'
import { badDay } from './faults.ts'
import { type Numbers, numbersOf, SEED } from './numbers.ts'
import { Part } from './part.ts'
import { storiesOf } from './story.ts'
import { Tally } from './tally.ts'

export const SNOWHAT = fileURLToPath(new URL('../../dist/cli/snowhat.js', import.meta.url))
const PI = fileURLToPath(new URL('./pi.ts', import.meta.url))
const TSX = import.meta.resolve('tsx')

/** Until a world is up on a quiet machine, and what slower ones are allowed. */
const UP_MS = 3_500
const SLOWEST = 3

export interface WorldOptions {
  readonly name: string
  /** Another one has another schedule under the same seed. */
  readonly variant?: number
  readonly pis: readonly string[]
  /** Seconds between two readings of a Pi. */
  readonly interval?: number
  /** The service has a bad day from the start. */
  readonly faults?: boolean
  readonly bridge?: Readonly<Record<string, string>>
  /** Options of deploy/mosquitto.conf that are another in this world. */
  readonly broker?: Readonly<Record<string, string>>
}

/**
 * Publishers, broker, bridge and Snowpipe as processes of their own, with a cable between each two that can be cut, and
 * outbox and spool on the disk. Whatever happens in it: `expectAllOnce` ends it and counts.
 */
export interface World {
  readonly directory: string
  readonly numbers: Numbers
  readonly broker: MosquittoProcess
  readonly bridge: Part
  readonly emulator: Part
  readonly pis: ReadonlyMap<string, Part>
  readonly cables: { readonly bridge: CutProxy; readonly pis: CutProxy; readonly snowpipe: CutProxy }
  readonly tally: Tally
  /** How much slower than a quiet machine this one is: 1 and more. */
  readonly slowness: number
  /** Goes into the chronicle, with the time. */
  note(text: string): void
  addPi(name: string, options?: { hostname?: string }): Part
  /** Another bridge at the same broker and account, with a disk of its own. */
  anotherBridge(name: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Part>
  health(): Promise<{ readonly rows_waiting: number }>
  /** Readings a Pi has taken so far. */
  taken(pi: string): number
  outboxOf(pi: string): string
  readonly spool: string
  startEmulator(): void
  faults(list: readonly object[]): Promise<void>
  /** Deletes the bridge's disk. Only while it is down. */
  wipeSpool(): void
  /**
   * Everybody is up and the service has a good day: the Pis stop sampling, and within the deadline every reading must be in
   * the table once. Then all stop and the table is compared with the journals.
   */
  expectAllOnce(deadlineMs?: number): Promise<void>
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const numbers = numbersOf(SEED + 1_000_000 * (options.variant ?? 0))
  const weather = numbers.fork()
  const directory = mkdtempSync(join(tmpdir(), `snowhat-crash-${SEED}-${options.name}-`))
  const path = (name: string) => join(directory, name)
  for (const name of ['journals', 'logs', 'broker']) mkdirSync(path(name))
  const ports = await freePorts('mqtt', 'emulator', 'page')
  const began = Date.now()
  const chronicle: string[] = []
  const note = (text: string) => chronicle.push(`${((Date.now() - began) / 1000).toFixed(2).padStart(7)}  ${text}`)

  const parts: Part[] = []
  const surprises = () => parts.flatMap((part) => part.surprises)
  const tell = () => {
    const text = [
      `seed ${SEED}: SNOWHAT_CRASH_SEED=${SEED} repeats the schedule; logs, journals and table are in ${directory}`,
      ...chronicle,
      ...surprises(),
      '',
    ].join('\n')
    writeFileSync(path('chronicle.txt'), text)
    process.stderr.write(`\n--- ${options.name}, ${text}---\n`)
  }
  // Asked for first, so done last: until then everybody writes.
  onTestFinished(({ task }) => {
    if (task.result?.state === 'fail') tell()
    else if (process.env.SNOWHAT_CRASH_KEEP !== '1') rmSync(directory, { recursive: true, force: true })
  })

  const cables = {
    bridge: await openCutProxy(`mqtt://127.0.0.1:${ports.mqtt}`),
    pis: await openCutProxy(`mqtt://127.0.0.1:${ports.mqtt}`),
    snowpipe: await openCutProxy(`http://127.0.0.1:${ports.emulator}`),
  }
  const broker = await openMosquitto({
    directory: path('broker'),
    port: ports.mqtt,
    users: ['bridge', 'homeassistant', ...options.pis],
    ...(options.broker && { override: options.broker }),
  })
  onTestFinished(() => broker.kill('SIGKILL'))
  const part = (name: string, args: readonly string[], env: Readonly<Record<string, string>>, up: RegExp) => {
    const one = new Part({ name, args, env, cwd: directory, logFile: path(`logs/${name}.log`), up })
    parts.push(one)
    onTestFinished(() => one.kill())
    return one
  }
  const login = (user: string, cable: CutProxy) => ({
    SNOWHAT_MQTT_URL: cable.url,
    SNOWHAT_MQTT_USERNAME: user,
    SNOWHAT_MQTT_PASSWORD_FILE: broker.passwordFile(user),
  })

  const faultsFile = path('faults.json')
  const warehouse = path('warehouse')
  const emulator = part(
    'emulator',
    [SNOWHAT, 'emulator'],
    {
      SNOWHAT_EMULATOR_PORT: String(ports.emulator),
      SNOWHAT_EMULATOR_DATA: warehouse,
      SNOWHAT_EMULATOR_COMMIT_DELAY: '400ms',
      SNOWHAT_EMULATOR_FAULTS: faultsFile,
    },
    /the emulator is running/,
  )
  const bridgeEnv = {
    ...login('bridge', cables.bridge),
    SNOWHAT_SNOWFLAKE_URL: cables.snowpipe.url.replace('mqtt:', 'http:'),
    // Many small batches: more of them are under way whenever something happens.
    SNOWHAT_BATCH_MAX_ROWS: '20',
    SNOWHAT_BATCH_MAX_AGE_MS: '200',
    SNOWHAT_BRIDGE_STATUS_INTERVAL_MS: '150',
    ...options.bridge,
  }
  const bridgeUp = /connected to the broker/
  const bridge = part(
    'bridge',
    [SNOWHAT, 'bridge'],
    { ...bridgeEnv, SNOWHAT_SPOOL_DIR: path('spool'), SNOWHAT_HTTP_PORT: String(ports.page) },
    bridgeUp,
  )
  const pageUrl = `http://127.0.0.1:${ports.page}`
  const health = async () => (await (await fetch(`${pageUrl}/api/health`)).json()) as { rows_waiting: number }
  const tally = new Tally(pageUrl)
  onTestFinished(() => tally.stop())

  const pis = new Map<string, Part>()
  const addPi = (name: string, { hostname = name } = {}) => {
    const pi = part(
      name,
      ['--import', TSX, PI, path(`journals/${name}`)],
      {
        ...login(hostname, cables.pis),
        SNOWHAT_PUBLISHER_HOSTNAME: hostname,
        SNOWHAT_PUBLISHER_SIMULATE: 'true',
        SNOWHAT_PUBLISHER_READING_INTERVAL: String(options.interval ?? 0.05),
        // What counts here is how readings travel; the processor is needed for all that is killed.
        SNOWHAT_PUBLISHER_ORIENTATION_RATE: '0',
        SNOWHAT_PUBLISHER_OUTBOX_DIR: path(`outbox-${name}`),
      },
      /the publisher has started/,
    )
    pis.set(name, pi)
    return pi
  }
  for (const name of options.pis) addPi(name)

  const startEmulator = () => {
    writeFileSync(faultsFile, JSON.stringify(options.faults ? badDay(weather.fork()) : []))
    emulator.start()
  }
  const faults = async (list: readonly object[]) => {
    const answer = await fetch(`http://127.0.0.1:${ports.emulator}/emulator/faults`, {
      method: 'POST',
      body: JSON.stringify(list),
    })
    if (!answer.ok) throw new Error(`the emulator takes no faults: ${await answer.text()}`)
  }

  const expectAllOnce = async (deadlineMs = 150_000) => {
    note('everybody is up, the Pis stop sampling')
    const until = Date.now() + deadlineMs
    const left = () => Math.max(1, until - Date.now())
    startEmulator()
    bridge.start()
    for (const pi of pis.values()) pi.start()
    await Promise.all([emulator, bridge, ...pis.values()].map((one) => one.up(left())))
    await faults([])
    const late: string[] = []
    await Promise.all(
      [...pis].map(async ([name, pi]) => {
        const code = await pi.stop(left()).catch((error: Error) => late.push(error.message))
        if (code !== 0) late.push(`${name} ended with ${code}`)
      }),
    )
    await eventually('an empty spool', async () => (await health()).rows_waiting === 0, left()).catch((error) =>
      late.push(error.message),
    )
    await tally.look()
    const devices = (await (await fetch(`${pageUrl}/api/devices`)).json()) as object[]
    note('all is drained')
    if ((await bridge.stop(20_000)) !== 0) late.push('the bridge did not end with 0')
    if ((await emulator.stop(20_000)) !== 0) late.push('the emulator did not end with 0')
    const file = join(warehouse, 'warehouse.duckdb')
    const found = await audit(path('journals'), file)
    for (const line of await storiesOf(found, { warehouse: file, devices, logs: path('logs') })) note(line)
    const kills = parts.reduce((sum, one) => sum + one.kills, broker.kills)
    process.stderr.write(
      `${options.name}: seed ${SEED}, ${kills} kills, ${found.taken} readings, ${found.rows} rows, ` +
        `${found.missing.length} missing, ${found.duplicates.length} duplicate, ${found.excused.length} in hand at a kill; ` +
        `${tally.words(bridge.log)}; ${Math.round((Date.now() - began) / 1000)} s\n`,
    )
    const { missing, duplicates, strangers, gaps } = found
    const counts = {
      missing: missing.length,
      duplicates: duplicates.length,
      strangers: strangers.length,
      gaps: gaps.length,
    }
    expect({ ...counts, late, surprises: surprises() }).toEqual({
      missing: 0,
      duplicates: 0,
      strangers: 0,
      gaps: 0,
      late: [],
      surprises: [],
    })
    expect(found.rows).toBe(found.taken - found.excused.length)
  }

  await broker.start()
  startEmulator()
  await emulator.up()
  bridge.start()
  for (const pi of pis.values()) pi.start()
  await Promise.all([bridge, ...pis.values()].map((one) => one.up()))
  const slowness = Math.min(SLOWEST, Math.max(1, (Date.now() - began) / UP_MS))
  tally.start()
  return {
    directory,
    numbers,
    broker,
    bridge,
    emulator,
    pis,
    cables,
    tally,
    slowness,
    note,
    addPi,
    health,
    taken: (pi) => readFileSync(path(`journals/${pi}`), 'utf8').split('\n').length - 1,
    anotherBridge: async (name, args, env = {}) => {
      const { page } = await freePorts('page')
      const own = { SNOWHAT_SPOOL_DIR: path(`spool-${name}`), SNOWHAT_HTTP_PORT: String(page) }
      return part(name, [SNOWHAT, 'bridge', ...args], { ...bridgeEnv, ...own, ...env }, bridgeUp)
    },
    outboxOf: (pi) => path(`outbox-${pi}`),
    spool: path('spool'),
    startEmulator,
    faults,
    wipeSpool: () => rmSync(path('spool'), { recursive: true, force: true }),
    expectAllOnce,
  }
}
