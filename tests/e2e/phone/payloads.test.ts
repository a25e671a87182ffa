import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ANDROID, BAD_NEIGHBOURS, IN_A_STUDY, IOS, TEST_BUTTON } from '../../phone/support.ts'
import { describeWithMosquitto, startAnyMosquitto } from '../../support/any-mosquitto.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { eventually } from '../../support/eventually.ts'
import { connected } from '../../support/links.ts'
import { freePort } from '../../support/ports.ts'
import { snowhat } from '../../support/program.ts'
import { type TakenRow, takeRows } from './row-taker.ts'

const TOKEN = 'a-token-of-our-choice'
const ANDROID_PHONE = 'c0f1b7a2-58d3-4e8c-bb0e-1d2c3b4a5968'
const IPHONE = '7d9e2f31-0b44-4c1a-8e55-aa11bb22cc33'

describeWithMosquitto('what the app sends', () => {
  it('by HTTP and by MQTT becomes the same rows once, and nothing that is wrong stops anything', async () => {
    const url = await startAnyMosquitto(onTestFinished)
    const taker = await takeRows(url)
    const app = await connected(url, '3.1.1')
    await app.subscribe(['homeassistant/#', 'phones/#'])
    const port = await freePort()
    const dir = temporaryDirectory()
    const tokenFile = join(temporaryDirectory(), 'token')
    writeFileSync(tokenFile, `${TOKEN}\n`)
    const program = snowhat(
      ['phone', '--port', String(port), '--dir', dir, '--idle-flush', '2s', '--body-max-bytes', '100000'],
      {
        env: { SNOWHAT_MQTT_URL: url, SNOWHAT_PHONE_TOKEN_FILE: tokenFile },
      },
    )
    await program.line(/the phone receiver is running/)
    await eventually('the receiver says that it is there', () =>
      app.heard('phones/receiver/availability').includes('online'),
    )
    const post = async (path: string, body: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body })).status
    const own = `/sensor-data/${TOKEN}`

    expect(await post(own, ANDROID)).toBe(200)
    expect(await post('/sensor-data/wrong', IOS)).toBe(499)
    expect(await post('/sensor-data', 'a')).toBe(401)
    expect(await post(own, 'no JSON')).toBe(415)
    expect(await post(own, '"x"')).toBe(400)
    expect(await post(own, 'x'.repeat(100_001))).toBe(413)
    expect(await post(own, TEST_BUTTON)).toBe(200)
    await app.publish('sensor-logger', ANDROID)
    await app.publish('sensor-logger/kitchen-phone', IOS)
    await app.publish('sensor-logger', 'no JSON')
    await app.publish('sensor-logger', IN_A_STUDY)
    await app.publish('sensor-logger', TEST_BUTTON)
    expect(await post(own, IOS)).toBe(200)
    expect(await post(own, IN_A_STUDY)).toBe(200)
    expect(await post(own, BAD_NEIGHBOURS)).toBe(200)

    const android = await eventually('three messages of the Android phone', () => rowsOf(ANDROID_PHONE, 3))
    expect(android.map(({ messageId, sensors, userId }) => ({ messageId, sensors, userId }))).toEqual([
      { messageId: 17, sensors: { accelerometer: 2, gravity: 1, totalacceleration: 1 }, userId: null },
      {
        messageId: 42,
        sensors: { activity: 1, accelerometer: 1, annotation: 1, pedometer: 1, location: 1, barometer: 1, battery: 1 },
        userId: 'participant-07',
      },
      { messageId: 43, sensors: { accelerometer: 1, futuresensor: 1 }, userId: null },
    ])
    expect(JSON.stringify(android[0]?.payload)).toContain('"time":"1700000001005000192"')
    const [iphone] = await eventually('the message of the iPhone', () => rowsOf(IPHONE, 1))
    expect(iphone?.sensors).toEqual({ accelerometer: 1, gravity: 1, accelerometeruncalibrated: 1, orientation: 1 })
    expect(rowsOf(IPHONE, 2)).toBeUndefined()

    const reasons = await eventually('six dead letters', () => {
      const lines = readFileSync(join(dir, 'dead-letters.ndjson'), 'utf8').trim().split('\n')
      return lines.length >= 6 && lines.map((line) => JSON.parse(line).reason as string)
    })
    expect(reasons.sort()).toEqual(
      ['no-values', 'not-a-number', 'not-an-object', 'not-json', 'not-json', 'null-axis'].sort(),
    )

    const document = await eventually('a device of the phone in Home Assistant', () =>
      app.heard(`homeassistant/device/${ANDROID_PHONE}/sensehat_phone/config`).at(-1),
    )
    expect(Object.keys(JSON.parse(document).components)).toContain('activity')
    const state = await eventually('its state with the battery', () =>
      app
        .heard(`phones/${ANDROID_PHONE}/state`)
        .map((text) => JSON.parse(text))
        .find(({ battery }) => battery !== null),
    )
    expect(state).toMatchObject({ battery: 83, steps: 118, gaps: 0 })

    await taker.commit()
    program.kill('SIGTERM')
    const { code, stderr, stdout } = await program.ended()
    expect(code).toBe(0)
    expect(stderr + stdout).not.toContain(TOKEN)
    expect(app.heard('phones/receiver/availability').at(-1)).toBe('offline')

    function rowsOf(device: string, count: number): TakenRow[] | undefined {
      const rows = taker.rows(`phones/${device}/readings`)
      return rows.length >= count ? rows : undefined
    }
  })
})
