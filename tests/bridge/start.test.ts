import { generateKeyPairSync } from 'node:crypto'
import { it, onTestFinished } from 'vitest'
import { type Bridge, startBridge } from '../../bridge/bridge.ts'
import type { BridgeSettings } from '../../bridge/config.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { emulated } from '../emulator/harness.ts'
import { aedesBroker } from '../support/aedes-broker.ts'
import { defaultSettings } from '../support/bridge-settings.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { connected, mqttSettings } from '../support/links.ts'
import { freePort } from '../support/ports.ts'

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

it('rows that an earlier process left go out after a start, although no Pi sends anything any more', async () => {
  const broker = await aedesBroker()
  const dir = temporaryDirectory()
  const start = async (url: string): Promise<Bridge> => {
    const settings: BridgeSettings = {
      ...defaultSettings,
      bridge: { ...defaultSettings.bridge, drain: 0, status_interval_ms: 50 },
      snowflake: { ...defaultSettings.snowflake, account: 'ACME-PROD', url, private_key: privateKey },
      spool: { ...defaultSettings.spool, dir },
      http: { ...defaultSettings.http, port: 0 },
    }
    const deps = { clock: systemClock(), log: silentLog(), random: Math.random }
    const bridge = await startBridge(settings, mqttSettings(broker.url, '3.1.1'), deps)
    onTestFinished(() => bridge.close())
    return bridge
  }

  const first = await start(`http://127.0.0.1:${await freePort()}`)
  const pi = await connected(broker.url, '3.1.1')
  const publish = (seq: number) =>
    pi.publish('sensehat/pi-a/readings', JSON.stringify({ stream: 'aaaaaaaa', seq, hostname: 'pi-a' }))
  await eventually('the bridge listens', async () => {
    await publish(1)
    return first.totals().received === 1
  })
  await publish(2)
  // In order: the broker has nothing left that would wake the next process.
  await broker.acknowledged.until((all) => all.some((payload) => payload.includes('"seq":2')))
  await first.close()
  await pi.close()

  const { emulator } = await emulated({ commit_delay: 10 }, systemClock())
  await start(emulator.url)
  await eventually('the rows are in the table', () => emulator.stats().rowsInserted === 2, 8_000)
})
