import { describe, expect, it, onTestFinished } from 'vitest'
import { type Bridge, type StartOptions, startBridge } from '../../bridge/bridge.ts'
import type { BridgeOwnSettings } from '../../bridge/config.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { type AedesBroker, aedesBroker } from '../support/aedes-broker.ts'
import { defaultSettings, snowflakeSettings } from '../support/bridge-settings.ts'
import { eventually } from '../support/eventually.ts'
import { connected, mqttSettings } from '../support/links.ts'
import { freePort } from '../support/ports.ts'

/** Nobody answers there: what these tests are about happens at the broker. */
const snowflake = snowflakeSettings({ url: 'http://127.0.0.1:9' })

async function start(url: string, over: Partial<BridgeOwnSettings> = {}, options: StartOptions = {}): Promise<Bridge> {
  const bridge = await startBridge(
    {
      ...defaultSettings,
      snowflake,
      bridge: { ...defaultSettings.bridge, drain: 0, ...over },
      http: { ...defaultSettings.http, port: 0 },
    },
    mqttSettings(url),
    { clock: systemClock(), log: silentLog(), random: Math.random },
    options,
  )
  onTestFinished(() => bridge.close())
  return bridge
}

/** What the broker tells somebody who listens from now on. */
async function listener(url: string) {
  const link = await connected(url, '3.1.1')
  await link.subscribe(['sensehat/bridge/#'])
  const heard = <T>(topic: string) => link.heard(`sensehat/bridge/${topic}`).map((text) => JSON.parse(text) as T)
  const online = () =>
    eventually('a bridge that is online', () => link.heard('sensehat/bridge/availability').at(-1) === 'online')
  const announced = (instance: string) =>
    eventually(`${instance} announced`, () => heard<{ instance: string }>('info').at(-1)?.instance === instance)
  return { link, heard, online, announced }
}

/** Main connections made so far; MQTT 5 was tried before each, and not taken. */
function mains(broker: AedesBroker): number {
  return broker.attempts.all.filter(({ clientId, protocol }) => clientId === 'snowhat-bridge' && protocol === 4).length
}

describe('a second bridge at a broker', () => {
  it('does not start while the first one lives, says who that is, and does not disturb it', async () => {
    const broker = await aedesBroker()
    const ear = await listener(broker.url)
    const first = await start(broker.url)
    await ear.announced(first.instance)
    const words = ear.link.messages.length
    await expect(start(broker.url)).rejects.toMatchObject({
      code: 'E_RIVAL',
      message: expect.stringContaining(`instance ${first.instance}`),
      hint: expect.stringContaining('--take-over'),
    })
    expect(mains(broker)).toBe(1)
    expect(ear.link.messages.slice(words).map(({ topic }) => topic)).toEqual(
      expect.not.arrayContaining(['sensehat/bridge/info', 'sensehat/bridge/availability']),
    )
  })

  it('that is to take over makes the first one stop by itself, and only then connects under its name', async () => {
    const broker = await aedesBroker()
    const ear = await listener(broker.url)
    const first = await start(broker.url)
    await ear.announced(first.instance)
    const ended = expect(first.ended).rejects.toMatchObject({ code: 'E_RIVAL' })
    const second = await start(broker.url, {}, { takeOver: true })
    await ended
    await first.close()
    await ear.announced(second.instance)
    await ear.online()
    // Not thrown off, and not in need of a second try.
    await eventually('the second on its main connection', () => mains(broker) === 2)
    expect(ear.link.heard('sensehat/bridge/availability')).not.toContain('offline')
    expect(second.instance).not.toBe(first.instance)
  })

  it('with the guard off goes on beside the first, and both say so', async () => {
    const broker = await aedesBroker()
    const ear = await listener(broker.url)
    const first = await start(broker.url, { guard: false })
    await ear.announced(first.instance)
    const second = await start(broker.url, { guard: false, client_id: 'second' })
    await ear.announced(second.instance)
    const health = async (bridge: Bridge) =>
      (await (await fetch(`http://127.0.0.1:${bridge.httpPort}/api/health`)).json()) as { problems: string[] }
    await eventually('the first to tell', async () => (await health(first)).problems.includes('rival'))
    expect((await fetch(`http://127.0.0.1:${first.httpPort}/healthz`)).status).toBe(503)
  })

  it('starts when the broker is away, and stops as soon as the broker shows that another one lives', async () => {
    const broker = await aedesBroker()
    const first = await start(broker.url)
    const ear = await listener(broker.url)
    await ear.announced(first.instance)
    await broker.stop()
    const second = await start(broker.url, { client_id: 'second' })
    expect(second.httpPort).toBeGreaterThan(0)
    const ended = [first.ended, second.ended].map((end) => end.catch((error: unknown) => error))
    await broker.start()
    // The broker forgot everything, so both may come first; one of them stays.
    const error = await Promise.race(ended)
    expect(error).toMatchObject({ code: 'E_RIVAL' })
  })

  it('starts without a broker at all', async () => {
    const bridge = await start(`mqtt://127.0.0.1:${await freePort()}`)
    expect((await fetch(`http://127.0.0.1:${bridge.httpPort}/readyz`)).status).toBe(503)
  })
})

describe('requests over MQTT', () => {
  it('are answered by the bridge that runs: health, ledger and flush', async () => {
    const broker = await aedesBroker()
    const ear = await listener(broker.url)
    const bridge = await start(broker.url)
    await ear.announced(bridge.instance)
    // Subscribed when the main connection is being made; asked again until it is.
    await eventually('an answer', async () => {
      await ear.link.publish('sensehat/bridge/request/health', '{"id":"a1"}')
      return ear.heard('response/health').length > 0
    })
    expect(ear.heard('response/health')[0]).toMatchObject({
      id: 'a1',
      instance: bridge.instance,
      healthy: true,
      rows_waiting: 0,
    })
    await ear.link.publish('sensehat/bridge/request/ledger', '')
    await ear.link.publish('sensehat/bridge/request/flush', '')
    await eventually(
      'both answers',
      () => ear.heard('response/ledger').length + ear.heard('response/flush').length === 2,
    )
    expect(ear.heard('response/ledger')[0]).toMatchObject({ devices: [] })
    expect(ear.heard('response/flush')[0]).toMatchObject({ flushed: true, rows_waiting: 0 })
  })
})
