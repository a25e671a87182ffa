import type { WindowCounters } from './counters.ts'
import type { WindowOptions } from './options.ts'
import { type Choice, RecordingWindows } from './recording-windows.ts'
import type { ActivityWindow } from './sample.ts'
import { newWatermark, type Watermark } from './watermark.ts'

/** One phone: its watermark, and its recordings, the one heard from for longest ago first. */
export class DeviceWindows {
  readonly deviceId: string
  /** Its own; unused when there is one for all. */
  readonly watermark: Watermark
  readonly recordings: Map<string, RecordingWindows>

  constructor(deviceId: string, watermark = newWatermark(), recordings = new Map<string, RecordingWindows>()) {
    this.deviceId = deviceId
    this.watermark = watermark
    this.recordings = recordings
  }

  /** The recording, which is then the one heard from last. A new one is closed up to `closedUntilUs`. */
  recording(sessionId: string, closedUntilUs: number): RecordingWindows {
    const known = this.recordings.get(sessionId)
    const recording = known ?? RecordingWindows.open(this.deviceId, sessionId, closedUntilUs)
    if (known !== undefined) this.recordings.delete(sessionId)
    this.recordings.set(sessionId, recording)
    return recording
  }

  finish(untilUs: number, choose: Choice): ActivityWindow[] {
    return [...this.recordings.values()].flatMap((recording) => recording.finish(untilUs, choose))
  }

  flush(choose: Choice): ActivityWindow[] {
    return [...this.recordings.values()].flatMap((recording) => recording.flush(choose))
  }

  /** Finishes what is too much (rule X-4): whole recordings first, then the windows that end first. */
  bound({ maxRecordings, maxWindows }: WindowOptions, counters: WindowCounters, choose: Choice): ActivityWindow[] {
    const found: ActivityWindow[][] = []
    for (const [sessionId, recording] of this.recordings) {
      if (maxRecordings === null || this.recordings.size <= maxRecordings) break
      found.push(recording.flush(choose))
      this.recordings.delete(sessionId)
      counters.evicted_recordings++
    }
    if (maxWindows === null) return found.flat()
    const open = [...this.recordings.values()].flatMap((recording) =>
      recording.openEnds().map((endUs) => ({ recording, endUs })),
    )
    const surplus = open.length - maxWindows
    if (surplus <= 0) return found.flat()
    open.sort((a, b) => a.endUs - b.endUs)
    const until = new Map(open.slice(0, surplus).map(({ recording, endUs }) => [recording, endUs]))
    for (const [recording, endUs] of until) found.push(recording.finish(endUs, choose))
    counters.evicted_windows += surplus
    return found.flat()
  }
}
