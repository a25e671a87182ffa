import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import { NOTHING_KNOWN } from '../../publisher/host-metrics.ts'
import { startPublisher } from '../../publisher/publisher.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { publisherSections } from '../publisher/support.ts'
import { openCutProxy } from '../support/cut-proxy.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { patient, within } from '../support/eventually.ts'
import { Happenings } from '../support/happenings.ts'
import { describeWithMosquitto, type MosquittoProcess, openMosquitto } from '../support/mosquitto-process.ts'
import { freePort } from '../support/ports.ts'

const PIS = 200
/** A reading in a while would only cost time here. */
const HOUR_S = 3600

interface Said {
  readonly hostname: string
  /** `config` of a device document, or the last level of the Pi's topic. */
  readonly what: string
  /** Milliseconds. */
  readonly at: number
}

/** As it is shipped, but one password-less user for all Pis. */
async function openBroker(): Promise<MosquittoProcess> {
  const directory = temporaryDirectory()
  const acl_file = join(directory, 'open-to-all')
  writeFileSync(acl_file, 'topic readwrite #\n', { mode: 0o600 })
  const override = { allow_anonymous: 'true', acl_file }
  const broker = await openMosquitto({ directory, port: await freePort(), users: ['admin'], override })
  onTestFinished(() => broker.kill('SIGKILL'))
  await broker.start()
  return broker
}

/** Hears all that is said from now on of retained topics. */
async function listen(broker: MosquittoProcess): Promise<{ said: Happenings<Said>; client: MqttClient }> {
  const client = await connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 20, resubscribe: false })
  client.on('error', () => undefined)
  onTestFinished(() => client.endAsync(true))
  const said = new Happenings<Said>()
  client.on('message', (topic, payload, { retain }) => {
    if (retain || payload.length === 0) return
    const levels = topic.split('/')
    const [hostname = '', what = ''] = [topic.endsWith('/config') ? levels[2] : levels[1], levels.at(-1)]
    said.note({ hostname, what: what === 'availability' ? payload.toString() : what, at: performance.now() })
  })
  await subscribe(client)
  return { said, client }
}

async function subscribe(client: MqttClient): Promise<void> {
  await client.subscribeAsync(['homeassistant/device/#', 'sensehat/+/availability', 'sensehat/+/led'], { qos: 1 })
}

async function startFleet(url: string): Promise<void> {
  const hostMetrics = { keys: [], read: async () => NOTHING_KNOWN }
  const settings = { reading_interval: HOUR_S, state_interval: HOUR_S, hostname: '' }
  const deps = { clock: systemClock(), log: silentLog(), random: Math.random, hostMetrics }
  const pis = await Promise.all(
    Array.from({ length: PIS }, (_, i) => {
      const sections = publisherSections(url, settings)
      const identity = { hostname: `pi-${i}`, ipaddress: null, macaddress: null, serial: null, model: null }
      return startPublisher({ ...sections, mqtt: { ...sections.mqtt, protocol: '5' } }, { ...deps, identity })
    }),
  )
  onTestFinished(async () => {
    await Promise.all(pis.map((pi) => pi.close()))
  })
}

function print(line: string): void {
  process.stdout.write(`${PIS} Pis, ${line}\n`)
}

describeWithMosquitto(`${PIS} Pis at once`, () => {
  it('make no storm: a document each when the broker has none, none when it has kept them, and answers to a birth over half a minute', {
    timeout: 180_000,
  }, async () => {
    const broker = await openBroker()
    const { said, client } = await listen(broker)
    let from = 0
    const now = () => said.all.slice(from)
    const of = (what: string) => now().filter((one) => one.what === what)
    const hosts = (what: string) => new Set(of(what).map(({ hostname }) => hostname)).size
    /** All have said `what`, the last thing they say on a connection. */
    const all = (what: string) =>
      within(
        60_000,
        `${what} of all`,
        said.until(() => hosts(what) === PIS),
      )
    const seconds = (began: number) => ((performance.now() - began) / 1000).toFixed(1)

    const cable = await openCutProxy(broker.url)
    /** All Pis wait until the broker is there again, and who counts is there before them. */
    const restart = async (end: () => Promise<void>) => {
      from = said.all.length
      cable.refuse(true)
      await end()
      const isBack = new Promise<void>((resolve) => client.once('connect', () => resolve()))
      await broker.start()
      await isBack
      await subscribe(client)
      cable.refuse(false)
      return performance.now()
    }

    let began = performance.now()
    await startFleet(cable.url)
    await all('led')
    print(`a new broker: ${of('config').length} documents in ${seconds(began)} s`)
    expect([of('config').length, hosts('config')]).toEqual([PIS, PIS])

    began = await restart(() => broker.kill('SIGTERM'))
    await all('led')
    print(`a restarted broker: all back in ${seconds(began)} s, ${of('config').length} documents`)
    expect(of('config')).toEqual([])
    expect(hosts('online')).toBe(PIS)

    began = await restart(async () => {
      await broker.kill('SIGKILL')
      broker.wipe()
    })
    await all('led')
    print(`a wiped broker: all back in ${seconds(began)} s, ${of('config').length} documents`)
    expect([of('config').length, hosts('config')]).toEqual([PIS, PIS])

    from = said.all.length
    began = performance.now()
    await client.publishAsync('homeassistant/status', 'online', { qos: 1 })
    await all('config')
    await all('led')
    const waits = of('config').map(({ at }) => (at - began) / 1000)
    const perSecond = Array.from({ length: 31 }, (_, i) => waits.filter((wait) => Math.floor(wait) === i).length)
    const [first, last, most] = [Math.min(...waits), Math.max(...waits), Math.max(...perSecond)]
    print(
      `a birth: ${waits.length} documents from ${first.toFixed(1)} s to ${last.toFixed(1)} s, ${most} in a second at most`,
    )
    expect(waits.length).toBe(PIS)
    expect(first).toBeGreaterThanOrEqual(1)
    expect(last).toBeLessThan(patient(31))
    // Eight on average. All at once would be two hundred.
    expect(most).toBeLessThan(patient(40))
  })
})
