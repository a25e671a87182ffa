import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import { readParameters } from '../../../phone/classify/parameters.ts'
import { Recognition } from '../../../phone/recognition/recognition.ts'
import { parseMessage } from '../../../phone/wire/parse-message.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { eventually } from '../../support/eventually.ts'
import { describeWithMosquitto, type MosquittoProcess, openMosquitto } from '../../support/mosquitto-process.ts'
import { type Walk, walkMessage } from '../../support/phone-messages.ts'
import { freePorts } from '../../support/ports.ts'
import { type Program, snowhat } from '../../support/program.ts'
import { ask } from '../../support/table.ts'

const MESSAGES = 40
/** The bridge is killed when so many are on their way. */
const KILLED_AT = 20
/** These come by HTTP and by MQTT. */
const BOTH_WAYS = [3, 17, 31]
const RECORDS = 'ACTIVITY_DB.RAW_DATA.ACTIVITY_RECORDS'
const ACTIVITY = 'ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED'

describeWithMosquitto('phones, from the app to the tables, at the broker as it is shipped', () => {
  it('each message and each window is there once, by HTTP and by MQTT, and over a bridge that is killed', async () => {
    const ports = await freePorts('mqtt', 'emulator', 'page', 'phone')
    const broker = await startBroker(ports.mqtt)
    const url = `http://127.0.0.1:${ports.emulator}`
    const data = join(temporaryDirectory(), 'warehouse')
    const emulator = snowhat(['emulator', '--port', String(ports.emulator), '--data', data, '--commit-delay', '100ms'])
    await emulator.line(/the emulator is running/)

    const bridgeEnv = {
      ...login(broker, 'bridge'),
      SNOWHAT_SNOWFLAKE_URL: url,
      SNOWHAT_HTTP_PORT: String(ports.page),
      SNOWHAT_SPOOL_DIR: temporaryDirectory(),
      SNOWHAT_BATCH_MAX_AGE_MS: '200',
    }
    const startBridge = () => snowhat(['bridge'], { env: bridgeEnv })
    const phoneEnv = {
      ...login(broker, 'phone'),
      SNOWHAT_PHONE_PORT: String(ports.phone),
      SNOWHAT_PHONE_DIR: temporaryDirectory(),
      // All messages are sent at once, and no recording ends before all of it has come.
      SNOWHAT_PHONE_MAX_MESSAGES_PER_S: '1000',
      SNOWHAT_PHONE_IDLE_FLUSH: '3s',
    }
    const startReceiver = () => snowhat(['phone'], { env: phoneEnv })
    let bridge: Program = startBridge()
    const receiver = startReceiver()
    await Promise.all([bridge.line(/connected to the broker/), receiver.line(/connected to the MQTT broker/)])

    const app = await connectAsync(broker.url, {
      username: 'sensor-logger',
      password: passwordOf(broker, 'sensor-logger'),
      protocolVersion: 4,
    })
    onTestFinished(() => app.endAsync(true))
    const fromMs = Math.floor(Date.now() / 2_000) * 2_000 - MESSAGES * 1_000
    const [posting, publishing] = ['phone-by-http', 'phone-by-mqtt'].map(
      (deviceId): Walk => ({ deviceId, sessionId: `${deviceId}-1`, fromMs, rate: 25 }),
    ) as [Walk, Walk]
    const health = async () => (await fetch(`http://127.0.0.1:${ports.phone}/healthz`)).text()
    for (let messageId = 0; messageId < MESSAGES; messageId++) {
      const body = walkMessage(posting, messageId)
      const answer = await fetch(`http://127.0.0.1:${ports.phone}/sensor-data`, { method: 'POST', body })
      expect(answer.status).toBe(200)
      if (BOTH_WAYS.includes(messageId)) await app.publishAsync('sensor-logger', body)
      await app.publishAsync('sensor-logger', walkMessage(publishing, messageId))
      if (messageId === KILLED_AT) {
        bridge.kill('SIGKILL')
        await bridge.ended()
      }
    }
    bridge = startBridge()

    for (const walk of [posting, publishing]) {
      const { messages, windows } = await expected(walk)
      const numbers = await eventually(`all messages of ${walk.deviceId}`, async () => {
        const rows = await ask(
          url,
          `SELECT messageid FROM ${RECORDS} WHERE device = '${walk.deviceId}' ORDER BY messageid`,
        )
        return rows.length >= messages.length && rows
      })
      expect(numbers.map(([number]) => Number(number))).toEqual(messages)
      const what = 'window_id, activity, n_samples'
      const rows = await eventually(`all windows of ${walk.deviceId}`, async () => {
        const found = await ask(url, `SELECT ${what} FROM ${ACTIVITY} WHERE device = '${walk.deviceId}' ORDER BY seq`)
        return found.length >= windows.length && found
      })
      expect(rows).toEqual(windows)
    }
    for (const view of ['ACTIVITY_GAPS', 'ACTIVITY_DUPLICATES'])
      expect(await ask(url, `SELECT * FROM ACTIVITY_DB.PROCESSED_DATA.${view}`), view).toEqual([])

    await eventually('the receiver has been told that all is in the tables', async () =>
      (await health()).includes(' 0 rows not yet in the table'),
    )
    receiver.kill('SIGTERM')
    expect(await receiver.ended()).toMatchObject({ code: 0 })
    const again = startReceiver()
    await again.line(/connected to the MQTT broker/)
    expect(await health()).toContain(' 0 rows not yet in the table')
    for (const program of [again, bridge, emulator]) {
      program.kill('SIGTERM')
      expect(await program.ended()).toMatchObject({ code: 0 })
    }
    expect(bridge.stderr + receiver.stderr).not.toMatch(/not taken|not authorized/i)
  })
})

async function startBroker(port: number): Promise<MosquittoProcess> {
  const users = ['bridge', 'phone', 'sensor-logger']
  const broker = await openMosquitto({ directory: temporaryDirectory(), port, users })
  onTestFinished(() => broker.kill('SIGKILL'))
  await broker.start()
  return broker
}

function passwordOf(broker: MosquittoProcess, user: string): string {
  return readFileSync(broker.passwordFile(user), 'utf8').trimEnd()
}

function login(broker: MosquittoProcess, user: string) {
  return {
    SNOWHAT_MQTT_URL: broker.url,
    SNOWHAT_MQTT_USERNAME: user,
    SNOWHAT_MQTT_PASSWORD_FILE: broker.passwordFile(user),
  }
}

/** What the tables must hold of a walk when its recording has ended. */
async function expected(walk: Walk) {
  const recognition = Recognition.begin({ classifier: 'std' }, await readParameters())
  const messages = Array.from({ length: MESSAGES }, (_, messageId) => messageId)
  const windows = messages.flatMap((messageId) => {
    const parsed = parseMessage(walkMessage(walk, messageId), () => true)
    if (!parsed.ok) throw new Error(parsed.sentence)
    return recognition.process(parsed.message, walk.fromMs)
  })
  windows.push(...recognition.flush(walk.deviceId, walk.sessionId))
  return {
    messages,
    windows: windows.map(({ record }) => [record.window_id, record.activity, String(record.n_samples)]),
  }
}
