/**
 * Temperatures of the last hour of the devices that are in view, and what phones' owners did, asked for once and then kept
 * up from the stream.
 */

import { stripPaths } from './strips.js'

const WIDTH = 120
const HEIGHT = 28
const POINTS = 120
const STEP_MS = 30_000
/** A quiet room is a flat line, and not noise drawn large. */
const LEAST_RANGE = 1
/** What a line is drawn over at least, and at most an hour: a young one would be a dot at the edge. */
const LEAST_STEPS = 10

/** More than fit on any screen. */
const MOST_KEPT = 300
const MOST_ASKED = 100

export class Sparklines {
  #known = new Map()
  #asked = new Set()
  #onCame

  constructor(onCame) {
    this.#onCame = onCame
  }

  /** After a new connection nobody knows what was in between. */
  begin() {
    this.#known.clear()
    this.#asked.clear()
  }

  /** Asks for those of these devices that are not known. */
  async want(hostnames) {
    const unknown = hostnames.filter((name) => !this.#known.has(name) && !this.#asked.has(name)).slice(0, MOST_ASKED)
    if (unknown.length === 0) return
    for (const name of unknown) this.#asked.add(name)
    try {
      const query = new URLSearchParams(unknown.map((name) => ['device', name]))
      const answer = await (await fetch(`api/sparklines?${query}`)).json()
      for (const [name, { from, fields, activity }] of Object.entries(answer)) {
        const line = {
          newest: from / STEP_MS + POINTS - 1,
          values: new Float32Array(POINTS).fill(Number.NaN),
          path: undefined,
          /** Of a phone only. */
          doing: activity && new Array(POINTS).fill(null),
          strip: undefined,
        }
        for (const [i, one] of (activity ?? []).entries()) line.doing[(from / STEP_MS + i) % POINTS] = one
        for (const [i, value] of (fields.temperature ?? []).entries())
          if (value !== null) line.values[(from / STEP_MS + i) % POINTS] = value
        this.#known.set(name, line)
      }
      for (const name of this.#known.keys()) {
        if (this.#known.size <= MOST_KEPT) break
        this.#known.delete(name)
      }
      this.#onCame()
    } catch {
      // The stream tells that the bridge is away; with the next connection it is asked again.
    } finally {
      for (const name of unknown) this.#asked.delete(name)
    }
  }

  take({ hostname, temperature, activity, measured_at }) {
    const line = this.#known.get(hostname)
    if (line === undefined || (temperature === null && !activity)) return
    const step = Math.floor(measured_at / STEP_MS)
    if (step <= line.newest - POINTS) return
    reach(line, step)
    if (activity) {
      line.doing ??= new Array(POINTS).fill(null)
      line.doing[step % POINTS] = activity
      line.strip = undefined
      return
    }
    line.values[step % POINTS] = temperature
    line.path = undefined
  }

  /** The path of the line of the hour up to `now` in a box of 120 by 28; empty while nothing is known. */
  path(hostname, now) {
    const line = this.#known.get(hostname)
    if (line === undefined) return ''
    reach(line, Math.floor(now / STEP_MS))
    line.path ??= pathOf(line)
    return line.path
  }

  /** Of a phone: activity to path, in the same box; `undefined` for all others. */
  strip(hostname, now) {
    const line = this.#known.get(hostname)
    if (line?.doing === undefined) return undefined
    reach(line, Math.floor(now / STEP_MS))
    line.strip ??= stripPaths(
      Array.from({ length: POINTS }, (_, i) => line.doing[(line.newest - POINTS + 1 + i) % POINTS]),
      WIDTH,
      HEIGHT,
    )
    return line.strip
  }
}

/** Its hour ends with this step, or later. */
function reach(line, step) {
  if (step <= line.newest) return
  for (let empty = Math.max(line.newest + 1, step - POINTS + 1); empty <= step; empty++) {
    line.values[empty % POINTS] = Number.NaN
    if (line.doing !== undefined) line.doing[empty % POINTS] = null
  }
  line.newest = step
  line.path = undefined
  line.strip = undefined
}

function pathOf({ newest, values }) {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least > most) return ''
  const range = Math.max(LEAST_RANGE, most - least)
  const base = (least + most - range) / 2
  const at = (i) => values[(newest - POINTS + 1 + i) % POINTS]
  let first = 0
  while (first < POINTS - LEAST_STEPS && Number.isNaN(at(first))) first++
  let path = ''
  let before = false
  for (let i = first; i < POINTS; i++) {
    const value = at(i)
    const there = !Number.isNaN(value)
    if (there) {
      const x = (((i - first) / (POINTS - 1 - first)) * (WIDTH - 2) + 1).toFixed(1)
      const y = (HEIGHT - 3 - ((value - base) / range) * (HEIGHT - 6)).toFixed(1)
      // A point alone is a dot: a line of no length with round ends.
      path += before ? `L${x} ${y}` : `M${x} ${y}h0`
    }
    before = there
  }
  return path
}
