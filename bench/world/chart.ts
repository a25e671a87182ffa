/** One figure over time. */
export interface Panel {
  /** With its unit. */
  readonly title: string
  /** Seconds since the start and value; where there is none the line has a gap. */
  readonly points: readonly (readonly [at: number, value: number | undefined])[]
}

/** What happened, over all panels; seconds since the start. */
export interface Mark {
  readonly kind: string
  readonly from: number
  readonly to: number
}

const [WIDTH, LEFT, RIGHT, HEAD] = [960, 80, 20, 66]
const [PANEL, ABOVE, PLOT] = [190, 30, 120]
/** Told apart by the colour-blind too (Okabe and Ito). */
const COLOURS = ['#E69F00', '#56B4E9', '#009E73', '#F0E442', '#D55E00', '#CC79A7']

/** Panels below each other as one SVG, on one time axis that ends at `seconds`. */
export function chart(title: string, panels: readonly Panel[], marks: readonly Mark[], seconds: number): string {
  const kinds = [...new Set(marks.map(({ kind }) => kind))]
  const colourOf = (kind: string) => COLOURS[kinds.indexOf(kind) % COLOURS.length]
  const x = (at: number) => LEFT + (at / seconds) * (WIDTH - LEFT - RIGHT)
  const bands = marks
    // As wide as a line at least: a restart is over in a second.
    .map(({ kind, from, to }) => [kind, x(from), Math.max(2, x(Math.min(to, seconds)) - x(from))] as const)
    .map(([kind, left, width]) => rectangle(left, 0, width, PLOT, `fill="${colourOf(kind)}" opacity="0.45"`))
    .join('')
  const legend = kinds.map((kind, i) => {
    const left = LEFT + i * ((WIDTH - LEFT - RIGHT) / Math.max(1, kinds.length))
    return rectangle(left, 36, 12, 12, `fill="${colourOf(kind)}"`) + label(left + 18, 46, kind)
  })
  const height = HEAD + panels.length * PANEL
  const drawn = panels.map((panel, i) => group(0, HEAD + i * PANEL + ABOVE, drawPanel(panel, bands, x, seconds)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    rectangle(0, 0, WIDTH, height, 'fill="white"'),
    label(LEFT, 22, title, 'font-size="15" font-weight="bold"'),
    ...legend,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}

function drawPanel({ title, points }: Panel, bands: string, x: (at: number) => number, seconds: number): string {
  const values = points.flatMap(([, value]) => (value === undefined ? [] : [value]))
  // From zero: on an axis that begins elsewhere nothing is flat.
  const ticks = ticksTo(Math.max(1, ...values), 4)
  const top = ticks.at(-1) as number
  const y = (value: number) => PLOT - (value / top) * PLOT
  const grid = ticks.map((tick) => {
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ccc"/>`
    return line + label(LEFT - 8, y(tick) + 4, tick.toLocaleString('en'), 'text-anchor="end"')
  })
  const minutes = ticksTo(seconds / 60, 10)
    .filter((minute) => minute * 60 <= seconds)
    .map((minute) => label(x(minute * 60), PLOT + 16, `${minute} min`, 'text-anchor="middle"'))
  let pen = 'M'
  const path = points.map(([at, value]) => {
    const step = value === undefined ? '' : `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`
    pen = value === undefined ? 'M' : 'L'
    return step
  })
  const curve = `<path d="${path.join('')}" fill="none" stroke="#0072B2" stroke-width="1.5"/>`
  return [label(LEFT, -8, title, 'font-weight="bold"'), bands, ...grid, ...minutes, curve].join('')
}

/** Round numbers from 0 to `most` or just beyond, about so many. */
function ticksTo(most: number, many: number): number[] {
  const rough = most / many
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((times) => times * power >= rough) as number) * power
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => Number((i * step).toPrecision(12)))
}

function rectangle(x: number, y: number, width: number, height: number, look: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}" ${look}/>`
}

function label(x: number, y: number, text: string, look = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${look}>${text}</text>`
}

function group(x: number, y: number, content: string): string {
  return `<g transform="translate(${x} ${y})">${content}</g>`
}
