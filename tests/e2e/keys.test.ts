import { createPublicKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import { describeWithMosquitto, startAnyMosquitto } from '../support/any-mosquitto.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { freePorts } from '../support/ports.ts'
import { type Program, run, snowhat } from '../support/program.ts'
import { ask } from '../support/table.ts'

const USER = 'SENSEHAT_STREAMING_USER'

/** A bridge and an emulator that knows the bridge's key, with a device that publishes when it is told to. */
async function keyed(emulatorArgs: readonly string[] = []) {
  const broker = await startAnyMosquitto(onTestFinished)
  const ports = await freePorts('emulator', 'page')
  const directory = temporaryDirectory()
  const path = (name: string) => join(directory, name)
  const key = path('key.p8')
  const env = {
    SNOWHAT_MQTT_URL: broker,
    SNOWHAT_SNOWFLAKE_URL: `http://127.0.0.1:${ports.emulator}`,
    SNOWHAT_SNOWFLAKE_USER: USER,
    SNOWHAT_HTTP_PORT: String(ports.page),
    SNOWHAT_BATCH_MAX_AGE_MS: '200',
    SNOWHAT_BRIDGE_STATUS_INTERVAL_MS: '200',
    SNOWHAT_EMULATOR_DATA: path('warehouse'),
    SNOWHAT_EMULATOR_PORT: String(ports.emulator),
    SNOWHAT_EMULATOR_COMMIT_DELAY: '100ms',
    SNOWHAT_EMULATOR_TOKEN_LIFETIME: '3s',
  }
  await run(['keys', 'new', key], { env })
  const configured = { ...env, SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: key }
  const publicHalf = (file: string) => {
    const pem = createPublicKey(readFileSync(file, 'utf8')).export({ type: 'spki', format: 'pem' })
    writeFileSync(`${file}.pub`, pem)
    return `${file}.pub`
  }
  let emulator: Program | undefined
  /** The emulator, started again with these keys of the user. */
  const withKeys = async (...files: string[]) => {
    emulator?.kill('SIGTERM')
    await emulator?.ended()
    // While nobody listened there, another program may have taken the port for a connection of its own.
    emulator = await eventually('the emulator is running', async () => {
      const users = files.map((file) => `${USER}=${file}`).join(',')
      const program = snowhat(['emulator', '--user-key', users, ...emulatorArgs], { env })
      await program.line(/the emulator is running/)
      return program
    })
  }
  const client = await mqtt.connectAsync(broker)
  onTestFinished(() => client.endAsync(true))
  let published = 0
  return {
    key,
    env: configured,
    publicHalf,
    withKeys,
    bridge: async () => {
      const bridge = snowhat(['bridge'], { env: configured })
      await bridge.line(/connected to the broker/)
      return bridge
    },
    health: async () =>
      (await fetch(`http://127.0.0.1:${ports.page}/api/health`)).json() as Promise<{
        snowflake: { clock_skew_seconds: number }
      }>,
    publish: async () => {
      published += 1
      const reading = { stream: 'aaaaaaaa', seq: published, uuid: `pi-one-aaaaaaaa-${published}`, hostname: 'pi-one' }
      await client.publishAsync('sensehat/pi-one/readings', JSON.stringify(reading), { qos: 1 })
    },
    inTable: () =>
      eventually('all readings in the table, once', async () => {
        const [row] = await ask(
          env.SNOWHAT_SNOWFLAKE_URL,
          'select count(*), count(distinct uuid) from SENSEHAT_SENSOR_DATA',
        ).catch(() => [])
        return row?.[0] === String(published) && row[1] === String(published)
      }),
    keys: async (...argv: string[]) => {
      const { code, stdout, stderr } = await run(['keys', ...argv, '--json'], { env: configured })
      return { code, stderr, json: stdout === '' ? undefined : JSON.parse(stdout) }
    },
  }
}

describeWithMosquitto('the key of a running bridge', () => {
  it('is rotated without a gap: no reading is lost, none comes twice, and nothing is restarted', async () => {
    const world = await keyed()
    const old = world.publicHalf(world.key)
    await world.withKeys(old)
    const bridge = await world.bridge()
    await world.publish()
    await world.inTable()

    const register = await world.keys('rotate')
    expect(register).toMatchObject({ code: 1, json: { step: 'register', slot: 'RSA_PUBLIC_KEY_2' } })
    const next = world.publicHalf(`${world.key}.next`)
    await world.withKeys(old, next)
    await world.publish()
    const retire = await world.keys('rotate')
    expect(retire).toMatchObject({ code: 1, json: { step: 'retire', switched: true, slot: 'RSA_PUBLIC_KEY' } })
    await world.inTable()

    await world.withKeys(next)
    await world.publish()
    await world.inTable()
    await bridge.line(/the private key was replaced; signing in with the new one/)
    expect(await world.keys('rotate')).toMatchObject({ code: 0, json: { step: 'done' } })
    expect(bridge.stderr).not.toContain('Snowflake refuses rows')
  })

  it('signs in although the clock is an hour off, and health says by how much', async () => {
    const faults = join(temporaryDirectory(), 'faults.json')
    writeFileSync(faults, JSON.stringify([{ action: 'skew-clock', by: '1h' }]))
    const world = await keyed(['--faults', faults])
    await world.withKeys(world.publicHalf(world.key))
    const bridge = await world.bridge()
    await world.publish()
    await world.inTable()
    await bridge.line(/the clock of this machine is wrong/)
    const { snowflake } = await world.health()
    expect(Math.abs(snowflake.clock_skew_seconds - 3_600)).toBeLessThan(30)
    expect(await run(['query', 'select 1'], { env: world.env })).toMatchObject({ code: 0 })
    const { json } = await world.keys('check')
    expect(Math.abs(json.clock_skew_seconds - 3_600)).toBeLessThan(30)
  })
})
