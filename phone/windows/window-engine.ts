import { noCounters, type WindowCounters } from './counters.ts'
import { DeviceWindows } from './device-windows.ts'
import type { WindowOptions } from './options.ts'
import type { RecordingWindows } from './recording-windows.ts'
import type { ActivityWindow, OwnActivity, Sample } from './sample.ts'
import { advance, newWatermark, type Watermark } from './watermark.ts'

/** What an engine is made of: `snapshot.ts` writes and reads it. */
export interface EngineParts {
  readonly watermark: Watermark
  /** The one heard from for longest ago first. */
  readonly devices: Map<string, DeviceWindows>
  readonly counters: WindowCounters
}

/**
 * Samples in, finished windows out: 10 s long, every 2 s, by event time. What comes out depends on the calls and their order
 * alone, on no clock: who repeats the calls gets the same windows. Windows of one recording come out in the order of their
 * ends, each once, unless the recording was given up because there were too many (rule X-4) and then goes on: it begins anew.
 */
export class WindowEngine {
  readonly options: WindowOptions
  readonly parts: EngineParts

  constructor(options: WindowOptions, parts?: EngineParts) {
    this.options = options
    this.parts = parts ?? { watermark: newWatermark(), devices: new Map(), counters: noCounters() }
  }

  get counters(): Readonly<WindowCounters> {
    return this.parts.counters
  }

  /**
   * One micro-batch (rules B, L, E). An empty one finishes what the watermarks have passed (rule E-5), of all phones.
   *
   * @param receivedAtMs epoch ms at which the samples were received
   */
  process(samples: readonly Sample[], receivedAtMs: number): ActivityWindow[] {
    const { watermark, devices } = this.parts
    const usable = samples.filter(isUsable)
    this.parts.counters.unusable += samples.length - usable.length
    const batches = byDevice(usable)
    // Parts, since there may be more windows than a call takes arguments.
    const found: ActivityWindow[][] = []
    if (this.options.watermark === 'device') {
      const all = samples.length > 0 ? [...batches] : [...devices.keys()].map((id): [string, Sample[]] => [id, []])
      for (const [deviceId, batch] of all) {
        const device = this.#device(deviceId)
        const own = device.watermark
        found.push(this.#batch(own, [device], () => this.#merge(device, batch, receivedAtMs, own)))
      }
    } else {
      const heard = [...batches].map(([id, batch]) => ({ device: this.#device(id), batch }))
      const merge = () => {
        const largest = heard.flatMap(({ device, batch }) => this.#merge(device, batch, receivedAtMs, watermark) ?? [])
        return largest.length === 0 ? undefined : Math.max(...largest)
      }
      found.push(this.#batch(watermark, [...devices.values()], merge))
    }
    for (const deviceId of batches.keys())
      found.push(this.#device(deviceId).bound(this.options, this.parts.counters, this.#choose))
    found.push(this.#boundDevices())
    const windows = found.flat()
    this.parts.counters.windows += windows.length
    return windows
  }

  knows(deviceId: string, sessionId: string): boolean {
    return this.parts.devices.get(deviceId)?.recordings.has(sessionId) === true
  }

  /** What the phone says of itself; it comes out with the windows. Opens no window, moves no watermark. */
  note(deviceId: string, sessionId: string, own: OwnActivity): void {
    this.parts.devices.get(deviceId)?.recordings.get(sessionId)?.note(own)
  }

  /** The recordings with open windows of which nothing was received since `sinceMs`. */
  idle(sinceMs: number): { readonly deviceId: string; readonly sessionId: string }[] {
    return [...this.parts.devices.values()].flatMap(({ deviceId, recordings }) =>
      [...recordings]
        .filter(([, recording]) => recording.hasOpenWindows && recording.state.heardAtMs <= sinceMs)
        .map(([sessionId]) => ({ deviceId, sessionId })),
    )
  }

  /** Finishes all windows of a recording (rule X-2). They never come out again, whatever is still to come of it. */
  flush(deviceId: string, sessionId: string): ActivityWindow[] {
    const windows = this.parts.devices.get(deviceId)?.recordings.get(sessionId)?.flush(this.#choose) ?? []
    this.parts.counters.windows += windows.length
    return windows
  }

  /**
   * A batch is merged, then what the watermark in force has passed is finished. Where that watermark also makes samples late
   * it is finished first: nothing in the batch may reach it.
   */
  #batch(watermark: Watermark, devices: DeviceWindows[], merge: () => number | undefined): ActivityWindow[] {
    const finish = () => devices.flatMap((device) => device.finish(watermark.currentUs, this.#choose))
    const early = this.options.lateAfter === 'current' ? finish() : []
    const largest = merge()
    const windows = early.concat(finish())
    advance(watermark, largest, this.options.delayMs)
    return windows
  }

  /** A message of readings hours apart has five windows for each of them: the last ones count. */
  readonly #choose = (ends: readonly number[]): readonly number[] => {
    const surplus = ends.length - (this.options.maxFinished ?? Number.POSITIVE_INFINITY)
    if (surplus <= 0) return ends
    this.parts.counters.dropped_windows += surplus
    return ends.slice(surplus)
  }

  /** Gives the largest event time that may move the watermark. */
  #merge(device: DeviceWindows, batch: readonly Sample[], receivedAtMs: number, watermark: Watermark) {
    const { futureMs, lateAfter } = this.options
    const { counters } = this.parts
    const guardUs = futureMs === null ? Number.POSITIVE_INFINITY : (receivedAtMs + futureMs) * 1000
    const closedUntilUs = lateAfter === 'previous' ? watermark.previousUs : watermark.currentUs
    let largest: number | undefined
    let recording: RecordingWindows | undefined
    let sessionId: string | undefined
    for (const sample of inTimeOrder(batch)) {
      if (recording === undefined || sessionId !== sample.sessionId) {
        sessionId = sample.sessionId
        recording = device.recording(sessionId, closedUntilUs)
        recording.heard(receivedAtMs)
      }
      const trusted = sample.tUs <= guardUs
      if (!trusted) counters.future_events++
      else if (largest === undefined || sample.tUs > largest) largest = sample.tUs
      const late = recording.add(sample, trusted)
      counters.samples++
      counters.late_pairs += late
      if (late > 0) counters.late_samples++
    }
    return largest
  }

  #device(deviceId: string): DeviceWindows {
    const { devices } = this.parts
    const device = devices.get(deviceId) ?? new DeviceWindows(deviceId)
    devices.delete(deviceId)
    devices.set(deviceId, device)
    return device
  }

  #boundDevices(): ActivityWindow[] {
    const { devices, counters } = this.parts
    const { maxDevices } = this.options
    const found: ActivityWindow[][] = []
    for (const [deviceId, device] of devices) {
      if (maxDevices === null || devices.size <= maxDevices) break
      found.push(device.flush(this.#choose))
      devices.delete(deviceId)
      counters.evicted_devices++
    }
    return found.flat()
  }
}

function byDevice(samples: readonly Sample[]): Map<string, Sample[]> {
  const batches = new Map<string, Sample[]>()
  for (const sample of samples) {
    const batch = batches.get(sample.deviceId)
    if (batch === undefined) batches.set(sample.deviceId, [sample])
    else batch.push(sample)
  }
  return batches
}

/** Which sample of a batch comes first makes no window another; in time order each finds its place at once. */
function inTimeOrder(batch: readonly Sample[]): readonly Sample[] {
  const isSorted = batch.every(({ tUs }, i) => i === 0 || tUs >= (batch[i - 1]?.tUs ?? tUs))
  return isSorted ? batch : batch.toSorted((a, b) => a.tUs - b.tUs)
}

function isUsable({ tUs, magnitude, total }: Sample): boolean {
  return Number.isSafeInteger(tUs) && Number.isFinite(magnitude) && (total === undefined || Number.isFinite(total))
}
