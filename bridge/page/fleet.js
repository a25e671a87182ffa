import { lagOf, stateOf } from './device-state.js'

/** What the page knows of the fleet, as the bridge has told it. */
export class Fleet {
  /** By hostname. */
  devices = new Map()
  chain
  /** All there is has been told. */
  complete = false
  /** What is known is of the bridge that answers now. */
  connected = false
  /** The bridge's clock less ours, milliseconds. */
  #ahead = 0
  #sorted
  #sortedBy = ''

  /** The time by the bridge's clock, which all times are of. */
  now() {
    return Date.now() + this.#ahead
  }

  begin() {
    this.connected = true
    this.devices.clear()
    this.complete = false
    this.#sorted = undefined
  }

  take({ at, chain, complete, devices, gone }) {
    this.#ahead = at - Date.now()
    this.chain = chain ?? this.chain
    this.complete = complete
    for (const tile of devices) this.devices.set(tile.hostname, tile)
    for (const hostname of gone) this.devices.delete(hostname)
  }

  /** Has to be sorted again at the next look. */
  resort() {
    this.#sorted = undefined
  }

  /** The hostnames to show, in order. An order stands until `resort`, so that rows do not jump under a finger. */
  list({ find, show, sort }) {
    const now = this.now()
    const wish = `${sort} ${show} ${find}`
    if (this.#sorted !== undefined && wish === this.#sortedBy)
      return this.#sorted.filter((name) => this.devices.has(name))
    const wanted = find.trim().toLowerCase()
    const found = [...this.devices.values()].filter((tile) => {
      if (!tile.hostname.includes(wanted)) return false
      return show === '' || (stateOf(tile, now).mood === 'ok') === (show === 'ok')
    })
    const keys = new Map(found.map((tile) => [tile.hostname, KEYS[sort](tile, now)]))
    this.#sorted = found
      .map(({ hostname }) => hostname)
      .sort((a, b) => keys.get(a) - keys.get(b) || NAMES.compare(a, b))
    this.#sortedBy = wish
    return this.#sorted
  }
}

const NAMES = new Intl.Collator('en', { numeric: true })

/** Small comes first. */
const KEYS = {
  trouble: (tile, now) => stateOf(tile, now).rank,
  hostname: () => 0,
  temperature: (tile) => -(tile.temperature ?? -1_000),
  seen: (tile) => tile.seen_at ?? 0,
  lag: (tile, now) => -lagOf(tile, now),
  missing: (tile) => -(tile.missing ?? 0),
  rejected: (tile) => -tile.rejected,
  bytes: (tile) => -tile.bytes_today,
}
