import { createHash } from 'node:crypto'
import { SnowhatError } from '../../src/errors.ts'
import { follow, newTrack, releaseHeld } from '../gravity/acceleration-track.ts'
import { DEFAULT_WINDOWS } from '../windows/options.ts'
import type { ActivityWindow } from '../windows/sample.ts'
import { WindowEngine } from '../windows/window-engine.ts'
import type { Axes, Reading } from '../wire/message.ts'
import { DONE, type Done, type Trial } from './motion-sense.ts'

const HERTZ = 50
/** Any time that is a window's start. */
const BEGIN_US = 1_700_000_000_000_000
const HEADER = 'person,activity,trial,avg_magnitude,std_total'
/** Digits kept of a feature: far more than a sensor has. */
const DIGITS = 6

/** A window of a person, and what the person did. */
export interface LabelledWindow {
  readonly person: number
  readonly done: Done
  readonly trial: number
  /** m/s². */
  readonly avgMagnitude: number
  readonly stdTotal: number
}

/**
 * The windows that lie wholly in a trial, made by the same steps that phones' readings take: gravity, then windows, in batches
 * of a second.
 */
export function windowsOf({ person, done, trial, rows }: Trial): LabelledWindow[] {
  const track = newTrack()
  const engine = new WindowEngine(DEFAULT_WINDOWS)
  const ids = { deviceId: String(person), sessionId: `${done}_${trial}` }
  const windows: ActivityWindow[] = []
  const take = (accelerations: ReturnType<typeof follow>) =>
    windows.push(
      ...engine.process(
        accelerations.map((one) => ({ ...ids, ...one })),
        BEGIN_US / 1000 + 86_400_000,
      ),
    )
  for (let from = 0; from < rows.length; from += HERTZ) take(follow(track, readingsOf(rows, from), true))
  take(releaseHeld(track, true))
  windows.push(...engine.flush(ids.deviceId, ids.sessionId))
  const endUs = BEGIN_US + timeOf(rows.length)
  return windows
    .filter((window) => window.startUs >= BEGIN_US && window.endUs <= endUs)
    .map(({ avgMagnitude, stdTotal }) => ({
      person,
      done,
      trial,
      avgMagnitude: rounded(avgMagnitude),
      stdTotal: rounded(stdTotal ?? NaN),
    }))
}

function readingsOf(rows: Trial['rows'], from: number): Reading[] {
  const readings: Reading[] = []
  for (const [i, { acceleration, gravity }] of rows.slice(from, from + HERTZ).entries()) {
    const tUs = BEGIN_US + timeOf(from + i)
    readings.push(reading(2 * i, 'accelerometer', tUs, acceleration), reading(2 * i + 1, 'gravity', tUs, gravity))
  }
  return readings
}

function reading(index: number, sensor: string, tUs: number, axes: Axes): Reading {
  return { index, sensor, tUs, timeNs: `${tUs}000`, values: axes as unknown as Reading['values'], axes }
}

function timeOf(row: number): number {
  return (row * 1_000_000) / HERTZ
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS))
}

/** As CSV. */
export function writeWindows(windows: readonly LabelledWindow[]): string {
  const lines = windows.map((one) => [one.person, one.done, one.trial, one.avgMagnitude, one.stdTotal].join(','))
  return `${[HEADER, ...lines].join('\n')}\n`
}

/** Throws `E_FILE_UNREADABLE` with the first line that is none of `writeWindows`. */
export function readWindows(text: string, file: string): LabelledWindow[] {
  const [header, ...lines] = text.trimEnd().split('\n')
  if (header !== HEADER)
    throw new SnowhatError('E_FILE_UNREADABLE', `${file} is no table of windows: its first line is not ${HEADER}`, {
      hint: 'give a file that --windows has written, or the folder of the data set',
    })
  return lines.map((line, i) => {
    const [person, done = '', trial, avgMagnitude, stdTotal] = line.split(',')
    const numbers = [person, trial, avgMagnitude, stdTotal].map(Number)
    if (!Object.hasOwn(DONE, done) || !numbers.every(Number.isFinite))
      throw new SnowhatError('E_FILE_UNREADABLE', `line ${i + 2} of ${file} is no window: ${line}`)
    const [personNumber = 0, trialNumber = 0, avg = 0, std = 0] = numbers
    return { person: personNumber, done: done as Done, trial: trialNumber, avgMagnitude: avg, stdTotal: std }
  })
}

/** SHA-256 of the table: which data a card is about. */
export function hashOf(windows: readonly LabelledWindow[]): string {
  return createHash('sha256').update(writeWindows(windows)).digest('hex')
}
