import type { ColumnKind, TableColumn } from './table-columns.ts'

/*
 * What phones send, as rows: the one definition of both tables, from which the bridge's routes and the set-up SQL follow.
 * The names of the system that was there before are kept, so that its queries and dashboards run unchanged.
 */

/** Rows of messages, of samples or of seconds, as the receiver's settings say. */
export const PHONE_RECORD_COLUMNS = [
  column('messageId', 'integer', 'rises by one per message of a recording; begins anew with each'),
  column('sessionId', 'text', 'one recording'),
  column('deviceId', 'text', 'the phone, as the app calls it'),
  column('userId', 'text', 'in a Study only'),
  column('source', 'text', '`http` or `mqtt`'),
  column('received_at', 'timestamp', 'when the receiver had it, UTC'),
  column(
    'clock_skew_ms',
    'number',
    'receipt less the latest time in it: how far the clock of the phone is behind, the way included',
  ),
  column('part', 'integer', 'of a message that is too long for one row: which part, from 1'),
  column('parts', 'integer', 'and of how many'),
  column('t_min', 'timestamp', 'of a message: the earliest time in it, UTC'),
  column('t_max', 'timestamp', 'of a message: the latest time in it, UTC'),
  column('n_readings', 'integer', 'of a message: how many readings'),
  column('sensors', 'json', 'of a message: how many readings of each sensor'),
  column('payload', 'json', 'of a message: the readings as they came, times in the digits they were sent with'),
  column('sensorType', 'text', 'of a sample or a second: the sensor'),
  column('x', 'number', 'of a sample, in the unit the app sends'),
  column('y', 'number', 'of a sample'),
  column('z', 'number', 'of a sample'),
  column('accuracy', 'integer', 'of a sample: 0 to 3, Android only'),
  column('timestamp', 'integer', 'of a sample: nanoseconds since 1970, as they were sent'),
  column('t', 'timestamp', 'of a sample: the same as a time, UTC'),
  column('reading', 'json', 'of a sample without three axes: its values'),
  column('second', 'timestamp', 'of a second: its beginning, UTC'),
  column('n_samples', 'integer', 'of a second: samples'),
  column('mean', 'number', 'of a second: mean length of the vector of the three axes'),
  column('std', 'number', 'of a second: its standard deviation, of the population'),
  column('min', 'number', 'of a second: the least'),
  column('max', 'number', 'of a second: the greatest'),
  column('p95', 'number', 'of a second: the 95th percentile'),
] as const satisfies readonly TableColumn[]

/** One window of a recording. */
export const ACTIVITY_COLUMNS = [
  column('timestamp', 'text', 'end of the window, `YYYY-MM-DD HH:MM:SS`, UTC'),
  column('sessionId', 'text', 'one recording'),
  column('deviceId', 'text', 'the phone, as the app calls it'),
  column('activity', 'text', '`stationary`, `walking`, `running`, `sprinting` or `unknown`'),
  column('confidence', 'number', '0 to 1'),
  column('avg_magnitude', 'number', 'm/s², mean over the window of the acceleration without gravity'),
  column('window_id', 'text', 'the same however often the window is worked out'),
  column('window_start', 'timestamp', 'UTC'),
  column('window_end', 'timestamp', 'UTC; not part of the window'),
  column('n_samples', 'integer', 'samples in the window'),
  column('coverage', 'number', '0 to 1: seconds of the window with at least one sample'),
  column('partial', 'boolean', 'the recording ended inside of it'),
  column('features', 'json', 'what the model has seen, and the probability of each activity'),
  column('model_version', 'text', 'which model, with which parameters'),
  column('quality', 'text', 'doubts, separated by commas'),
  column('phone_activity', 'text', "what the phone's own classifier says"),
  column('phone_activity_confidence', 'text', 'and how sure it is'),
] as const satisfies readonly TableColumn[]

/** The kinds of rows: the last level of their topic, and the name of the bridge's route for them. */
export const PHONE_ROUTES = {
  records: { level: 'readings', route: 'phone', columns: PHONE_RECORD_COLUMNS },
  activity: { level: 'activity', route: 'activity', columns: ACTIVITY_COLUMNS },
} as const satisfies Record<string, { level: string; route: string; columns: readonly TableColumn[] }>

function column<K extends string, T extends ColumnKind>(key: K, kind: T, doc: string) {
  return { key, kind, doc } as const
}
