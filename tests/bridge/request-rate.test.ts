import { generateKeyPairSync } from 'node:crypto'
import { pino } from 'pino'
import { expect, it, onTestFinished } from 'vitest'
import { startBridge } from '../../bridge/bridge.ts'
import { systemClock } from '../../src/clock.ts'
import { emulated } from '../emulator/harness.ts'
import { aedesBroker } from '../support/aedes-broker.ts'
import { defaultSettings } from '../support/bridge-settings.ts'
import { eventually } from '../support/eventually.ts'
import { connected, mqttSettings } from '../support/links.ts'

const READINGS = 25
const WARN = 40

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

it('a channel gets no more than the ten requests a second that Snowflake allows, however small the batches', async () => {
  const broker = await aedesBroker()
  const { emulator } = await emulated({ commit_delay: 10, requests_per_second: 10 }, systemClock())
  const warnings: string[] = []
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => void (JSON.parse(line).level >= WARN && warnings.push(line)) },
  )
  const settings = {
    ...defaultSettings,
    bridge: { ...defaultSettings.bridge, drain: 0, status_interval_ms: 100 },
    snowflake: { ...defaultSettings.snowflake, url: emulator.url, private_key: privateKey },
    batch: { ...defaultSettings.batch, max_rows: 1 },
    http: { ...defaultSettings.http, port: 0 },
  }
  const deps = { clock: systemClock(), log, random: Math.random }
  const bridge = await startBridge(settings, mqttSettings(broker.url, '3.1.1'), deps)
  onTestFinished(() => bridge.close())
  const pi = await connected(broker.url, '3.1.1')
  const publish = (seq: number) =>
    pi.publish('sensehat/pi-a/readings', JSON.stringify({ stream: 'aaaaaaaa', seq, hostname: 'pi-a' }))
  await eventually('the bridge listens', async () => {
    await publish(1)
    return bridge.totals().received === 1
  })
  for (let seq = 2; seq <= READINGS; seq++) await publish(seq)
  await eventually('every row is in the table', () => emulator.stats().rowsInserted === READINGS)
  // A refusal would be told, and the append made once more.
  expect(emulator.stats().appends).toBe(READINGS)
  expect(warnings).toEqual([])
  await pi.close()
})
