import { SnowhatError } from '../../src/errors.ts'

/** The hours in which the matrix must not disturb, in local time. */
export interface Night {
  /** Minutes of the day, the first one of the night and the first one after it; over midnight when it begins later. */
  readonly from: number
  readonly to: number
  /** The light and messages are not brighter, 1..255. */
  readonly brightness: number
}

const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/

export function isNight({ from, to }: Night, minuteOfDay: number): boolean {
  return from < to ? from <= minuteOfDay && minuteOfDay < to : from <= minuteOfDay || minuteOfDay < to
}

/** The minute of the day where this machine is. */
export function localMinuteOfDay(epochMs: number): number {
  const date = new Date(epochMs)
  return date.getHours() * 60 + date.getMinutes()
}

/** `HH:MM` as minutes of the day. Throws `E_CONFIG_INVALID`. */
export function parseTimeOfDay(name: string, text: string): number {
  const match = TIME.exec(text.trim())
  if (match === null)
    throw new SnowhatError('E_CONFIG_INVALID', `${name} is "${text}"; it must be a time of day such as 22:30`)
  return Number(match[1]) * 60 + Number(match[2])
}
