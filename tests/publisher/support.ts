import type { PublisherSections, PublisherSettings } from '../../publisher/config.ts'
import { NOTHING_KNOWN } from '../../publisher/host-metrics.ts'
import { createReadingMaker } from '../../publisher/measure.ts'
import { NOTHING_MEASURED, type Sensors, type SensorValues } from '../../publisher/sensors/sensors.ts'
import type { Interval } from '../../src/intervals.ts'
import type { Ledger } from '../../src/ledger.ts'
import { silentLog } from '../../src/log.ts'
import type { IncomingMessage } from '../../src/mqtt-link.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import type { Reading } from '../../src/reading.ts'
import { createTopics } from '../../src/topics.ts'
import { ledger as anyLedger } from '../support/ledgers.ts'
import { ManualClock } from '../support/manual-clock.ts'

export const topics = createTopics('sensehat', 'homeassistant')

export const identity = {
  hostname: 'pi-a',
  ipaddress: '192.0.2.7',
  macaddress: '02:00:00:00:00:07',
  serial: '00000000abcdef01',
  model: 'Raspberry Pi 4 Model B Rev 1.4',
}

/** A board of no chips, with what it reads. */
export function sensorsThat(read: () => Promise<SensorValues>): Sensors {
  return { keys: [], board: '', chips: [], problems: [], health: [], read, close: async () => undefined }
}

const blank = await createReadingMaker(identity, 'aaaaaaaa', true, {
  log: silentLog(),
  sensors: sensorsThat(async () => NOTHING_MEASURED),
  host: { keys: [], read: async () => NOTHING_KNOWN },
}).take({ epochMs: new ManualClock().now(), clock: 'unsynced' })

export function reading(seq: number, stream = 'aaaaaaaa', values: Partial<Reading> = {}): Reading {
  return { ...blank, stream, seq, uuid: `pi-a-${stream}-${seq}`, ...values }
}

type Streams = Record<string, { spooled: Interval[]; committed: Interval[] }>

export function ledger(streams: Streams, instance = 'br01', id = 1): Ledger {
  return anyLedger({ id, instance, incarnation: 1, streams })
}

export function message(topic: string, payload: string | object): IncomingMessage {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return { topic, payload: Buffer.from(text), retain: true, duplicate: false }
}

export function publisherSettings(changed: Partial<PublisherSettings> = {}): PublisherSettings {
  return {
    hostname: 'pi-a',
    simulate: true,
    reading_interval: 1,
    state_interval: 10,
    outbox_dir: '',
    outbox_sync: 5_000,
    outbox_limit: 1000,
    outbox_alone: 86_400_000,
    // Whatever the machine of the tests thinks of its clock.
    clock_wait: 0,
    i2c_bus: 1,
    i2c_force: false,
    orientation_rate: 0,
    calibration_file: '',
    rtimulib_ini: 'none',
    temperature_compensation: 'none',
    temperature_factor: 0,
    temperature_offset: 0,
    seed: 1,
    board: 'v1',
    environment: 'indoor',
    altitude_m: 0,
    scenario: '',
    max_batches: 0,
    ...changed,
  }
}

export function publisherSections(url: string, changed: Partial<PublisherSettings> = {}): PublisherSections {
  return {
    publisher: publisherSettings(changed),
    matrix: {
      rotation: '0',
      status: false,
      scroll_rate: 10,
      night_from: '',
      night_to: '',
      night_brightness: 10,
    },
    home_assistant: { enabled: true },
    mqtt: mqttSettings(url),
  }
}

export function mqttSettings(url: string): MqttSettings {
  return {
    url,
    username: '',
    password: '',
    password_file: '',
    ca_file: '',
    cert_file: '',
    key_file: '',
    protocol: '3.1.1',
    keepalive_s: 30,
    base_topic: 'sensehat',
    discovery_prefix: 'homeassistant',
  }
}
