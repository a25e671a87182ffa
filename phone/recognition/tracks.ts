import { z } from 'zod'
import { newTrack } from '../gravity/acceleration-track.ts'
import { trackState } from '../gravity/track-state.ts'

/** What the phone says of itself waits for the recording's first window, and that is 2 s. */
export const MOST_OWN_WAITING = 32

const tracked = z.object({
  deviceId: z.string(),
  sessionId: z.string(),
  track: trackState,
  heardAtMs: z.number(),
  own: z.array(z.object({ tUs: z.int(), activity: z.string(), confidence: z.string().nullable() })),
})

/** What is known of a recording before its windows. */
export type Tracked = z.infer<typeof tracked>
export const trackedRecordings = z.array(tracked)

/** By phone and recording, the ones heard from for longest ago first; as many as the windows have room for. */
export class Tracks {
  readonly #devices = new Map<string, Map<string, Tracked>>()

  constructor(tracks: Iterable<Tracked> = []) {
    for (const one of tracks) this.#recordings(one.deviceId).set(one.sessionId, one)
  }

  get(deviceId: string, sessionId: string): Tracked | undefined {
    return this.#devices.get(deviceId)?.get(sessionId)
  }

  /** The recording, which is then the one heard from last. */
  hear(deviceId: string, sessionId: string, atMs: number): Tracked {
    const recordings = this.#recordings(deviceId)
    const known = recordings.get(sessionId)
    const one = known ?? { deviceId, sessionId, track: newTrack(), heardAtMs: atMs, own: [] }
    one.heardAtMs = Math.max(one.heardAtMs, atMs)
    this.#devices.delete(deviceId)
    this.#devices.set(deviceId, recordings)
    recordings.delete(sessionId)
    recordings.set(sessionId, one)
    return one
  }

  /** Takes out what is too much. */
  surplus(deviceId: string, maxRecordings: number | null, maxDevices: number | null): Tracked[] {
    const recordings = this.#recordings(deviceId)
    const out: Tracked[] = []
    for (const [sessionId, one] of recordings) {
      if (maxRecordings === null || recordings.size <= maxRecordings) break
      recordings.delete(sessionId)
      out.push(one)
    }
    for (const [other, all] of this.#devices) {
      if (maxDevices === null || this.#devices.size <= maxDevices) break
      this.#devices.delete(other)
      out.push(...all.values())
    }
    return out
  }

  all(): Tracked[] {
    return [...this.#devices.values()].flatMap((recordings) => [...recordings.values()])
  }

  #recordings(deviceId: string): Map<string, Tracked> {
    let recordings = this.#devices.get(deviceId)
    if (recordings === undefined) {
      recordings = new Map()
      this.#devices.set(deviceId, recordings)
    }
    return recordings
  }
}
