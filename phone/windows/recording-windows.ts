import { addSample, emptyPane, featuresOf, type Pane } from './pane.ts'
import type { ActivityWindow, OwnActivity, Sample } from './sample.ts'
import { lastStart, SLIDE_US, WINDOW_US, WINDOWS_PER_SAMPLE } from './window-times.ts'

/** The phone says what it thinks every few seconds, and 20 s of it are needed. */
const MOST_OWN = 32
/** A recording's last windows reach beyond its end: less than this of one is no window (rule X-2). */
const LEAST_COVERAGE = 0.5

/** What there is of one recording; also its form in a snapshot. */
export interface RecordingState {
  /** In time order, none empty. */
  panes: Pane[]
  /** Windows that end here or before are done: what comes for them is late, and none comes out again. µs. */
  closedUntilUs: number
  /** The latest sample, and the latest that was not ahead of its receipt; `null` before the first. µs. */
  lastUs: number | null
  lastTrustedUs: number | null
  /** When something of it was last received; epoch ms. */
  heardAtMs: number
  /** What the phone itself said, in time order. */
  own: OwnActivity[]
}

/** Which of the windows that are done at once are given, by their ends. */
export type Choice = (ends: readonly number[]) => readonly number[]

/** The open windows of one recording. */
export class RecordingWindows {
  readonly #deviceId: string
  readonly #sessionId: string
  readonly #state: RecordingState

  constructor(deviceId: string, sessionId: string, state: RecordingState) {
    this.#deviceId = deviceId
    this.#sessionId = sessionId
    this.#state = state
  }

  /** `closedUntilUs`: windows that end there or before are late from the start. */
  static open(deviceId: string, sessionId: string, closedUntilUs: number): RecordingWindows {
    const state = { panes: [], closedUntilUs, lastUs: null, lastTrustedUs: null, heardAtMs: 0, own: [] }
    return new RecordingWindows(deviceId, sessionId, state)
  }

  /** What a snapshot keeps. It changes with the recording: copy it before the next call. */
  get state(): Readonly<RecordingState> {
    return this.#state
  }

  get hasOpenWindows(): boolean {
    return this.#state.panes.length > 0
  }

  heard(atMs: number): void {
    this.#state.heardAtMs = Math.max(this.#state.heardAtMs, atMs)
  }

  note(own: OwnActivity): void {
    const list = this.#state.own
    const at = list.findLastIndex(({ tUs }) => tUs <= own.tUs) + 1
    list.splice(at, 0, own)
    if (list.length > MOST_OWN) list.shift()
  }

  /** Gives how many of the sample's windows are done already (rule L-1): for those it is lost. */
  add(sample: Sample, trusted: boolean): number {
    const state = this.#state
    const startUs = lastStart(sample.tUs)
    const done = Math.floor((state.closedUntilUs - startUs) / SLIDE_US)
    const late = Math.min(Math.max(done, 0), WINDOWS_PER_SAMPLE)
    state.lastUs = Math.max(state.lastUs ?? sample.tUs, sample.tUs)
    if (trusted) state.lastTrustedUs = Math.max(state.lastTrustedUs ?? sample.tUs, sample.tUs)
    if (late < WINDOWS_PER_SAMPLE) addSample(this.#paneAt(startUs), sample)
    return late
  }

  /** The ends of its open windows, in order. */
  openEnds(): number[] {
    const { panes, closedUntilUs } = this.#state
    const ends: number[] = []
    for (const { startUs } of panes)
      for (let end = startUs + SLIDE_US; end <= startUs + WINDOW_US; end += SLIDE_US)
        if (end > closedUntilUs && end > (ends.at(-1) ?? end - 1)) ends.push(end)
    return ends
  }

  /** The windows that end at `untilUs` or before, in order; they are done then (rules E-1, E-2). */
  finish(untilUs: number, choose: Choice): ActivityWindow[] {
    const state = this.#state
    if (untilUs <= state.closedUntilUs) return []
    const first = state.panes[0]
    const found =
      first === undefined || first.startUs + SLIDE_US > untilUs
        ? []
        : this.#windows(choose(this.openEnds().filter((end) => end <= untilUs)), untilUs)
    this.#close(untilUs)
    return found
  }

  /** All its windows, in order: the recording has ended, or nothing was heard of it for long (rule X-2). */
  flush(choose: Choice): ActivityWindow[] {
    const state = this.#state
    const ends = this.openEnds()
    // Where all samples are ahead of their receipt its clock is wrong, and still they lie rightly to one another.
    const lastUs = state.lastTrustedUs ?? state.lastUs ?? state.closedUntilUs
    const windows = this.#windows(choose(ends), lastUs).filter(
      ({ partial, coverage }) => !partial || coverage >= LEAST_COVERAGE,
    )
    // A stray sample from the future must not make late what is still to come.
    const begun = ends.findLast((end) => end - WINDOW_US <= lastUs)
    this.#close(Math.max(state.closedUntilUs, begun ?? state.closedUntilUs, windows.at(-1)?.endUs ?? 0))
    state.panes = []
    return windows
  }

  /** The windows that end at `ends`, in order; those that end after `lastUs` are partial. */
  #windows(ends: readonly number[], lastUs: number): ActivityWindow[] {
    const { panes, own } = this.#state
    const [deviceId, sessionId] = [this.#deviceId, this.#sessionId]
    const windows: ActivityWindow[] = []
    let [from, to] = [0, 0]
    for (const endUs of ends) {
      while ((panes[from]?.startUs ?? endUs) < endUs - WINDOW_US) from++
      while ((panes[to]?.startUs ?? endUs) < endUs) to++
      const said = own.findLast(({ tUs }) => tUs < endUs)
      windows.push({
        deviceId,
        sessionId,
        ...featuresOf(panes.slice(from, to), endUs),
        partial: endUs > lastUs,
        own: said === undefined ? null : { activity: said.activity, confidence: said.confidence },
      })
    }
    return windows
  }

  #close(untilUs: number): void {
    const state = this.#state
    state.closedUntilUs = untilUs
    const open = state.panes.findIndex(({ startUs }) => startUs + WINDOW_US > untilUs)
    state.panes.splice(0, open < 0 ? state.panes.length : open)
    // The last before what is open stays: it holds until the phone says something else.
    const before = state.own.findLastIndex(({ tUs }) => tUs < untilUs)
    if (before > 0) state.own.splice(0, before)
  }

  #paneAt(startUs: number): Pane {
    const { panes } = this.#state
    const at = panes.findLastIndex((pane) => pane.startUs <= startUs)
    const found = panes[at]
    if (found?.startUs === startUs) return found
    const pane = emptyPane(startUs)
    panes.splice(at + 1, 0, pane)
    return pane
  }
}
