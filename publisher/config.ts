import type { HomeAssistantSettings } from '../src/home-assistant/section.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import type { Section, ValuesOf } from '../src/setting.ts'
import type { MatrixSettings } from './matrix/config.ts'

export const publisherSection = {
  hostname: {
    kind: 'string',
    default: '',
    doc: "device key: topic level, channel and Home Assistant node; empty takes the machine's host name",
  },
  simulate: {
    kind: 'boolean',
    default: false,
    flags: ['s'],
    doc: 'publish simulated readings, each marked `simulated`; without it the Sense HAT on this machine is read',
  },
  reading_interval: { kind: 'number', default: 1, flags: ['r'], doc: 'seconds between two readings' },
  state_interval: {
    kind: 'number',
    default: 10,
    doc: "seconds between two messages on `state`, Home Assistant's input; earlier when a value moves",
  },
  outbox_dir: {
    kind: 'string',
    default: '',
    doc: 'directory of the outbox, where readings wait until they are in the table, for this publisher alone; empty keeps them in memory, lost when the program ends',
  },
  outbox_sync: {
    kind: 'duration',
    default: 5_000,
    doc: 'a power cut takes at most the readings of that time; it spares SD cards; 0 makes each reading durable before it is sent',
  },
  outbox_limit: {
    kind: 'count',
    default: 100_000,
    doc: 'readings kept while they are not in the table; beyond it the oldest are given up, counted and declared',
  },
  outbox_alone: {
    kind: 'duration',
    default: 86_400_000,
    doc: 'where no bridge was ever seen, readings of that time only are kept, the older ones given up; 0 keeps them to the limit',
  },
  clock_wait: {
    kind: 'duration',
    default: 600_000,
    doc: 'how long readings wait for the clock of the machine to be set, so that they bear the right time; only where that is to be expected, and once in a boot; 0 does not wait',
  },
  i2c_bus: { kind: 'count', default: 1, doc: 'number of the I2C bus the Sense HAT is on: N of /dev/i2c-N' },
  i2c_force: {
    kind: 'boolean',
    default: false,
    doc: 'read chips also where a kernel driver owns their address; both then set them up, so unbind the driver if you can',
  },
  orientation_rate: {
    kind: 'count',
    default: 50,
    doc: 'samples a second of the filter that follows pitch, roll and yaw by gyroscope, gravity and field; 0 takes them of each reading from gravity and field alone',
  },
  calibration_file: {
    kind: 'string',
    default: '',
    doc: 'JSON file of what `snowhat publisher calibrate` has measured; empty takes `calibration.json` in the directory of the outbox',
  },
  rtimulib_ini: {
    kind: 'string',
    default: '',
    doc: '`RTIMULib.ini` whose calibration is used where there is no own; empty looks where python-sense-hat keeps it, `none` does not',
  },
  temperature_compensation: {
    kind: 'string',
    default: 'none',
    choices: ['none', 'cpu', 'offset'],
    doc: "how `temperature_compensated` is estimated: not at all, by the processor's temperature, or by a fixed offset",
  },
  temperature_factor: {
    kind: 'number',
    default: 0,
    doc: 'for `cpu`: (processor − sensor) / (sensor − air), of this board in its case; 0 takes what was calibrated',
  },
  temperature_offset: { kind: 'number', default: 0, doc: 'for `offset`: °C that the sensor reads too high' },
  seed: { kind: 'count', default: 0, doc: 'seed of the simulator; 0 takes one from the hostname' },
  board: {
    kind: 'string',
    default: 'v1',
    choices: ['v1', 'v2'],
    doc: 'Sense HAT the simulator stands for; v2 has a colour and light sensor',
  },
  environment: {
    kind: 'string',
    default: 'indoor',
    choices: ['indoor', 'outdoor'],
    doc: 'climate of the simulator',
  },
  altitude_m: { kind: 'number', default: 0, doc: 'metres above the sea of the simulator' },
  scenario: {
    kind: 'string',
    default: '',
    doc: 'YAML file of what happens to the simulated board: a door opens, a chip dies and comes back',
  },
  max_batches: {
    kind: 'count',
    default: 0,
    doc: 'end after that many batches of 10 readings; 0 runs on',
  },
} as const satisfies Section

export type PublisherSettings = ValuesOf<typeof publisherSection>

/** All sections a publisher reads. */
export interface PublisherSections {
  readonly publisher: PublisherSettings
  readonly matrix: MatrixSettings
  readonly home_assistant: HomeAssistantSettings
  readonly mqtt: MqttSettings
}

/** Readings in one batch of `max_batches`, the first system's default. */
export const READINGS_PER_BATCH = 10
