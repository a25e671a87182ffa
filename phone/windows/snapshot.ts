import { z } from 'zod'
import { noCounters, type WindowCounters } from './counters.ts'
import { DeviceWindows } from './device-windows.ts'
import type { WindowOptions } from './options.ts'
import type { Pane } from './pane.ts'
import { type RecordingState, RecordingWindows } from './recording-windows.ts'
import { WindowEngine } from './window-engine.ts'

/** Rises with every change of what is kept or of what it means (rule S-2). */
const VERSION = 1

const count = z.int().min(0)
const timeUs = z.int()
/** start, samples, sum, moments of the total (n, mean, m2), seconds, gravity included, gravity estimated */
const pane = z.tuple([timeUs, count, z.number(), count, z.number(), z.number(), count, z.boolean(), z.boolean()])
const own = z.object({ tUs: timeUs, activity: z.string(), confidence: z.string().nullable() })
const recording = z.object({
  id: z.string(),
  panes: z.array(pane),
  closedUntilUs: timeUs,
  lastUs: timeUs.nullable(),
  lastTrustedUs: timeUs.nullable(),
  heardAtMs: z.number(),
  own: z.array(own),
})
const watermark = z.object({ previousUs: timeUs, currentUs: timeUs })
const device = z.object({ id: z.string(), watermark, recordings: z.array(recording) })
const counterNames = Object.keys(noCounters()) as (keyof WindowCounters)[]
const counters = z.record(z.enum(counterNames), count)
const snapshot = z.object({
  version: z.literal(VERSION),
  /** What the state depends on: with other options it means something else. */
  options: z.object({
    watermark: z.string(),
    lateAfter: z.string(),
    delayMs: z.number(),
  }),
  watermark,
  devices: z.array(device),
  counters,
})

/** An engine's whole state; may be written as JSON. */
export type WindowSnapshot = z.infer<typeof snapshot>

export function snapshotOf({ options, parts }: WindowEngine): WindowSnapshot {
  return {
    version: VERSION,
    options: meaningOf(options),
    watermark: { ...parts.watermark },
    devices: [...parts.devices.values()].map((one) => ({
      id: one.deviceId,
      watermark: { ...one.watermark },
      recordings: [...one.recordings].map(([id, { state }]) => ({
        id,
        ...state,
        panes: state.panes.map(packed),
        own: [...state.own],
      })),
    })),
    counters: { ...parts.counters },
  }
}

/**
 * The engine as it was; `undefined` when the snapshot is of another version, was taken with options that give its state
 * another meaning, or is none.
 */
export function restoreEngine(options: WindowOptions, from: unknown): WindowEngine | undefined {
  const parsed = snapshot.safeParse(from)
  if (!parsed.success) return undefined
  const { data } = parsed
  const meaning = meaningOf(options)
  if (data.options.watermark !== meaning.watermark || data.options.lateAfter !== meaning.lateAfter) return undefined
  if (data.options.delayMs !== meaning.delayMs) return undefined
  const devices = data.devices.map(({ id, watermark, recordings }): [string, DeviceWindows] => [
    id,
    new DeviceWindows(
      id,
      watermark,
      new Map(recordings.map(({ id: session, ...state }) => [session, open(id, session, state)])),
    ),
  ])
  return new WindowEngine(options, {
    watermark: data.watermark,
    devices: new Map(devices),
    counters: data.counters,
  })
}

type PackedRecording = Omit<z.infer<typeof recording>, 'id'>

function open(deviceId: string, sessionId: string, { panes, ...rest }: PackedRecording): RecordingWindows {
  const state: RecordingState = { ...rest, panes: panes.map(unpacked) }
  return new RecordingWindows(deviceId, sessionId, state)
}

function meaningOf({ watermark, lateAfter, delayMs }: WindowOptions) {
  return { watermark, lateAfter, delayMs }
}

function packed({ startUs, samples, sumMagnitude, total, seconds, ...gravity }: Pane): z.infer<typeof pane> {
  const { n, mean, m2 } = total
  return [startUs, samples, sumMagnitude, n, mean, m2, seconds, gravity.gravityIncluded, gravity.gravityEstimated]
}

function unpacked([startUs, samples, sumMagnitude, n, mean, m2, seconds, included, estimated]: z.infer<
  typeof pane
>): Pane {
  return {
    startUs,
    samples,
    sumMagnitude,
    total: { n, mean, m2 },
    seconds,
    gravityIncluded: included,
    gravityEstimated: estimated,
  }
}
