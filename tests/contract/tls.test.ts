import { readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { hintOf } from '../../src/errors.ts'
import { silentLog } from '../../src/log.ts'
import { type LinkOptions, openMqttLink } from '../../src/mqtt-link.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { mqttSettings } from '../support/links.ts'
import { describeWithMosquitto, makeCertificates, openMosquitto } from '../support/mosquitto-process.ts'
import { freePorts } from '../support/ports.ts'
import { run, snowhat } from '../support/program.ts'
import { readTable, upTo } from '../support/table.ts'

type Login = Pick<MqttSettings, 'ca_file' | 'cert_file' | 'key_file'>

interface Certificates {
  readonly directory: string
  login(user: string): Login
}

function certificates(cleanUp: CleanUp, names: readonly string[], env: Record<string, string> = {}): Certificates {
  const directory = temporaryDirectory(cleanUp)
  makeCertificates(directory, names, env)
  const file = (user: string, name: string) => join(directory, 'clients', user, name)
  return {
    directory,
    login: (user) => ({
      ca_file: file(user, 'ca.crt'),
      cert_file: file(user, 'client.crt'),
      key_file: file(user, 'client.key'),
    }),
  }
}

/** Mosquitto as it is shipped, with certificates as the script makes them. */
async function broker(cleanUp: CleanUp, { directory }: Certificates) {
  const ports = await freePorts('mqtt', 'mqtts')
  const mosquitto = await openMosquitto({
    directory: temporaryDirectory(cleanUp),
    port: ports.mqtt,
    users: ['bridge'],
    tls: { directory, port: ports.mqtts },
  })
  cleanUp(() => mosquitto.kill('SIGKILL'))
  await mosquitto.start()
  return { url: `mqtts://localhost:${ports.mqtts}`, port: ports.mqtts, plainPort: mosquitto.port }
}

async function open(url: string, tls: Partial<MqttSettings>, options: Partial<LinkOptions> = {}) {
  const link = await openMqttLink(
    { ...mqttSettings(url, '5'), ...tls },
    { clientId: `tls-${Math.random()}`, ...options },
    { clock: systemClock(), log: silentLog(), random: Math.random },
  )
  onTestFinished(() => link.close())
  return link
}

/** What the first attempt to connect ended with. */
async function failure(
  url: string,
  tls: Partial<MqttSettings>,
): Promise<{ message: string; hint: string | undefined }> {
  const errors: unknown[] = []
  const link = await open(url, tls, { onDisconnect: (error) => errors.push(error) })
  const error = await eventually('an attempt that failed', () => errors[0])
  expect(link.connected).toBe(false)
  expect(error).toMatchObject({ code: 'E_MQTT_TLS', retryable: true })
  return { message: (error as Error).message, hint: hintOf(error) }
}

describeWithMosquitto('the broker over TLS as it is shipped', () => {
  const last: (() => void | Promise<void>)[] = []
  const cleanUp: CleanUp = (close) => last.unshift(close)
  let ours: Certificates
  /** Of a CA that has nothing to do with the broker's. */
  let foreign: Login
  let url: string
  let port: number
  let plainPort: number

  beforeAll(async () => {
    ours = certificates(cleanUp, ['bridge', 'pi-one', 'pi-late'])
    foreign = certificates(cleanUp, ['pi-one']).login('pi-one')
    ;({ url, port, plainPort } = await broker(cleanUp, ours))
  })
  afterAll(async () => {
    for (const close of last) await close()
  })

  it('takes who has a certificate of its CA for the user that stands in it, and for no other', async () => {
    const pi = await open(url, ours.login('pi-one'))
    await eventually('a connection', () => pi.connected)
    await pi.publish('sensehat/pi-one/readings', '{}')
    await expect(pi.publish('sensehat/pi-two/readings', '{}')).rejects.toThrow(/not authorized/i)
    await expect(pi.publish('sensehat/bridge/info', '{}')).rejects.toThrow(/not authorized/i)
  })

  it('and whoever is refused hears in one sentence why, and what to do', async () => {
    const login = ours.login('pi-one')
    expect(await failure(url, { ...login, ca_file: foreign.ca_file })).toEqual({
      message: "the MQTT broker's certificate is not signed by a CA that we trust",
      hint: expect.stringContaining('SNOWHAT_MQTT_CA_FILE'),
    })
    expect(await failure(`mqtts://127.0.0.2:${port}`, login)).toEqual({
      message: expect.stringMatching(/^the MQTT broker's certificate is not for 127\.0\.0\.2 but for .*DNS:localhost/),
      hint: expect.stringContaining('SNOWHAT_MQTT_URL'),
    })
    expect(await failure(url, { ca_file: login.ca_file })).toEqual({
      message: expect.stringMatching(/^the MQTT broker wants a client certificate$|without a word$/),
      hint: expect.stringContaining('SNOWHAT_MQTT_CERT_FILE'),
    })
    expect(await failure(url, { ...foreign, ca_file: login.ca_file })).toEqual({
      message: expect.stringMatching(/^the MQTT broker refuses our client certificate$|without a word$/),
      hint: expect.stringContaining('SNOWHAT_MQTT_CERT_FILE'),
    })
    expect(await failure(`mqtts://localhost:${plainPort}`, login)).toEqual({
      message: 'the MQTT broker has ended the connection without a word',
      hint: expect.stringContaining('8883'),
    })
    const greeter = createServer((socket) => socket.end('220 not this one\r\n'))
    await new Promise<void>((resolve) => greeter.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void greeter.close())
    expect(await failure(`mqtts://127.0.0.1:${(greeter.address() as AddressInfo).port}`, login)).toEqual({
      message: 'the MQTT broker does not speak TLS on this port',
      hint: expect.stringContaining('8883'),
    })
  })

  it('with a certificate that has expired is not trusted, and says so', async () => {
    const late = certificates(onTestFinished, ['pi-one'], { DAYS: '0' })
    const expired = await broker(onTestFinished, late)
    expect(await failure(expired.url, late.login('pi-one'))).toEqual({
      message: "the MQTT broker's certificate, or the CA's, has expired",
      hint: expect.stringContaining('clock'),
    })
  })

  it('refuses a client certificate that has expired, and takes the renewed one without a restart of ours', async () => {
    const login = ours.login('pi-late')
    rmSync(login.cert_file)
    makeCertificates(ours.directory, ['pi-late'], { DAYS: '0', RENEW_DAYS: '1' })
    const errors: unknown[] = []
    const link = await open(url, login, { onDisconnect: (error) => errors.push(error) })
    expect(await eventually('an attempt that failed', () => errors[0])).toMatchObject({
      message: expect.stringMatching(
        /^the MQTT broker refuses our client certificate: it has expired$|without a word$/,
      ),
    })
    makeCertificates(ours.directory, ['pi-late'])
    await eventually('a connection with the new certificate', () => link.connected)
  })

  it('carries a reading from the Pi into the table, and the commands', { timeout: 60_000 }, async () => {
    const ports = await freePorts('emulator', 'page')
    const data = join(temporaryDirectory(), 'warehouse')
    const as = (user: string, files = ours.login(user)) => ({
      SNOWHAT_MQTT_URL: url,
      SNOWHAT_MQTT_CA_FILE: files.ca_file,
      SNOWHAT_MQTT_CERT_FILE: files.cert_file,
      SNOWHAT_MQTT_KEY_FILE: files.key_file,
      SNOWHAT_SNOWFLAKE_URL: `http://127.0.0.1:${ports.emulator}`,
      SNOWHAT_HTTP_PORT: String(ports.page),
      SNOWHAT_BATCH_MAX_AGE_MS: '300',
    })
    const emulator = snowhat(['emulator', '--port', String(ports.emulator), '--data', data])
    await emulator.line(/the emulator is running/)
    const bridge = snowhat(['bridge'], { env: as('bridge') })
    await bridge.line(/connected to the broker/)
    const publish = ['publisher', '-s', '-r', '0.05', '--max-batches', '1', '--hostname', 'pi-one']
    expect(await run(publish, { env: as('pi-one') })).toMatchObject({ code: 0 })
    expect(await run(['ledger'], { env: as('bridge') })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('pi-one'),
    })
    const wrong = await run(['ledger'], { env: as('bridge', { ...ours.login('bridge'), ca_file: foreign.ca_file }) })
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^snowhat: the MQTT broker's certificate is not signed by a CA that we trust .*\n.*SNOWHAT_MQTT_CA_FILE/,
      ),
    })
    for (const program of [bridge, emulator]) {
      program.kill('SIGTERM')
      expect(await program.ended()).toMatchObject({ code: 0 })
    }
    expect((await readTable(data)).streams.map(({ seqs }) => seqs)).toEqual([upTo(10)])
  })
})

describe('certificates', () => {
  it('that cannot be used are told at the start, with the file', async () => {
    const { login } = certificates(onTestFinished, ['pi-one', 'pi-two'])
    const [one, two] = [login('pi-one'), login('pi-two')]
    const url = 'mqtts://127.0.0.1:1'
    const invalid = (message: string) => ({ code: 'E_CONFIG_INVALID', message: expect.stringContaining(message) })
    await expect(open(url, { ca_file: one.key_file })).rejects.toMatchObject(
      invalid(`the CA file ${one.key_file} holds no certificate`),
    )
    await expect(open(url, { cert_file: one.cert_file })).rejects.toMatchObject(
      invalid('mqtt.cert_file and mqtt.key_file belong together'),
    )
    await expect(open(url, { cert_file: one.cert_file, key_file: two.key_file })).rejects.toMatchObject(
      invalid(`${two.key_file} is no key for ${one.cert_file}`),
    )
  })

  it('are made once, renewed before they end and for other names, and never by a CA that clients do not know', () => {
    const directory = temporaryDirectory()
    const sum = () =>
      ['ca/ca.key', 'ca/ca.crt', 'broker/server.crt', 'clients/pi-one/client.crt'].map((name) =>
        readFileSync(join(directory, name), 'utf8'),
      )
    makeCertificates(directory, ['pi-one'])
    const [key, ca, server, client] = sum()
    makeCertificates(directory, ['pi-one', 'pi-two'])
    expect(sum()).toEqual([key, ca, server, client])
    makeCertificates(directory, [], { NAMES: 'nas.local 192.168.1.5' })
    expect(sum()[2]).not.toBe(server)
    expect(sum()[3]).toBe(client)
    makeCertificates(directory, [], { RENEW_DAYS: '1000' })
    const renewed = sum()
    expect(renewed.slice(0, 2)).toEqual([key, ca])
    expect(renewed[3]).not.toBe(client)
    // Its key stays when the CA itself is renewed, so that those who know it already still do.
    makeCertificates(directory, [], { RENEW_DAYS: '3700', CA_DAYS: '9000', DAYS: '4000' })
    expect(sum()[0]).toBe(key)
    expect(sum()[1]).not.toBe(ca)
  })

  it('are made for nobody who cannot be a user', () => {
    expect(() => makeCertificates(temporaryDirectory(), ['pi/one'])).toThrow(/cannot be a user/)
  })
})
