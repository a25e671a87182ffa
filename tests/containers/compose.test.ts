import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { openMqttLink } from '../../src/mqtt-link.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import { describeWithContainers } from '../support/container.ts'
import type { CleanUp } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { mqttSettings } from '../support/links.ts'
import { ask, countRows } from '../support/table.ts'
import { buildImage, type ComposeProject, docker, IMAGES, openProject } from './compose-project.ts'

const PIS = ['pi-demo-1', 'pi-demo-2', 'pi-demo-3']
const SERVICES = ['mosquitto', 'bridge', 'emulator', ...PIS]
const MINUTE = 60_000

/** One project for all: each test goes on where the one before it ended. */
describeWithContainers('compose.yaml', { timeout: 15 * MINUTE }, () => {
  const last: (() => void | Promise<void>)[] = []
  const cleanUp: CleanUp = (close) => last.unshift(close)
  let project: ComposeProject
  let emulator: string

  beforeAll(async () => {
    await buildImage('demo', IMAGES.demo)
    await buildImage('production', IMAGES.production)
    project = await openProject(cleanUp)
    emulator = `http://127.0.0.1:${project.ports.emulator}`
  }, 15 * MINUTE)
  afterAll(async () => {
    for (const close of last) await close()
  }, 5 * MINUTE)

  const up = (...services: readonly string[]) =>
    project.compose('--profile', 'demo', 'up', '-d', '--no-build', ...services)
  const moreRows = async () => {
    const before = await countRows(emulator)
    await eventually('rows that were not there before', async () => (await countRows(emulator)) > before + 3, MINUTE)
  }

  const open = async (url: string, settings: Partial<MqttSettings>) => {
    const errors: unknown[] = []
    const link = await openMqttLink(
      { ...mqttSettings(url, '5'), ...settings },
      { clientId: `compose-${Math.random()}`, onDisconnect: (error) => errors.push(error) },
      { clock: systemClock(), log: silentLog(), random: Math.random },
    )
    onTestFinished(() => link.close())
    return { link, errors }
  }
  const secret = (name: string) => join(project.directory, 'secrets', name)

  it('with the profile demo comes up healthy, and rows arrive', async () => {
    await up()
    for (const service of ['mosquitto', 'bridge', 'emulator'])
      await eventually(
        `${service} is healthy`,
        async () => (await project.state(service)).Health?.Status === 'healthy',
        2 * MINUTE,
      )
    await moreRows()
  })

  it('gives each service its own secrets and no other', async () => {
    const seen = async (service: string) =>
      (await docker('exec', await project.container(service), 'sh', '-c', 'find /run/secrets -type f')).stdout.trim()
    for (const service of ['bridge', 'pi-demo-1'])
      expect(await seen(service), service).toBe('/run/secrets/mqtt_password')
    const password = async (service: string) =>
      (await docker('exec', await project.container(service), 'cat', '/run/secrets/mqtt_password')).stdout
    expect(new Set(await Promise.all(['bridge', ...PIS].map(password))).size).toBe(4)
  })

  it('lets nobody in without a password, and a Pi do only what is its own', async () => {
    const url = `mqtt://127.0.0.1:${project.ports.mqtt}`
    const anonymous = await open(url, {})
    await eventually('a refusal', () => anonymous.errors.length > 0)
    expect(anonymous.link.connected).toBe(false)
    await project.compose('run', '--rm', 'mosquitto-users', 'pi-attic')
    await project.compose('kill', '-s', 'HUP', 'mosquitto')
    const password = readFileSync(secret('mqtt/pi-attic'), 'utf8').trim()
    const { link } = await open(url, { username: 'pi-attic', password })
    await eventually('the new Pi is connected', () => link.connected)
    await link.publish('sensehat/pi-attic/state', '{}')
    await expect(link.publish('sensehat/pi-demo-1/readings', '{}')).rejects.toThrow(/not authorized/i)
  })

  it.each(SERVICES.slice(0, 4))('goes on after `docker kill` of %s', async (service) => {
    await docker('kill', await project.container(service))
    expect(await project.state(service)).toMatchObject({ Status: 'exited' })
    await up(service)
    await eventually('the table can be asked again', () => countRows(emulator), MINUTE)
    await moreRows()
  })

  it('has lost nothing by that, has nothing twice, and ends clean', async () => {
    // Each waits until its readings are in the table.
    await project.compose('--profile', 'demo', 'stop', ...PIS)
    const sum =
      'select hostname, stream, count(*), count(distinct seq), min(seq), max(seq) from DEMO.DEMO.SENSEHAT_SENSOR_DATA group by 1, 2'
    const streams = await ask(emulator, sum)
    expect(new Set(streams.map(([hostname]) => hostname))).toEqual(new Set(PIS))
    for (const [hostname, stream, rows, different, first, highest] of streams)
      expect([rows, different, first], `${hostname} ${stream}`).toEqual([highest, highest, '1'])
    await project.compose('--profile', 'demo', 'stop', 'bridge', 'emulator', 'mosquitto')
    for (const service of SERVICES)
      expect(await project.state(service), service).toMatchObject({ Status: 'exited', ExitCode: 0 })
  })

  it('with the profile tls takes Pis by their certificates on 8883, and who trusts another CA does not come', async () => {
    await project.compose('--profile', 'tls', 'build', 'certificates')
    await project.compose('--profile', 'tls', 'run', '--rm', 'certificates', 'pi-attic')
    await project.compose('up', '-d', '--no-build', 'mosquitto')
    await project.compose('restart', 'mosquitto')
    const url = `mqtts://localhost:${project.ports.mqtts}`
    const login = {
      ca_file: secret('tls/clients/pi-attic/ca.crt'),
      cert_file: secret('tls/clients/pi-attic/client.crt'),
      key_file: secret('tls/clients/pi-attic/client.key'),
    }
    const { link } = await open(url, login)
    await eventually('a connection over TLS', () => link.connected, MINUTE)
    await link.publish('sensehat/pi-attic/state', '{}')
    await expect(link.publish('sensehat/pi-demo-1/readings', '{}')).rejects.toThrow(/not authorized/i)
    const stranger = await open(url, {})
    expect(await eventually('a refusal', () => stranger.errors[0])).toMatchObject({ code: 'E_MQTT_TLS' })
  })
})
