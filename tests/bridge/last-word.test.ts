import { expect, it, onTestFinished } from 'vitest'
import { startBridge } from '../../bridge/bridge.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { aedesBroker } from '../support/aedes-broker.ts'
import { defaultSettings, snowflakeSettings } from '../support/bridge-settings.ts'
import { eventually } from '../support/eventually.ts'
import { connected, mqttSettings } from '../support/links.ts'

/** The pause after a birth where `random` gives 0. */
const BIRTH_PAUSE_MS = 5_000

it('a bridge that stops does not say that it is online, though Home Assistant was born a moment ago', async () => {
  const broker = await aedesBroker()
  const pauses: (() => void)[] = []
  const system = systemClock()
  const clock: Clock = {
    ...system,
    after: (ms, work) => {
      if (ms === BIRTH_PAUSE_MS) pauses.push(work)
      return system.after(ms, work)
    },
  }
  const bridge = await startBridge(
    {
      ...defaultSettings,
      snowflake: snowflakeSettings({ url: 'http://127.0.0.1:9' }),
      bridge: { ...defaultSettings.bridge, drain: 0 },
      http: { ...defaultSettings.http, port: 0 },
      home_assistant: { enabled: true },
    },
    mqttSettings(broker.url),
    { clock, log: silentLog(), random: () => 0 },
  )
  onTestFinished(() => bridge.close())
  const ear = await connected(broker.url, '3.1.1')
  await ear.subscribe(['sensehat/bridge/availability'])
  const words = () => ear.heard('sensehat/bridge/availability')
  await eventually('a bridge that is online', () => words().at(-1) === 'online')
  const before = words().length
  pauses.length = 0
  await eventually('a birth that was heard', async () => {
    await ear.publish('homeassistant/status', 'online')
    return pauses.length > 0
  })
  const closing = bridge.close()
  for (const end of pauses) end()
  await closing
  await eventually('its last word', () => words().at(-1) === 'offline')
  expect(words().slice(before)).toEqual(['offline'])
})
