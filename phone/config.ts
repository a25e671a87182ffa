import type { HomeAssistantSettings } from '../src/home-assistant/section.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import type { PhonesSettings } from '../src/phones-section.ts'
import { type Section, secret, type ValuesOf } from '../src/setting.ts'

export const phoneSection = {
  host: {
    kind: 'string',
    default: '127.0.0.1',
    doc: 'address the receiver listens on; any but this machine alone wants a token',
  },
  port: { kind: 'port', default: 8090, doc: 'port the phones send to' },
  ...secret('token', 'what phones have to show, in the address they send to or as a bearer token'),
  insecure_no_auth: {
    kind: 'boolean',
    default: false,
    doc: 'listen for others than this machine without a token; whoever reaches the port can then write',
  },
  tls_cert: {
    kind: 'string',
    default: '',
    doc: 'PEM file with the certificate; with it and `tls_key` the receiver speaks HTTPS',
  },
  tls_key: { kind: 'string', default: '', doc: "PEM file with the certificate's key" },
  dir: {
    kind: 'string',
    default: './data/phone',
    doc: 'directory for what phones have sent and is not known to be in the table; of this receiver alone, on a disk of this machine',
  },
  log_max_bytes: {
    kind: 'count',
    default: 1_073_741_824,
    doc: 'what that may take on the disk; beyond it phones are turned away with 503, and what they do not keep is lost',
  },
  memory_max_bytes: {
    kind: 'count',
    default: 33_554_432,
    doc: 'rows held in memory until they are in the table; beyond it what phones send waits on the disk',
  },
  body_max_bytes: { kind: 'count', default: 8_388_608, doc: 'longest message, also after it is unpacked' },
  mqtt_topics: {
    kind: 'list',
    default: ['sensor-logger', 'sensor-logger/#'],
    doc: 'topics the app itself publishes to; an empty list hears none',
  },
  raw: {
    kind: 'string',
    default: 'messages',
    choices: ['messages', 'samples', 'seconds', 'none'],
    doc: 'rows of what phones measured: one per message, one per reading, one per sensor and second with its statistics, or none',
  },
  sensors: { kind: 'list', default: [], doc: 'sensors that are kept; an empty list keeps all' },
  drop_sensors: { kind: 'list', default: ['camera'], doc: 'sensors that are never kept' },
  devices: { kind: 'list', default: [], doc: '`deviceId` of the phones that may send; an empty list allows all' },
  max_devices: { kind: 'count', default: 1_000, doc: 'phones known at a time; one silent for 30 days makes room' },
  max_messages_per_s: {
    kind: 'number',
    default: 50,
    doc: 'messages a second of one phone; more are turned away',
  },
  max_bytes_per_s: {
    kind: 'count',
    default: 1_048_576,
    doc: 'bytes a second of one phone over ten seconds; more are turned away',
  },
  idle_flush: {
    kind: 'duration',
    default: 15_000,
    doc: 'a recording silent for so long is over: its last windows are finished',
  },
  classifier: {
    kind: 'string',
    default: 'std',
    choices: ['std', 'thresholds'],
    doc: 'what tells activities apart: the calibrated model, or the limits of the first system on the average',
  },
  parameters_file: {
    kind: 'string',
    default: '',
    doc: "JSON file with the classifiers' parameters; empty takes those of this version",
  },
  dead_letters_max_bytes: {
    kind: 'count',
    default: 16_777_216,
    doc: 'what the file of readings that can never be rows may take; the oldest go',
  },
} as const satisfies Section

export type PhoneSettings = ValuesOf<typeof phoneSection>
export type RawMode = PhoneSettings['raw']

/** All sections the receiver reads. */
export interface PhoneSections {
  readonly phone: PhoneSettings
  readonly phones: PhonesSettings
  readonly home_assistant: HomeAssistantSettings
  readonly mqtt: MqttSettings
}
