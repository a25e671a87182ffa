/**
 * The stream of events. It is closed while the tab is hidden, comes back with the bridge, and says since when it is not
 * connected. Every connection begins with all there is.
 */

const AGAIN_MS = 3_000
/** The bridge says something at least every 15 seconds when it is there. */
const DEAF_MS = 40_000

export class Feed {
  #onFleet
  #onBegin
  #onConnection
  #stream
  #timer
  #heardAt = 0
  #lostAt

  /** `onBegin`: what was known is told anew. `onConnection(lostAt)`: `undefined` when connected. */
  constructor({ onFleet, onBegin, onConnection }) {
    this.#onFleet = onFleet
    this.#onBegin = onBegin
    this.#onConnection = onConnection
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#close() : this.#open()))
    setInterval(() => this.#look(), 5_000)
    if (!document.hidden) this.#open()
  }

  #open() {
    this.#close()
    const stream = new EventSource('api/events')
    this.#stream = stream
    this.#heardAt = performance.now()
    let begun = false
    stream.addEventListener('open', () => {
      begun = false
    })
    stream.addEventListener('alive', () => {
      this.#heardAt = performance.now()
    })
    stream.addEventListener('fleet', (event) => {
      this.#heardAt = performance.now()
      this.#lostAt = undefined
      if (!begun) this.#onBegin()
      begun = true
      this.#onConnection(undefined)
      this.#onFleet(JSON.parse(event.data))
    })
    stream.addEventListener('error', () => {
      this.#lost()
      // It tries again by itself, unless it was answered with an error.
      if (stream.readyState === EventSource.CLOSED) this.#timer = setTimeout(() => this.#open(), AGAIN_MS)
    })
  }

  #close() {
    clearTimeout(this.#timer)
    this.#stream?.close()
    this.#stream = undefined
  }

  #lost() {
    this.#lostAt ??= Date.now()
    this.#onConnection(this.#lostAt)
  }

  /** A connection may die without a word, such as when the network changes. */
  #look() {
    if (this.#stream === undefined || performance.now() - this.#heardAt < DEAF_MS) return
    this.#lost()
    this.#open()
  }
}
