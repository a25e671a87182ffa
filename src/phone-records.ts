import type { ColumnKind, TableColumn } from './table-columns.ts'

/*
 * What phones send, as rows: the one definition of both tables, from which the bridge's routes and the set-up SQL follow.
 * The names of the system that was there before are kept, so that its queries and dashboards run unchanged.
 */

/** One message of the app, one sample of it, or one second of a sensor, as `phone.store` says. */
export const PHONE_RECORD_COLUMNS = [
  column('kind', 'text', '`message`, `sample` or `second`'),
  column('messageId', 'integer', 'rises by one per message of a recording; counts start anew with each'),
  column('sessionId', 'text', 'one recording'),
  column('deviceId', 'text', 'the phone, as the app calls it'),
  column('userId', 'text', 'in a Study only'),
  column('sensorType', 'text', 'of a sample or a second: the sensor'),
  column('x', 'number', 'of a sample, in the unit the app sends'),
  column('y', 'number', 'of a sample'),
  column('z', 'number', 'of a sample'),
  column('accuracy', 'integer', 'of a sample: 0 to 3, Android only'),
  column('timestamp', 'integer', 'of a sample: nanoseconds since 1970, digit by digit as the app sent them'),
  column('t_min', 'timestamp', 'the earliest sample in it, UTC'),
  column('t_max', 'timestamp', 'the latest sample in it, UTC'),
  column('counts', 'json', 'of a message: how many samples of each sensor'),
  column('payload', 'json', 'of a message: the samples as they came'),
  column('n', 'integer', 'of a second: samples'),
  column('mean', 'number', 'of a second: mean magnitude'),
  column('std', 'number', 'of a second: standard deviation of the magnitude'),
  column('min', 'number', 'of a second: least magnitude'),
  column('max', 'number', 'of a second: greatest magnitude'),
  column('p95', 'number', 'of a second: 95th percentile of the magnitude'),
  column('quality', 'text', 'what is doubtful about it'),
  column('source', 'text', '`http` or `mqtt`'),
  column('received_at', 'timestamp', 'when the receiver had it, UTC'),
  column('clock_skew_ms', 'number', 'by how much the clock of the phone is behind the receiver’s, the way included'),
] as const satisfies readonly TableColumn[]

/** One window of a recording. */
export const ACTIVITY_COLUMNS = [
  column('timestamp', 'text', 'end of the window, `YYYY-MM-DD HH:MM:SS`, UTC'),
  column('sessionId', 'text', 'one recording'),
  column('deviceId', 'text', 'the phone, as the app calls it'),
  column('activity', 'text', '`stationary`, `walking`, `running`, `sprinting` or `unknown`'),
  column('confidence', 'number', '0 to 1'),
  column('avg_magnitude', 'number', 'm/s², mean over the window of the acceleration without gravity'),
  column('window_start', 'timestamp', 'UTC'),
  column('window_end', 'timestamp', 'UTC, not part of the window'),
  column('n_samples', 'integer', 'samples in the window'),
  column('coverage', 'number', '0 to 1: seconds of the window with at least one sample'),
  column('features', 'json', 'what the model has seen'),
  column('model_version', 'text', 'which model, with which parameters'),
  column('quality', 'text', 'what is doubtful about it'),
  column('phone_activity', 'text', "what the phone's own classifier says"),
  column('phone_activity_confidence', 'text', 'and how sure it is'),
] as const satisfies readonly TableColumn[]

/** Base of the topics between the receiver and the bridge. */
const PHONES = 'phones'

/** MQTT filters of the bridge; the `+` stands for the device. */
export const PHONE_TOPICS = { records: `${PHONES}/+/readings`, activity: `${PHONES}/+/activity` } as const

/** Where the receiver publishes. `device`: a name as `deviceName` makes it. */
export function phoneTopic(what: keyof typeof PHONE_TOPICS, device: string): string {
  return PHONE_TOPICS[what].replace('+', device)
}

/** Names of the bridge's routes for them; a phone's channels and ledgers are `<route>.<device>`. */
export const PHONE_ROUTES = { records: 'phones', activity: 'activity' } as const

/** A message of a phone at 400 Hz with all its sensors, a few seconds long; what is larger is split by the receiver. */
export const MAX_PHONE_MESSAGE_BYTES = 1_500_000

function column<K extends string, T extends ColumnKind>(key: K, kind: T, doc: string) {
  return { key, kind, doc } as const
}
