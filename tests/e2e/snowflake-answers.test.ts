import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type MqttClient } from 'mqtt'
import { pino } from 'pino'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Bridge, startBridge } from '../../bridge/bridge.ts'
import type { BridgeSettings } from '../../bridge/config.ts'
import { startBroker } from '../../cli/demo/broker.ts'
import { emulatorSection } from '../../emulator/config.ts'
import { type Emulator, startEmulator } from '../../emulator/emulator.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { mqttSection } from '../../src/mqtt-section.ts'
import { defaultSettings, defaultsOf } from '../support/bridge-settings.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { upTo } from '../support/table.ts'
import { reading } from './bench.ts'
import { type Fault, ROWS, type Row } from './snowflake-answers.ts'

/*
 * Every row of the tables against the real emulator, all at the same time: each has a bridge to itself, with two devices, so that
 * what one is told the other must mind too.
 */

/** Readings of each device, from before its faults until after them. */
const READINGS = 15
const EVERY_MS = 100
const WARN = 40
const ERROR = 50

const REFUSES = 'Snowflake refuses rows; they wait in the spool'
const PASSES = 'Snowflake cannot take rows now; they wait in the spool'
const OVER = 'rows go through again: what held them back is over'
const AGAIN = 'opening the channel again'

interface Line {
  readonly level: number
  readonly msg: string
  readonly code?: string
  readonly hint?: string
  readonly cause?: string
  readonly device?: string
}

interface Trial {
  readonly row: Row
  readonly devices: readonly string[]
  readonly emulator: Emulator
  readonly bridge: Bridge
  readonly lines: Line[]
  publish(seq: number): void
}

/** To make one for each bridge would take most of the time. */
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

const trials = new Map<Row, Trial>()
/** Where the faults of a row stand among those of its emulator. */
const places = new Map<Fault, number>()

beforeAll(async () => {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const cleanUp: CleanUp = (close) => void closers.unshift(close)
  const broker = await startBroker(0)
  cleanUp(() => broker.close())
  const url = `mqtt://127.0.0.1:${broker.port}`
  const client = await mqtt.connectAsync(url, { protocolVersion: 4 })
  cleanUp(() => client.endAsync(true))
  const shared = await emulated(cleanUp)
  for (const [index, row] of ROWS.entries()) {
    const emulator = row.alone ? await emulated(cleanUp) : shared
    trials.set(row, await tried(row, index, emulator, { url, client }, cleanUp))
  }
  const all = [...trials.values()]
  for (const { publish } of all) publish(1)
  for (const emulator of new Set(all.map((trial) => trial.emulator)))
    await eventually('all channels are in use', async () => {
      const [first] = await emulator.query('select count(*) as n from DEMO.SENSEHAT_SENSOR_DATA')
      return first?.n === all.filter((trial) => trial.emulator === emulator).length * 2
    })
  await strike(all)
  for (let seq = 2; seq <= READINGS; seq += 1) {
    for (const { publish } of all) publish(seq)
    await sleep(EVERY_MS)
  }
  return async () => {
    for (const close of closers) await close()
  }
}, 120_000)

describe.each(['5.1', '5.2', '5.3', '2.5'] as const)('the answers of section %s', (section) => {
  it.each(ROWS.filter((row) => row.section === section).map((row) => [row.sign, row.reaction, row] as const))(
    '%s: %s',
    async (_sign, _reaction, row) => {
      const trial = trials.get(row) as Trial
      await eventually('all its faults have struck, as often as they were to', () => isDone(trial))
      await eventually('every reading is in the table', async () => (await missing(trial)) === 0, 60_000)
      for (const device of trial.devices) {
        const seqs = await inTable(trial, device)
        const setAside = trial.bridge.ledger(device)?.counters.dead_letters ?? 0
        expect([new Set(seqs).size, seqs.length + setAside]).toEqual([seqs.length, READINGS])
        if (!row.maySetAside) expect(seqs).toEqual(upTo(READINGS))
      }
      await eventually('the operator is told that it is over', () => told(trial).isOver)
      expect(told(trial).above).toEqual(told(trial).expected)
      expect(told(trial).opened).toEqual(told(trial).expectedOpened)
    },
    90_000,
  )
})

/** What the operator has heard, against what the table says. */
function told({ devices, lines, row }: Trial) {
  const { told } = row
  const above = lines.filter(({ level }) => level >= WARN).map(({ code, level, msg }) => [level, msg, code])
  const over = lines.filter(({ msg }) => msg === OVER).map(({ code }) => code)
  const opened = new Set(lines.filter(({ msg }) => msg === AGAIN).map(({ cause, device }) => `${device} ${cause}`))
  const opensAgain = { opened: opened.size > 0, expectedOpened: true }
  if (told === 'nothing') return { above, expected: [], isOver: true, opened: opened.size, expectedOpened: 0 }
  if (told === 'opens again') return { above, expected: [], isOver: true, ...opensAgain }
  if (told === 'moved')
    return {
      above,
      expected: [],
      isOver: true,
      opened: [...opened].sort(),
      expectedOpened: devices.map((device) => `${device} moved`),
    }
  const isRefusal = 'refuses' in told
  const code = isRefusal ? told.refuses : told.passes
  return {
    above,
    expected: [isRefusal ? [ERROR, REFUSES, code] : [WARN, PASSES, code]],
    isOver: over.length === 1 && over[0] === code,
    opened: true,
    expectedOpened: true,
  }
}

async function inTable({ emulator }: Trial, device: string): Promise<number[]> {
  const rows = await emulator.query(
    `select seq from DEMO.SENSEHAT_SENSOR_DATA where hostname = '${device}' order by seq`,
  )
  return rows.map(({ seq }) => Number(seq))
}

/** Readings of its devices that are neither in the table nor among the dead letters. */
async function missing(trial: Trial): Promise<number> {
  let there = 0
  for (const device of trial.devices)
    there += (await inTable(trial, device)).length + (trial.bridge.ledger(device)?.counters.dead_letters ?? 0)
  return READINGS * trial.devices.length - there
}

async function tried(
  row: Row,
  index: number,
  emulator: Emulator,
  broker: { url: string; client: MqttClient },
  cleanUp: CleanUp,
): Promise<Trial> {
  const base = `row-${index}`
  const devices = [`${base}-a`, `${base}-b`]
  const lines: Line[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) })
  const settings: BridgeSettings = {
    ...defaultSettings,
    bridge: {
      ...defaultSettings.bridge,
      client_id: base,
      drain: 0,
      refused_retry: 500,
      status_interval_ms: 400,
      guard: false,
    },
    snowflake: { ...defaultSettings.snowflake, url: emulator.url, private_key: privateKey },
    batch: { ...defaultSettings.batch, max_age_ms: 100 },
    http: { ...defaultSettings.http, port: 0 },
    home_assistant: { ...defaultSettings.home_assistant, enabled: false },
  }
  const mqttSettings = { ...defaultsOf(mqttSection), url: broker.url, base_topic: base }
  const bridge = await startBridge(settings, mqttSettings, { clock: systemClock(), log, random: Math.random })
  cleanUp(() => bridge.close())
  await eventually('it listens', () => lines.some(({ msg }) => msg === 'connected to the broker'))
  return {
    row,
    devices,
    emulator,
    bridge,
    lines,
    publish: (seq) => {
      for (const device of devices)
        broker.client.publish(`${base}/${device}/readings`, reading(device, seq), { qos: 1 })
    },
  }
}

/** Sets the faults of all rows, each for its own devices. */
async function strike(all: readonly Trial[]): Promise<void> {
  for (const emulator of new Set(all.map((trial) => trial.emulator))) {
    const faults: Fault[] = []
    for (const { devices, row } of all.filter((trial) => trial.emulator === emulator))
      for (const fault of row.faults) {
        places.set(fault, faults.length)
        faults.push(row.alone ? fault : { ...fault, channel: devices[0]?.replace(/a$/, '*') })
      }
    const reply = await fetch(`${emulator.url}/emulator/faults`, { method: 'POST', body: JSON.stringify({ faults }) })
    expect(reply.status, await reply.text()).toBe(200)
  }
}

async function isDone({ emulator, row }: Trial): Promise<boolean> {
  const { hits } = (await (await fetch(`${emulator.url}/emulator/faults`)).json()) as { hits: number[] }
  return row.faults.every((fault) => (hits[places.get(fault) ?? -1] ?? 0) >= Number(fault.count ?? 1))
}

async function emulated(cleanUp: CleanUp): Promise<Emulator> {
  const settings = { ...defaultsOf(emulatorSection), port: 0, data: temporaryDirectory(cleanUp), commit_delay: 100 }
  const emulator = await startEmulator(settings, { clock: systemClock(), log: silentLog() })
  cleanUp(() => emulator.close())
  return emulator
}
