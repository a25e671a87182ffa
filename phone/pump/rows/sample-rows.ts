import type { Arrival } from './message-rows.ts'
import { fields, isoMicros } from './message-rows.ts'

/**
 * The mode `samples`: one row per reading, with the nine fields of the first system. `timestamp` is nanoseconds since 1970 in the
 * digits that were sent, as a text. What has no three axes has them as `reading`.
 */
export function sampleRows({ message, receivedAt, source }: Arrival): string[] {
  const { deviceId, sessionId, messageId } = message
  return message.readings.map(({ sensor, timeNs, tUs, axes, values, accuracy }) =>
    fields({
      messageId,
      sessionId,
      deviceId,
      sensorType: sensor,
      x: axes?.x ?? null,
      y: axes?.y ?? null,
      z: axes?.z ?? null,
      accuracy: accuracy ?? null,
      timestamp: timeNs,
      t: isoMicros(tUs),
      source,
      received_at: new Date(receivedAt).toISOString(),
      ...(axes === undefined && { reading: values }),
    }),
  )
}
