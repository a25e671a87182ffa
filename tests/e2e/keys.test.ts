import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import mqtt from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import { describeWithMosquitto, startAnyMosquitto } from '../support/any-mosquitto.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { freePorts } from '../support/ports.ts'
import { run, snowhat } from '../support/program.ts'
import { ask } from '../support/table.ts'

const USER = 'SENSEHAT_STREAMING_USER'

/** Somebody nobody has made: the emulator lets such a user do everything, as a person with SECURITYADMIN. */
const ADMINISTRATOR = 'ADA'

/** A new user's way: a key, the set-up for it, an account that has run that; and a device that publishes when it is told to. */
async function keyed(emulatorArgs: readonly string[] = []) {
  const broker = await startAnyMosquitto(onTestFinished)
  const ports = await freePorts('emulator', 'page')
  const directory = temporaryDirectory()
  const path = (name: string) => join(directory, name)
  const key = path('key.p8')
  const env = {
    SNOWHAT_MQTT_URL: broker,
    SNOWHAT_SNOWFLAKE_URL: `http://127.0.0.1:${ports.emulator}`,
    SNOWHAT_HTTP_PORT: String(ports.page),
    SNOWHAT_BATCH_MAX_AGE_MS: '100',
    SNOWHAT_BRIDGE_STATUS_INTERVAL_MS: '200',
    SNOWHAT_EMULATOR_DATA: path('warehouse'),
    SNOWHAT_EMULATOR_PORT: String(ports.emulator),
    SNOWHAT_EMULATOR_COMMIT_DELAY: '100ms',
    // A bridge that is given a token for so long has to sign in often.
    SNOWHAT_EMULATOR_TOKEN_LIFETIME: '3s',
  }
  const configured = { ...env, SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: key }
  const made = await run(['keys', 'new', key], { env })
  const setUp = await run(['setup-sql', '--views'], { env: configured })
  expect([made.stderr, setUp.stderr]).toEqual(['', ''])
  mkdirSync(path('sql'))
  writeFileSync(path('sql/setup.sql'), setUp.stdout)
  const emulator = snowhat(['emulator', '--sql-dir', path('sql'), ...emulatorArgs], { env })
  await emulator.line(/the emulator is running/)
  const client = await mqtt.connectAsync(broker)
  onTestFinished(() => client.endAsync(true))
  let published = 0
  const publish = async () => {
    published += 1
    const identity = { stream: 'aaaaaaaa', seq: published, uuid: `pi-one-aaaaaaaa-${published}`, hostname: 'pi-one' }
    const reading = { ...identity, datetimestamp: new Date().toISOString() }
    await client.publishAsync('sensehat/pi-one/readings', JSON.stringify(reading), { qos: 1 })
  }
  const page = async (of: string) => (await fetch(`http://127.0.0.1:${ports.page}${of}`)).text()
  /** What the administrator's worksheet does with a statement. */
  const asAdministrator = async (statement: string) => {
    const asked = await run(['query', statement], { env: { ...env, SNOWHAT_SNOWFLAKE_USER: ADMINISTRATOR } })
    expect(asked).toMatchObject({ code: 0, stderr: '' })
  }
  return {
    key,
    fingerprint: fingerprintIn(made.stdout),
    env: configured,
    asAdministrator,
    bridge: async () => {
      const bridge = snowhat(['bridge'], { env: configured })
      await bridge.line(/connected to the broker/)
      return bridge
    },
    health: async () => JSON.parse(await page('/api/health')) as Health,
    /** Calls to Snowflake by what came of them, `ok` first of all. */
    answers: async () => {
      const lines = [
        ...(await page('/metrics')).matchAll(/^snowhat_snowflake_requests_total\{.*code="(.*)"\} (\d+)$/gm),
      ]
      return new Set(lines.filter(([, , count]) => count !== '0').map(([, code]) => code))
    },
    signIns: async () => Number(/^snowhat_snowflake_sign_ins_total (\d+)$/m.exec(await page('/metrics'))?.[1]),
    publish,
    /** Goes on publishing, one reading after another, and collects what health says meanwhile. */
    publishOn: () => {
      const seen: Health[] = []
      let goesOn = true
      const loop = (async () => {
        while (goesOn) {
          await publish()
          seen.push(JSON.parse(await page('/api/health')))
          await setTimeout(20)
        }
      })()
      return async () => {
        goesOn = false
        await loop
        return seen
      }
    },
    inTable: () =>
      eventually('all readings in the table, once', async () => {
        const [row] = await ask(
          env.SNOWHAT_SNOWFLAKE_URL,
          'select count(*), count(distinct uuid) from SENSEHAT_SENSOR_DATA',
        )
        return row?.[0] === String(published) && row[1] === String(published)
      }),
    /** The fingerprints of the user's two places, as `DESC USER` shows them. */
    slots: async () => {
      const rows = await ask(env.SNOWHAT_SNOWFLAKE_URL, `DESC USER ${USER}`, ADMINISTRATOR)
      const [first, second] = ['RSA_PUBLIC_KEY_FP', 'RSA_PUBLIC_KEY_2_FP'].map(
        (property) => rows.find(([name]) => name === property)?.[1],
      )
      return { first, second }
    },
    keys: (...argv: string[]) => run(['keys', ...argv], { env: configured }),
  }
}

interface Health {
  readonly problem: boolean
  readonly snowflake: { readonly reachable: boolean; readonly clock_skew_seconds: number }
}

/** The one statement that a command tells a person to run. */
function statementIn(output: string): string {
  const [statement = '', ...more] = output.match(/ALTER USER .*;/g) ?? []
  expect(statement).not.toBe('')
  expect(more).toEqual([])
  return statement
}

function fingerprintIn(output: string): string {
  return /SHA256:\S{44}/.exec(output)?.[0] ?? ''
}

describeWithMosquitto('the key of a running bridge', () => {
  it('is rotated by the statements that are printed: no reading is lost, none comes twice, and the bridge is never refused', async () => {
    const world = await keyed()
    const old = world.fingerprint
    const bridge = await world.bridge()
    await world.publish()
    await world.inTable()
    expect(await world.slots()).toEqual({ first: old, second: 'null' })
    const end = world.publishOn()

    const register = await world.keys('rotate')
    expect(register).toMatchObject({ code: 1, stderr: '' })
    expect(statementIn(register.stdout)).toMatch(/ SET RSA_PUBLIC_KEY_2=/)
    await world.asAdministrator(statementIn(register.stdout))

    copyFileSync(world.key, `${world.key}.of-before`)
    const retire = await world.keys('rotate')
    expect(retire).toMatchObject({ code: 1, stderr: '' })
    expect(retire.stdout).toContain('The new key signs in')
    const next = fingerprintIn(retire.stdout)
    expect(await world.slots()).toEqual({ first: old, second: next })
    // Whose word it is that the bridge goes over by itself: the bridge's.
    await bridge.line(/the private key was replaced; signing in with the new one/)
    expect(statementIn(retire.stdout)).toBe(`ALTER USER ${USER} UNSET RSA_PUBLIC_KEY;`)
    await world.asAdministrator(statementIn(retire.stdout))
    expect(await world.slots()).toEqual({ first: 'null', second: next })

    const done = await world.keys('rotate')
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout).toMatch(/^Done: the old key is refused/)
    const signIns = await world.signIns()
    await eventually('the bridge signs in with the old key gone', async () => (await world.signIns()) > signIns)
    const seen = await end()
    await world.inTable()

    expect(seen.length).toBeGreaterThan(0)
    expect(seen.filter(({ problem, snowflake }) => problem || !snowflake.reachable)).toEqual([])
    expect(await world.answers()).toEqual(new Set(['ok']))
    expect(bridge.stderr).not.toMatch(/"level":[456]0/)
    const withOldKey = { ...world.env, SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: `${world.key}.of-before` }
    expect(await run(['keys', 'check'], { env: withOldKey })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the fingerprint is not that of a registered key'),
    })
    expect((await world.keys('check')).stdout).toContain('RSA_PUBLIC_KEY is empty; RSA_PUBLIC_KEY_2 has this key')
    const { stdout: latest } = await run(['query', '--json', 'select hostname from sensehat_latest'], {
      env: world.env,
    })
    expect(Object.values(JSON.parse(latest))).toEqual(['pi-one'])
  })

  it('signs in although the clock is an hour off, and health says by how much', async () => {
    const faults = join(temporaryDirectory(), 'faults.json')
    writeFileSync(faults, JSON.stringify([{ action: 'skew-clock', by: '1h' }]))
    const world = await keyed(['--faults', faults])
    const bridge = await world.bridge()
    await world.publish()
    await world.inTable()
    await bridge.line(/the clock of this machine is wrong/)
    const { snowflake } = await world.health()
    expect(Math.abs(snowflake.clock_skew_seconds - 3_600)).toBeLessThan(30)
    expect(await run(['query', 'select 1'], { env: world.env })).toMatchObject({ code: 0 })
    const { stdout } = await world.keys('check', '--json')
    expect(Math.abs(JSON.parse(stdout).clock_skew_seconds - 3_600)).toBeLessThan(30)
  })
})
