import { onTestFinished } from 'vitest'
import { DeadLetterFile } from '../../phone/intake/dead-letter-file.ts'
import { Intake, type IntakeDeps } from '../../phone/intake/intake.ts'
import { type RateLimits, Rates } from '../../phone/intake/rates.ts'
import { Seen } from '../../phone/intake/seen.ts'
import { Journal } from '../../phone/journal/journal.ts'
import { sensorFilter } from '../../phone/wire/sensors.ts'
import { silentLog } from '../../src/log.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { ManualClock } from '../support/manual-clock.ts'

export interface IntakeOptions {
  readonly devices?: readonly string[]
  readonly limits?: RateLimits
  readonly hasRoom?: boolean
  readonly onHeard?: IntakeDeps['onHeard']
  /** In place of a journal on a disk in memory. */
  readonly append?: Journal['append']
}

/** An intake with a journal on a disk in memory. */
export async function intakeSetUp({
  devices = [],
  limits,
  hasRoom = true,
  onHeard = () => undefined,
  append,
}: IntakeOptions = {}) {
  const clock = new ManualClock()
  const log = silentLog()
  const fs = new MemoryFileSystem()
  const journal = await Journal.open(
    { dir: '/phone', maxBytes: 64 * 1024 * 1024, messageBytes: 8_388_608 },
    { clock, log, fs },
  )
  const directory = temporaryDirectory()
  const deadLetters = new DeadLetterFile(directory, 1_000_000, log)
  onTestFinished(async () => {
    await deadLetters.close()
    await journal.close()
  })
  const rates = new Rates(limits ?? { messagesPerS: 1_000, bytesPerS: 10_000_000 }, clock)
  const intake = new Intake(
    { maxBytes: 8_388_608, devices, keeps: sensorFilter({ drop: ['camera'] }) },
    {
      clock,
      log,
      journal: append === undefined ? journal : { append },
      seen: new Seen(),
      rates,
      deadLetters,
      hasRoomFor: () => hasRoom,
      onHeard,
    },
  )
  const stored = async () => {
    const records = []
    for await (const { record } of journal.read(1)) records.push(record)
    return records
  }
  return { clock, fs, journal, intake, deadLetters, directory, stored }
}

/** The app's messages, as the specification of its format has them. */
export const ANDROID =
  '{"messageId":17,"sessionId":"5a2f6f0e-6d0f-4f0a-9f5e-2f4b7f1f9a01","deviceId":"c0f1b7a2-58d3-4e8c-bb0e-1d2c3b4a5968","payload":[{"name":"accelerometer","time":1700000001000000000,"values":{"z":0.12,"y":-0.05,"x":0.31},"accuracy":3},{"name":"gravity","time":1700000001000000000,"values":{"z":9.79,"y":0.41,"x":-0.22},"accuracy":3},{"name":"totalacceleration","time":1700000001000000000,"values":{"z":9.91,"y":0.36,"x":0.09},"accuracy":3},{"name":"accelerometer","time":1700000001005000192,"values":{"z":0.15,"y":-0.02,"x":0.28},"accuracy":3}]}'
export const IOS =
  '{"messageId":3,"sessionId":"0e6f7c1c-9a1e-4a52-8a6f-3cf8a3a1b002","deviceId":"7d9e2f31-0b44-4c1a-8e55-aa11bb22cc33","payload":[{"name":"accelerometer","time":1700000002010000128,"values":{"x":-0.31,"y":0.05,"z":-0.12}},{"name":"gravity","time":1700000002010000128,"values":{"x":0.22,"y":-0.41,"z":-9.79}},{"name":"accelerometeruncalibrated","time":1700000002010000128,"values":{"x":0.0073,"y":-0.2019,"z":-0.9472}},{"name":"orientation","time":1700000002010000128,"values":{"yaw":1.21,"pitch":0.04,"roll":-0.02,"qw":0.82,"qx":0.01,"qy":0.02,"qz":0.57}}]}'
export const TEST_BUTTON =
  '{"deviceId": "test-device", "messageId": 0, "sessionId": "test-session", "payload": [{"name": "test", "time": 0, "values": []}]}'
export const IN_A_STUDY =
  '{"messageId":42,"sessionId":"9b1d7c9e-1111-4222-8333-444455556666","deviceId":"c0f1b7a2-58d3-4e8c-bb0e-1d2c3b4a5968","userId":"participant-07","payload":[{"name":"activity","time":1700000009000000000,"values":{"activity":"walking","confidence":"high"}},{"name":"accelerometer","time":1700000009010000000,"values":{"x":2.0,"y":3.0,"z":6.0},"accuracy":2},{"name":"annotation","time":1700000008000000000,"values":{"text":"start jogging","millisecond_press_duration":412}},{"name":"pedometer","time":1700000008700000000,"values":{"steps":118}},{"name":"location","time":1700000008514000000,"values":{"latitude":0.0,"longitude":0.0,"altitude":12.3,"altitudeAboveMeanSeaLevel":11.9,"speed":2.4,"speedAccuracy":0.8,"bearing":-1,"bearingAccuracy":-1,"horizontalAccuracy":4.7,"verticalAccuracy":3.0}},{"name":"barometer","time":1700000008900000000,"values":{"relativeAltitude":-0.4,"pressure":1013.2}},{"name":"battery","time":1700000000000000000,"values":{"batteryLevel":0.83,"batteryState":"unplugged","lowPowerMode":false}}]}'
export const BAD_NEIGHBOURS =
  '{"messageId":43,"sessionId":"9b1d7c9e-1111-4222-8333-444455556666","deviceId":"c0f1b7a2-58d3-4e8c-bb0e-1d2c3b4a5968","payload":[{"name":"accelerometer","time":1700000010000000000,"values":{"x":1.0,"y":2.0,"z":2.0}},{"name":"accelerometer","time":1700000010010000000,"values":{"x":null,"y":0.1,"z":0.2}},{"name":"accelerometer","time":1700000010020000000,"values":{"x":"0.3","y":0.1,"z":0.2}},{"name":"accelerometer","time":1700000010030000000},{"name":"futuresensor","time":1700000010040000000,"values":{"a":1,"nested":{"b":true}}},{"name":"camera","time":1700000010050000000,"values":{"image":"AAAA","imageFormat":"jpg"}}]}'
