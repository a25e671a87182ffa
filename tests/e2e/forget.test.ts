import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { openMqttLink } from '../../src/mqtt-link.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { mqttSettings } from '../support/links.ts'
import { describeWithMosquitto, type MosquittoProcess, openMosquitto } from '../support/mosquitto-process.ts'
import { freePorts } from '../support/ports.ts'
import { type Ended, run, snowhat } from '../support/program.ts'
import { countRows, readTable, upTo } from '../support/table.ts'

const PIS = ['pi-one', 'pi-two']

interface Fleet {
  readonly mosquitto: MosquittoProcess
  readonly forget: (argv: readonly string[], user?: string, env?: Record<string, string>) => Promise<Ended>
  /** Topic and payload of all that the broker holds. */
  readonly retained: () => Promise<Map<string, string>>
  readonly page: string
  readonly warehouse: string
  readonly emulatorUrl: string
  readonly outboxOf: (hostname: string) => string
  publisher(hostname: string, batches: number): ReturnType<typeof snowhat>
  stop(): Promise<void>
}

/** Broker, emulator and bridge with a spool on disk, all with the users and rules as they are shipped. */
async function fleet(): Promise<Fleet> {
  const ports = await freePorts('mqtt', 'emulator', 'page')
  const mosquitto = await openMosquitto({
    directory: temporaryDirectory(),
    port: ports.mqtt,
    users: ['bridge', 'homeassistant', 'admin', ...PIS],
  })
  onTestFinished(() => mosquitto.kill('SIGKILL'))
  await mosquitto.start()
  const warehouse = join(temporaryDirectory(), 'warehouse')
  const emulatorUrl = `http://127.0.0.1:${ports.emulator}`
  const as = (user: string) => ({
    SNOWHAT_MQTT_URL: mosquitto.url,
    SNOWHAT_MQTT_USERNAME: user,
    SNOWHAT_MQTT_PASSWORD_FILE: mosquitto.passwordFile(user),
    SNOWHAT_HTTP_TOKEN: 'secret',
    SNOWHAT_HTTP_PORT: String(ports.page),
  })
  const emulator = snowhat([
    'emulator',
    ...['--port', String(ports.emulator), '--data', warehouse, '--commit-delay', '100ms'],
  ])
  await emulator.line(/the emulator is running/)
  const bridge = snowhat(['bridge', '-i', '0.2'], {
    env: {
      ...as('bridge'),
      SNOWHAT_SNOWFLAKE_URL: emulatorUrl,
      SNOWHAT_SPOOL_DIR: join(temporaryDirectory(), 'spool'),
      SNOWHAT_BRIDGE_STATUS_INTERVAL_MS: '100',
    },
  })
  await bridge.line(/connected to the broker/)
  const outboxes = temporaryDirectory()
  const outboxOf = (hostname: string) => join(outboxes, hostname)
  return {
    mosquitto,
    page: `http://127.0.0.1:${ports.page}`,
    warehouse,
    emulatorUrl,
    outboxOf,
    forget: (argv, user = 'admin', env = {}) => run(['forget', ...argv], { env: { ...as(user), ...env } }),
    retained: async () => {
      const password = readFileSync(mosquitto.passwordFile('admin'), 'utf8').trimEnd()
      const held = new Map<string, string>()
      const reader = await openMqttLink(
        { ...mqttSettings(mosquitto.url, '5'), username: 'admin', password },
        {
          clientId: `reader-${Math.random()}`,
          onMessage: ({ topic, payload, retain }) => {
            if (retain) held.set(topic, payload.toString())
          },
        },
        { clock: systemClock(), log: silentLog(), random: Math.random },
      )
      await eventually('a connection', () => reader.connected)
      await reader.subscribe(['#'])
      await reader.roundTrip('sensehat/test')
      await reader.close()
      return held
    },
    publisher: (hostname, batches) =>
      snowhat(['publisher', '-s', '-r', '0.05', '--hostname', hostname, '--max-batches', String(batches)], {
        env: { ...as(hostname), SNOWHAT_PUBLISHER_OUTBOX_DIR: outboxOf(hostname) },
      }),
    stop: async () => {
      for (const program of [bridge, emulator]) {
        program.kill('SIGTERM')
        expect(await program.ended()).toMatchObject({ code: 0 })
      }
    },
  }
}

const isOf = (hostname: string) => (topic: string) => topic.split('/').includes(hostname)

describeWithMosquitto('snowhat forget at the broker as it is shipped', () => {
  it('ends every retained topic of the device, and no other; it may come back, and nothing is in the table twice', async () => {
    const { forget, retained, publisher, page, ...rest } = await fleet()
    for (const hostname of PIS) {
      const pi = publisher(hostname, 2)
      expect(await pi.ended(60_000)).toMatchObject({ code: 0 })
    }
    const before = await retained()
    const own = [...before.keys()].filter(isOf('pi-one'))
    expect(own).toEqual(
      expect.arrayContaining([
        'homeassistant/device/pi-one/sensehat/config',
        'sensehat/pi-one/availability',
        'sensehat/pi-one/info',
        'sensehat/bridge/devices/pi-one',
      ]),
    )

    const refused = await forget(['pi-one'], 'bridge')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/^snowhat: .*\n.*deploy\/mosquitto\.acl that is `admin`/)
    const untouched = [...(await retained()).keys()].filter(isOf('pi-one'))
    expect(untouched.sort()).toEqual(own.sort())
    expect((await (await fetch(`${page}/api/devices/pi-one`)).json()) as object).toMatchObject({ hostname: 'pi-one' })

    const done = await forget(['pi-one', '--json'])
    expect(done).toMatchObject({ code: 0, stderr: '' })
    const said = JSON.parse(done.stdout) as { topics: { topic: string }[] }
    expect(said).toMatchObject({ bridge: 'forgot', channel: 'kept', rows_given_up: 0 })
    expect(said.topics.map(({ topic }) => topic).sort()).toEqual(own.sort())
    const after = await retained()
    expect([...after.keys()].filter(isOf('pi-one'))).toEqual([])
    expect([...after.keys()].sort()).toEqual([...before.keys()].filter((topic) => !isOf('pi-one')(topic)).sort())

    // All of it comes back with the device.
    const again = publisher('pi-one', 2)
    expect(await again.ended(60_000)).toMatchObject({ code: 0 })
    await eventually('its ledger', async () => (await retained()).has('sensehat/bridge/devices/pi-one'))
    await eventually('both runs in the table', async () => (await countRows(rest.emulatorUrl)) === 60)

    const gone = await forget(['pi-one', '--channel'])
    expect(gone).toMatchObject({ code: 0, stderr: '' })
    expect(gone.stdout).toContain('its channel is dropped')
    await rest.stop()
    const { streams } = await readTable(rest.warehouse)
    expect(streams.map(({ hostname }) => hostname).sort()).toEqual(['pi-one', 'pi-one', 'pi-two'])
    for (const { seqs } of streams) expect(seqs).toEqual(upTo(20))
  })
})
