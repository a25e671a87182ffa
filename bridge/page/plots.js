import Plot from './uplot.js'
import { element, value } from './words.js'

const KINDS = [
  { title: 'Temperature', unit: '°C', series: [{ field: 'temperature', label: 'Temperature', color: '--plot-1' }] },
  { title: 'Humidity', unit: '%', series: [{ field: 'humidity', label: 'Humidity', color: '--plot-2' }] },
  { title: 'Pressure', unit: 'hPa', series: [{ field: 'pressure', label: 'Pressure', color: '--plot-3' }] },
  { title: 'Light', unit: 'lx', series: [{ field: 'illuminance', label: 'Light', color: '--plot-4' }] },
  {
    title: 'Orientation',
    unit: '°',
    series: [
      { field: 'pitch', label: 'Pitch', color: '--plot-1' },
      { field: 'roll', label: 'Roll', color: '--plot-2' },
      { field: 'yaw', label: 'Yaw', color: '--plot-3' },
    ],
    isAngle: true,
  },
]
const HEIGHT = 190
/** A quiet sensor is a calm line. */
const LEAST_RANGE = { value: 1, angle: 20 }
/** What is drawn at least, and at most an hour: a young plot would be a dot at the edge. */
const LEAST_STEPS = 10

/** The plots of the last hour of one device. */
export class Plots {
  #parent
  #drawn = []
  #history
  #compensated = false
  #resized = new ResizeObserver(() => {
    for (const { plot, box } of this.#drawn) plot.setSize({ width: box.clientWidth, height: HEIGHT })
  })
  #scheme = matchMedia('(prefers-color-scheme: dark)')
  #redraw = () => this.#draw()

  constructor(parent) {
    this.#parent = parent
    this.#resized.observe(parent)
    // Canvases know no style sheet.
    this.#scheme.addEventListener('change', this.#redraw)
  }

  show(history, compensated) {
    const kinds = (one) => Object.keys(one?.fields ?? {}).join()
    const isSame =
      kinds(history) === kinds(this.#history) && compensated === this.#compensated && this.#drawn.length > 0
    this.#history = history
    this.#compensated = compensated
    if (!isSame) return this.#draw()
    for (const drawn of this.#drawn) {
      drawn.plot.setData(dataOf(history, drawn.kind))
      drawn.figure.setAttribute('aria-label', summary(history, drawn.kind))
    }
  }

  close() {
    this.#resized.disconnect()
    this.#scheme.removeEventListener('change', this.#redraw)
    for (const { plot } of this.#drawn) plot.destroy()
  }

  #draw() {
    if (this.#history === undefined) return
    for (const { plot } of this.#drawn) plot.destroy()
    const kinds = KINDS.filter(({ series }) => series.some(({ field }) => this.#history.fields[field] !== undefined))
    this.#drawn = []
    this.#parent.replaceChildren()
    for (const kind of kinds) {
      const box = element('div', { class: 'plot' })
      const title = kind.title === 'Temperature' && this.#compensated ? 'Temperature, compensated' : kind.title
      const figure = element('figure', { role: 'img', 'aria-label': summary(this.#history, kind) })
      figure.append(element('figcaption', {}, `${title} `, element('small', {}, kind.unit)), box)
      this.#parent.append(figure)
      const plot = new Plot(optionsOf(kind, box.clientWidth, title), dataOf(this.#history, kind), box)
      this.#drawn.push({ kind, box, figure, plot })
    }
  }
}

function dataOf({ from, step_ms, fields }, { isAngle, series }) {
  const all = Object.values(fields)
  const steps = all[0]?.length ?? 0
  let first = 0
  while (first < steps - LEAST_STEPS && all.every((points) => points[first] === null)) first++
  const times = Array.from({ length: steps - first }, (_, i) => (from + (first + i + 0.5) * step_ms) / 1000)
  const lines = series.map(({ field }) => (fields[field] ?? Array(steps).fill(null)).slice(first))
  return [times, ...(isAngle ? lines.map(unwound) : lines)]
}

/** Angles without the jump between 359 and 0: each the shortest way from the one before. */
function unwound(points) {
  let before = 0
  return points.map((point) => {
    if (point === null) return null
    before += ((((point - before + 180) % 360) + 360) % 360) - 180
    return before
  })
}

/** Back to 0 ≤ x < 360. */
function turned(angle) {
  return ((angle % 360) + 360) % 360
}

function summary({ fields }, { title, unit, series }) {
  const values = series.flatMap(({ field }) => fields[field] ?? []).filter((one) => one !== null)
  const [least, most] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity])
  return `${title} of the last hour: from ${value(least, unit)} to ${value(most, unit)}`
}

function optionsOf({ unit, series, isAngle }, width, title) {
  const style = getComputedStyle(document.documentElement)
  const color = (name) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--plot-text'),
    grid: { stroke: color('--plot-grid'), width: 1 },
    ticks: { show: false },
  }
  const font = '12px system-ui, sans-serif'
  return {
    width,
    height: HEIGHT,
    cursor: { points: { size: 7 }, drag: { x: true, y: false } },
    legend: { live: true },
    scales: {
      y: {
        range: (_plot, least, most) => {
          if (least === null) return [0, 1]
          const half = Math.max(isAngle ? LEAST_RANGE.angle : LEAST_RANGE.value, (most - least) * 1.2) / 2
          return [(least + most) / 2 - half, (least + most) / 2 + half]
        },
      },
    },
    axes: [
      {
        ...axis,
        font,
        size: 32,
        values: [
          [60, '{HH}:{mm}', null, null, null, null, null, null, 1],
          [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1],
        ],
      },
      {
        ...axis,
        font,
        size: 66,
        values: (_plot, ticks) => ticks.map((tick) => (isAngle ? turned(tick) : tick).toLocaleString()),
      },
    ],
    series: [
      { label: 'Time', value: '{HH}:{mm}:{ss}' },
      ...series.map(({ label, color: name }) => ({
        label: series.length === 1 ? title : label,
        stroke: color(name),
        width: 1.75,
        spanGaps: false,
        points: { show: false },
        value: (_plot, one) => value(isAngle && one !== null ? turned(one) : one, unit, unit === 'lx' ? 0 : 2),
      })),
    ],
  }
}
