import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'

/** Each of them says `info` every minute while it knows of the other: silent for longer, the other is gone or was renamed. */
const FORGET_MS = 3 * 60_000

/**
 * Notices another Pi of the same name: it says `info` on the same topic, with a stream that is not ours. A copied SD card does
 * that. Both notice, for each hears the other.
 */
export class TwinWatch {
  readonly #stream: string
  readonly #deps: { readonly clock: Clock; readonly log: Log }
  #twin: { readonly words: string; readonly heardAt: number } | undefined

  constructor(stream: string, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#stream = stream
    this.#deps = deps
  }

  /** An `info` that was said now, by whomever. True when it was another's. */
  heard(payload: Buffer): boolean {
    const about = aboutIn(payload)
    if (about === undefined || about.stream === this.#stream) return false
    const { clock, log } = this.#deps
    if (this.problems.length === 0)
      log.error(
        { twin: about.stream, hint: 'give one of them another name: snowhat publisher --hostname, or rename the Pi' },
        'another Pi has this name: their readings go into one channel, and Home Assistant sees one device',
      )
    const words = about.serial === null ? about.stream : `${about.stream} on the board ${about.serial}`
    this.#twin = { words, heardAt: clock.monotonic() }
    return true
  }

  get problems(): string[] {
    const twin = this.#twin
    if (twin === undefined || this.#deps.clock.monotonic() - twin.heardAt > FORGET_MS) return []
    return [`another Pi has this name (stream ${twin.words})`]
  }
}

function aboutIn(payload: Buffer): { stream: string; serial: string | null } | undefined {
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
  const { stream, serial } = (value ?? {}) as { stream?: unknown; serial?: unknown }
  return typeof stream === 'string' ? { stream, serial: typeof serial === 'string' ? serial : null } : undefined
}
