import type { Message } from '../wire/message.ts'

/** All of it is good and wanted: whoever reads its text again, whatever he wants, comes to the same message. */
export function isWhole({ size, readings }: Message): boolean {
  return readings.length === size
}

/**
 * What is written down of a message: its text where all of it is good and wanted, else the message without what was refused, not
 * wanted, or there twice. A picture that nobody wants is not kept for a minute either.
 */
export function storedText(text: string, message: Message): string {
  if (isWhole(message)) return text
  const { readings, deviceId, sessionId, messageId, userId } = message
  const about = JSON.stringify({ messageId, sessionId, deviceId, userId })
  const payload = readings.map(({ sensor, timeNs, values, accuracy }) => {
    const rest = accuracy === undefined ? '' : `,"accuracy":${accuracy}`
    return `{"name":${JSON.stringify(sensor)},"time":${timeNs},"values":${JSON.stringify(values)}${rest}}`
  })
  return `${about.slice(0, -1)},"payload":[${payload.join(',')}]}`
}
