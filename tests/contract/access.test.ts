import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { type LinkOptions, openMqttLink } from '../../src/mqtt-link.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { mqttSettings } from '../support/links.ts'
import { describeWithMosquitto, type MosquittoProcess, openMosquitto } from '../support/mosquitto-process.ts'
import { freePorts } from '../support/ports.ts'
import { run, snowhat } from '../support/program.ts'
import { readTable, upTo } from '../support/table.ts'

const USERS = ['bridge', 'homeassistant', 'replay', 'admin', 'phone', 'sensor-logger', 'pi-one', 'pi-two']

async function broker(): Promise<MosquittoProcess> {
  const { mqtt } = await freePorts('mqtt')
  const mosquitto = await openMosquitto({ directory: temporaryDirectory(), port: mqtt, users: USERS })
  onTestFinished(() => mosquitto.kill('SIGKILL'))
  await mosquitto.start()
  return mosquitto
}

/** A user's connection, MQTT 5: only there the broker says that it has refused a message. */
async function as(user: string, mosquitto: MosquittoProcess, options: Partial<LinkOptions> = {}) {
  const heard: string[] = []
  const password = readFileSync(mosquitto.passwordFile(user), 'utf8').trimEnd()
  const link = await openMqttLink(
    { ...mqttSettings(mosquitto.url, '5'), username: user, password },
    {
      clientId: `${user}-${Math.random()}`,
      onMessage: ({ topic, payload }) => {
        heard.push(`${topic} ${payload}`)
      },
      ...options,
    },
    { clock: systemClock(), log: silentLog(), random: Math.random },
  )
  onTestFinished(() => link.close())
  await eventually(`${user} is connected`, () => link.connected)
  return Object.assign(link, { heard })
}

const REFUSED = /not authorized/i

describeWithMosquitto('access at the broker as it is shipped', () => {
  it('nobody without a password comes in', async () => {
    const mosquitto = await broker()
    const refusals: unknown[] = []
    const anonymous = await openMqttLink(
      mqttSettings(mosquitto.url, '5'),
      { clientId: 'anybody', onDisconnect: () => refusals.push('refused') },
      { clock: systemClock(), log: silentLog(), random: Math.random },
    )
    onTestFinished(() => anonymous.close())
    await eventually('an attempt that failed', () => refusals.length > 0)
    expect(anonymous.connected).toBe(false)
  })

  it('a Pi writes what is its own, and nothing of another Pi, of the bridge, or its own commands', async () => {
    const pi = await as('pi-one', await broker())
    for (const topic of ['readings', 'state', 'availability', 'info', 'settings', 'led', 'event/joystick_up'])
      await pi.publish(`sensehat/pi-one/${topic}`, 'x')
    await pi.publish('homeassistant/device/pi-one/sensehat/config', '{}', { retain: true })
    for (const topic of [
      'sensehat/pi-two/readings',
      'sensehat/pi-two/availability',
      'sensehat/pi-one/set/led',
      'sensehat/pi-two/set/led',
      'sensehat/bridge/devices/pi-one',
      'sensehat/bridge/availability',
      'sensehat/bridge/info',
      'homeassistant/device/pi-two/sensehat/config',
      'homeassistant/device/pi-one/sensehat_pipeline/config',
      'homeassistant/status',
    ])
      await expect(pi.publish(topic, 'x'), topic).rejects.toThrow(REFUSED)
  })

  it("a Pi hears its ledger, the bridge's word and its commands, and neither another Pi's ledger nor its readings", async () => {
    const mosquitto = await broker()
    const [pi, bridge, other, ha] = await Promise.all([
      as('pi-one', mosquitto),
      as('bridge', mosquitto),
      as('pi-two', mosquitto),
      as('homeassistant', mosquitto),
    ])
    await bridge.publish('sensehat/bridge/devices/pi-two', 'retained', { retain: true })
    // The broker grants every subscription and is silent at delivery [observed].
    await pi.subscribe(['#', 'sensehat/bridge/devices/pi-two', 'sensehat/+/readings', 'sensehat/+/set/+'])
    await other.publish('sensehat/pi-two/readings', 'x')
    await other.publish('sensehat/pi-two/state', 'x')
    await bridge.publish('sensehat/bridge/devices/pi-two', 'x')
    await bridge.publish('sensehat/bridge/response/health', 'x')
    await ha.publish('sensehat/pi-two/set/led', 'x')
    const own = [
      [bridge, 'sensehat/bridge/devices/pi-one'],
      [bridge, 'sensehat/bridge/availability'],
      [bridge, 'sensehat/bridge/info'],
      [ha, 'homeassistant/status'],
      [ha, 'sensehat/pi-one/set/led'],
    ] as const
    for (const [who, topic] of own) await who.publish(topic, 'x')
    // The broker keeps the order: what was not to be heard would have come before the last of these.
    await eventually('its commands', () => pi.heard.includes('sensehat/pi-one/set/led x'))
    expect(new Set(pi.heard)).toEqual(new Set(own.map(([, topic]) => `${topic} x`)))
  })

  it('a Pi hears what stands under its own name, so that it notices an old Will, a twin, and its deletion; not what it says else', async () => {
    const mosquitto = await broker()
    const [pi, other] = await Promise.all([as('pi-one', mosquitto), as('pi-two', mosquitto)])
    await pi.subscribe(['#'])
    for (const name of ['readings', 'state', 'settings', 'led']) await pi.publish(`sensehat/pi-one/${name}`, 'x')
    await other.publish('sensehat/pi-two/info', 'x')
    await other.publish('homeassistant/device/pi-two/sensehat/config', 'x')
    const own = ['homeassistant/device/pi-one/sensehat/config', 'sensehat/pi-one/info', 'sensehat/pi-one/availability']
    for (const topic of own) await pi.publish(topic, 'x')
    await eventually('the last of them', () => pi.heard.includes('sensehat/pi-one/availability x'))
    expect(pi.heard).toEqual(own.map((topic) => `${topic} x`))
  })

  it('Home Assistant hears everything, commands, and can write no reading and no ledger', async () => {
    const mosquitto = await broker()
    const [ha, pi] = await Promise.all([as('homeassistant', mosquitto), as('pi-one', mosquitto)])
    await ha.subscribe(['sensehat/#', 'homeassistant/#'])
    await pi.publish('sensehat/pi-one/state', 'x')
    await pi.publish('homeassistant/device/pi-one/sensehat/config', 'x')
    await ha.publish('sensehat/pi-one/set/identify', 'x')
    await ha.publish('sensehat/bridge/request/flush', 'x')
    await ha.publish('homeassistant/status', 'x')
    await eventually('all of it', () => ha.heard.length >= 5)
    for (const topic of ['sensehat/pi-one/readings', 'sensehat/bridge/devices/pi-one', 'sensehat/bridge/info'])
      await expect(ha.publish(topic, 'x'), topic).rejects.toThrow(REFUSED)
  })

  it("the bridge writes its documents, and no Pi's readings or discovery", async () => {
    const bridge = await as('bridge', await broker())
    await bridge.publish('homeassistant/device/sensehat_bridge/config', '{}', { retain: true })
    await bridge.publish('homeassistant/device/pi-one/sensehat_pipeline/config', '{}', { retain: true })
    await bridge.roundTrip('sensehat/bridge/response/connect')
    for (const topic of ['sensehat/pi-one/readings', 'homeassistant/device/pi-one/sensehat/config'])
      await expect(bridge.publish(topic, 'x'), topic).rejects.toThrow(REFUSED)
  })

  it('who replays dead letters writes the readings of every Pi and phone, hears whether a bridge is there, and can do no more', async () => {
    const mosquitto = await broker()
    const [replay, bridge] = await Promise.all([as('replay', mosquitto), as('bridge', mosquitto)])
    await bridge.publish('sensehat/bridge/availability', 'online', { retain: true })
    await replay.subscribe(['sensehat/bridge/availability'])
    await eventually('the word of the bridge', () => replay.heard.includes('sensehat/bridge/availability online'))
    for (const topic of ['sensehat/pi-one/readings', 'phones/a-phone/readings', 'phones/a-phone/activity'])
      await replay.publish(topic, '{}')
    for (const topic of [
      'sensehat/pi-one/availability',
      'sensehat/pi-one/set/led',
      'sensehat/bridge/devices/pi-one',
      'phones/a-phone/state',
    ])
      await expect(replay.publish(topic, 'x'), topic).rejects.toMatchObject({ code: 0x87 })
  })

  it('the receiver of phones speaks for phones, and for no Pi, no bridge and no Home Assistant', async () => {
    const phone = await as('phone', await broker())
    for (const topic of ['readings', 'activity', 'state']) await phone.publish(`phones/a-phone/${topic}`, 'x')
    await phone.publish('phones/receiver/availability', 'online', { retain: true })
    await phone.publish('homeassistant/device/a-phone/sensehat_phone/config', '{}', { retain: true })
    for (const topic of [
      'sensehat/pi-one/readings',
      'sensehat/pi-one/set/led',
      'sensehat/bridge/devices/phone.a-phone',
      'sensehat/bridge/info',
      'homeassistant/device/pi-one/sensehat/config',
      'homeassistant/device/pi-one/sensehat_pipeline/config',
      'homeassistant/status',
      'sensor-logger',
    ])
      await expect(phone.publish(topic, 'x'), topic).rejects.toThrow(REFUSED)
  })

  it("it hears the app, its ledgers, the bridge's word and its own documents, and nothing that a Pi measures", async () => {
    const mosquitto = await broker()
    const [phone, bridge, pi, ha, app] = await Promise.all([
      as('phone', mosquitto),
      as('bridge', mosquitto),
      as('pi-one', mosquitto),
      as('homeassistant', mosquitto),
      as('sensor-logger', mosquitto),
    ])
    await phone.subscribe(['#'])
    for (const name of ['readings', 'state', 'info']) await pi.publish(`sensehat/pi-one/${name}`, 'x')
    await pi.publish('homeassistant/device/pi-one/sensehat/config', 'x')
    await bridge.publish('sensehat/bridge/response/health', 'x')
    await ha.publish('sensehat/pi-one/set/led', 'x')
    await phone.publish('phones/a-phone/readings', 'x')
    const heard = [
      [app, 'sensor-logger'],
      [app, 'sensor-logger/kitchen'],
      [bridge, 'sensehat/bridge/devices/phone.a-phone'],
      [bridge, 'sensehat/bridge/availability'],
      [bridge, 'sensehat/bridge/info'],
      [phone, 'phones/receiver/availability'],
      [ha, 'homeassistant/status'],
      [ha, 'homeassistant/device/a-phone/sensehat_phone/config'],
    ] as const
    for (const [who, topic] of heard) await who.publish(topic, 'x')
    await eventually('the last of them', () => phone.heard.length >= heard.length)
    expect(phone.heard).toEqual(heard.map(([, topic]) => `${topic} x`))
  })

  it('the app says what it measures, hears nothing, and cannot make an activity up', async () => {
    const mosquitto = await broker()
    const [app, bridge, phone] = await Promise.all([
      as('sensor-logger', mosquitto),
      as('bridge', mosquitto),
      as('phone', mosquitto),
    ])
    await app.subscribe(['phones/#', 'sensor-logger', 'sensehat/bridge/devices/+', 'sensehat/bridge/info'])
    for (const topic of ['sensor-logger', 'sensor-logger/kitchen']) await app.publish(topic, '{}')
    await phone.publish('phones/a-phone/readings', 'x')
    await bridge.publish('sensehat/bridge/devices/phone.a-phone', 'x')
    // All who have signed in may hear this one; it comes last.
    await bridge.publish('sensehat/bridge/info', 'x')
    await eventually('the word of the bridge', () => app.heard.length > 0)
    expect(app.heard).toEqual(['sensehat/bridge/info x'])
    for (const topic of ['phones/a-phone/readings', 'phones/a-phone/activity', 'sensehat/pi-one/readings'])
      await expect(app.publish(topic, 'x'), topic).rejects.toThrow(REFUSED)
  })

  it("a Pi's Will is published, and not in another's name", async () => {
    const mosquitto = await broker()
    const ha = await as('homeassistant', mosquitto)
    await ha.subscribe(['sensehat/+/availability'])
    const will = (host: string) => ({ will: { topic: `sensehat/${host}/availability`, payload: `by pi-one` } })
    for (const host of ['pi-two', 'pi-one']) (await as('pi-one', mosquitto, will(host))).restart()
    await eventually('its own Will', () => ha.heard.includes('sensehat/pi-one/availability by pi-one'))
    expect(ha.heard).not.toContain('sensehat/pi-two/availability by pi-one')
  })

  it.each(['5', '3.1.1'])(
    'bridge and publisher as programs do all they have to, MQTT %s',
    { timeout: 60_000 },
    async (protocol) => {
      const mosquitto = await broker()
      const ports = await freePorts('emulator', 'page')
      const data = join(temporaryDirectory(), 'warehouse')
      const login = (user: string) => ({
        SNOWHAT_MQTT_URL: mosquitto.url,
        SNOWHAT_MQTT_PROTOCOL: protocol,
        SNOWHAT_MQTT_USERNAME: user,
        SNOWHAT_MQTT_PASSWORD_FILE: mosquitto.passwordFile(user),
      })
      const ha = await as('homeassistant', mosquitto)
      await ha.subscribe(['sensehat/#', 'homeassistant/#'])
      const emulator = snowhat(['emulator', '--port', String(ports.emulator), '--data', data])
      await emulator.line(/the emulator is running/)
      const target = { SNOWHAT_SNOWFLAKE_URL: `http://127.0.0.1:${ports.emulator}`, SNOWHAT_BATCH_MAX_AGE_MS: '300' }
      const bridge = snowhat(['bridge', '--http-port', String(ports.page)], { env: { ...login('bridge'), ...target } })
      // A publisher that has never seen a bridge waits for none at its end.
      await bridge.line(/connected to the broker/)
      const publish = ['publisher', '-s', '-r', '0.05', '--max-batches', '2', '--hostname', 'pi-one']
      // Ends with 0 only when its ledger has told it that all is in the table.
      expect(await run(publish, { env: login('pi-one') })).toMatchObject({ code: 0 })
      for (const program of [bridge, emulator]) {
        program.kill('SIGTERM')
        expect(await program.ended()).toMatchObject({ code: 0 })
      }
      expect(bridge.stderr).not.toMatch(/refuse|not taken/)
      expect((await readTable(data)).streams.map(({ seqs }) => seqs)).toEqual([upTo(20)])
      await eventually('the last word', () => ha.heard.includes('sensehat/bridge/availability offline'))
      const topics = new Set(ha.heard.map((line) => line.split(' ', 1)[0]))
      for (const topic of [
        'sensehat/pi-one/readings',
        'sensehat/pi-one/state',
        'sensehat/pi-one/info',
        'sensehat/pi-one/settings',
        'sensehat/pi-one/availability',
        'sensehat/bridge/info',
        'sensehat/bridge/devices/pi-one',
        'homeassistant/device/pi-one/sensehat/config',
      ])
        expect(topics, topic).toContain(topic)
    },
  )
})
