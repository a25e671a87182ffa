import { readFileSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { type Bridge, startBridge } from '../../bridge/bridge.ts'
import { systemClock } from '../../src/clock.ts'
import type { HaBinarySensor, HaButton, HaDocument } from '../../src/home-assistant/document.ts'
import { silentLog } from '../../src/log.ts'
import type { LinkOptions } from '../../src/mqtt-link.ts'
import { openMqttLink } from '../../src/mqtt-link.ts'
import { defaultSettings, snowflakeSettings } from '../support/bridge-settings.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { mqttSettings, type Protocol } from '../support/links.ts'
import { describeWithMosquitto, type MosquittoProcess, openMosquitto } from '../support/mosquitto-process.ts'
import { freePorts } from '../support/ports.ts'

/*
 * The bridge's side of Home Assistant at Mosquitto as it is shipped, each party under its own user: what the access rules do
 * not allow would be dropped without a word.
 */

const BRIDGE = 'homeassistant/device/sensehat_bridge/config'
const own = (pi: string) => `homeassistant/device/${pi}/sensehat/config`
const ours = (pi: string) => `homeassistant/device/${pi}/sensehat_pipeline/config`
/** Nobody answers there. */
const snowflake = snowflakeSettings({ url: 'http://127.0.0.1:9' })

async function broker(): Promise<MosquittoProcess> {
  const { mqtt } = await freePorts('mqtt')
  const users = ['bridge', 'homeassistant', 'pi-a', 'pi-b']
  const mosquitto = await openMosquitto({ directory: temporaryDirectory(), port: mqtt, users })
  onTestFinished(() => mosquitto.kill('SIGKILL'))
  await mosquitto.start()
  return mosquitto
}

function settingsOf(user: string, mosquitto: MosquittoProcess, protocol: Protocol) {
  const password = readFileSync(mosquitto.passwordFile(user), 'utf8').trimEnd()
  return { ...mqttSettings(mosquitto.url, protocol), username: user, password }
}

async function as(user: string, mosquitto: MosquittoProcess, options: Partial<LinkOptions> = {}) {
  const held = new Map<string, string>()
  const heard: string[] = []
  const link = await openMqttLink(
    settingsOf(user, mosquitto, '5'),
    {
      clientId: `${user}-${Math.random()}`,
      onMessage: ({ topic, payload }) => {
        heard.push(topic)
        if (payload.length > 0) held.set(topic, payload.toString())
        else held.delete(topic)
      },
      ...options,
    },
    { clock: systemClock(), log: silentLog(), random: Math.random },
  )
  onTestFinished(() => link.close())
  await eventually(`${user} is connected`, () => link.connected)
  const parsed = <T>(topic: string) =>
    eventually(topic, () => (held.has(topic) ? (JSON.parse(held.get(topic) ?? '') as T) : undefined))
  return Object.assign(link, { held, heard, parsed })
}

async function bridge(mosquitto: MosquittoProcess, protocol: Protocol, enabled = true): Promise<Bridge> {
  const running = await startBridge(
    {
      ...defaultSettings,
      snowflake,
      bridge: { ...defaultSettings.bridge, drain: 0 },
      http: { ...defaultSettings.http, port: 0, url: 'http://nas:8080' },
      home_assistant: { enabled },
    },
    settingsOf('bridge', mosquitto, protocol),
    // The pause after a birth is the shortest.
    { clock: systemClock(), log: silentLog(), random: () => 0 },
  )
  onTestFinished(() => running.close())
  return running
}

describeWithMosquitto('the bridge in Home Assistant', () => {
  it.each(['5', '3.1.1'] as const)('announces itself and its part of each Pi, over MQTT %s', async (protocol) => {
    const mosquitto = await broker()
    const [ha, pi] = await Promise.all([as('homeassistant', mosquitto), as('pi-a', mosquitto)])
    await pi.publish(own('pi-a'), '{"device":{}}', { retain: true })
    await ha.subscribe(['homeassistant/#', 'sensehat/bridge/#'])
    const { httpPort } = await bridge(mosquitto, protocol)

    const { components, device, state_topic } = await ha.parsed<HaDocument>(BRIDGE)
    expect(device.configuration_url).toBe('http://nas:8080')
    const health = await ha.parsed<Record<string, unknown>>(String(state_topic))
    const overHttp = (await (await fetch(`http://127.0.0.1:${httpPort}/api/health`)).json()) as object
    expect(Object.keys(overHttp)).toEqual(Object.keys(health))
    expect((components.connection as HaBinarySensor).state_topic).toBe('sensehat/bridge/availability')
    expect(ha.held.get('sensehat/bridge/availability')).toBe('online')
    expect((await ha.parsed<HaDocument>(ours('pi-a'))).device.via_device).toBe('sensehat_bridge')

    const { command_topic, payload_press } = components.flush as HaButton
    await ha.publish(command_topic, String(payload_press))
    expect(await ha.parsed('sensehat/bridge/response/flush')).toMatchObject({ flushed: true })

    const before = ha.heard.length
    await ha.publish('homeassistant/status', 'online')
    await eventually('all of it again', () =>
      [BRIDGE, ours('pi-a'), 'sensehat/bridge/health', 'sensehat/bridge/availability'].every((topic) =>
        ha.heard.slice(before).includes(topic),
      ),
    )
  })

  it('lets a device be deleted, over restarts, until its Pi announces itself again', async () => {
    const mosquitto = await broker()
    const [ha, a, b] = await Promise.all(['homeassistant', 'pi-a', 'pi-b'].map((user) => as(user, mosquitto)))
    if (!ha || !a || !b) throw new Error('three links')
    await ha.subscribe(['homeassistant/#', 'sensehat/bridge/availability'])
    const first = await bridge(mosquitto, 'auto')
    await a.publish(own('pi-a'), '{}', { retain: true })
    await ha.parsed(ours('pi-a'))
    // Home Assistant empties the topics of all documents of a device.
    await ha.publish(ours('pi-a'), '', { retain: true })
    await ha.publish(own('pi-a'), '', { retain: true })
    await first.close()
    await eventually('its last word', () => ha.held.get('sensehat/bridge/availability') === 'offline')
    await bridge(mosquitto, 'auto')
    await b.publish(own('pi-b'), '{}', { retain: true })
    await ha.parsed(ours('pi-b'))
    expect([...ha.held.keys()]).not.toContain(ours('pi-a'))
    await a.publish(own('pi-a'), '{}', { retain: true })
    await ha.parsed(ours('pi-a'))
    // `forget` empties the Pi's own: ours goes too.
    await ha.publish(own('pi-a'), '', { retain: true })
    await eventually('no ghost', () => !ha.held.has(ours('pi-a')))
  })

  it('that is switched off announces nothing, and tells its health all the same', async () => {
    const mosquitto = await broker()
    const [ha, pi] = await Promise.all([as('homeassistant', mosquitto), as('pi-a', mosquitto)])
    await pi.publish(own('pi-a'), '{}', { retain: true })
    await ha.subscribe(['homeassistant/#', 'sensehat/bridge/#'])
    await bridge(mosquitto, 'auto', false)
    await ha.parsed('sensehat/bridge/health')
    await ha.publish('homeassistant/status', 'online')
    await ha.publish('sensehat/bridge/request/health', '{}')
    await ha.parsed('sensehat/bridge/response/health')
    expect([...ha.held.keys()].filter((topic) => topic.endsWith('config'))).toEqual([own('pi-a')])
  })
})
