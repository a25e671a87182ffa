import { lagOf, stateOf } from './device-state.js'
import { stripShapes } from './strip-shapes.js'
import { ago, bytes, count, doing, duration, element, mark, value, write } from './words.js'

/** Rows drawn above and below what is in view. */
const MARGIN = 6
const SVG = 'http://www.w3.org/2000/svg'

/** The list of devices. Only the rows in view exist, so a thousand devices cost what twenty do. */
export class FleetTable {
  #fleet
  #sparklines
  #body
  #table
  #above = element('tr', { class: 'space', 'aria-hidden': 'true' })
  #below = element('tr', { class: 'space', 'aria-hidden': 'true' })
  /** Of the rows that exist, by hostname. */
  #rows = new Map()
  /** Of a row, as the style sheet has it for this width. */
  #height

  constructor(fleet, sparklines) {
    this.#fleet = fleet
    this.#sparklines = sparklines
    this.#table = document.getElementById('table')
    this.#body = document.getElementById('rows')
    this.#body.append(this.#above, this.#below)
    addEventListener('resize', () => {
      this.#height = undefined
    })
  }

  show(hostnames) {
    // Not a number until the style sheet is there.
    if (!(this.#height > 0)) this.#height = Number.parseFloat(getComputedStyle(this.#table).getPropertyValue('--row'))
    const height = this.#height
    const top = this.#body.getBoundingClientRect().top
    const first = Math.max(0, Math.min(hostnames.length, Math.floor(-top / height) - MARGIN))
    const last = Math.min(hostnames.length, Math.ceil((innerHeight - top) / height) + MARGIN)
    const visible = hostnames.slice(first, Math.max(first, last))
    this.#table.setAttribute('aria-rowcount', hostnames.length + 1)
    this.#above.style.height = `${first * height}px`
    this.#below.style.height = `${(hostnames.length - first - visible.length) * height}px`
    this.#keep(visible)
    let next = this.#above.nextSibling
    for (const [i, hostname] of visible.entries()) {
      const row = this.#rows.get(hostname) ?? this.#make(hostname)
      // Moved only when it is out of place: what is moved loses the focus.
      if (row.line === next) next = next.nextSibling
      else this.#body.insertBefore(row.line, next)
      row.line.setAttribute('aria-rowindex', first + i + 2)
      this.#fill(row, this.#fleet.devices.get(hostname))
    }
    void this.#sparklines.want(visible)
  }

  /** Takes away the rows of all others. */
  #keep(visible) {
    const wanted = new Set(visible)
    for (const [hostname, { line }] of this.#rows) {
      if (wanted.has(hostname)) continue
      line.remove()
      this.#rows.delete(hostname)
    }
  }

  #make(hostname) {
    const cell = (name, kind = '') => element('td', { class: `${name} ${kind}` })
    const [state, spark, temperature, seen, lag, missing, rejected, sent] = [
      cell('state'),
      cell('spark'),
      ...['temperature', 'seen', 'lag', 'missing', 'rejected', 'sent'].map((name) => cell(name, 'number')),
    ]
    const badge = element('span', { class: 'badge' })
    state.append(badge)
    const image = document.createElementNS(SVG, 'svg')
    image.setAttribute('viewBox', '0 0 120 28')
    image.setAttribute('aria-hidden', 'true')
    const path = document.createElementNS(SVG, 'path')
    image.append(path)
    spark.append(image)
    const name = element('th', { scope: 'row', class: 'name' })
    name.append(element('a', { href: `#/devices/${encodeURIComponent(hostname)}` }, hostname))
    const line = element('tr', { class: 'row' })
    line.append(name, state, spark, temperature, seen, lag, missing, rejected, sent)
    const row = {
      line,
      badge,
      image,
      path,
      strip: undefined,
      temperature,
      seen,
      lag,
      missing,
      rejected,
      sent,
      drawn: '',
    }
    this.#rows.set(hostname, row)
    return row
  }

  #fill(row, tile) {
    const now = this.#fleet.now()
    const { word, mood, why } = stateOf(tile, now)
    write(row.badge, word)
    mark(row.badge, 'mood', mood)
    if (row.badge.title !== why) row.badge.title = why
    write(row.temperature, tile.activity ?? value(tile.temperature, '°C'))
    const sure = tile.activity === null ? '' : doing(tile)
    if (row.temperature.title !== sure) row.temperature.title = sure
    mark(row.temperature, 'compensated', String(tile.compensated))
    write(row.seen, tile.seen_at === null ? '–' : ago(now - tile.seen_at))
    write(row.lag, tile.waiting === 0 ? '–' : duration(lagOf(tile, now)))
    write(row.missing, tile.missing === null ? '?' : count(tile.missing))
    mark(row.missing, 'mood', tile.missing > 0 ? 'warning' : '')
    write(row.rejected, count(tile.rejected))
    mark(row.rejected, 'mood', tile.rejected > 0 ? 'warning' : '')
    write(row.sent, bytes(tile.bytes_today))
    const strip = this.#sparklines.strip(tile.hostname, now)
    if (strip !== undefined) {
      if (strip !== row.strip) row.image.replaceChildren(...stripShapes(strip))
      row.strip = strip
      return
    }
    const path = this.#sparklines.path(tile.hostname, now)
    if (path === row.drawn) return
    row.drawn = path
    row.path.setAttribute('d', path)
  }
}
