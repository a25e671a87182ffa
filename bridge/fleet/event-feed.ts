import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import type { FleetSource } from './fleet.ts'

/** What changes meanwhile is told together. */
const EVERY_MS = 1_000
/** Proxies end a connection on which nothing is said; an event and no comment, because no script hears comments. */
const HEARTBEAT_MS = 15_000
const HEARTBEAT = 'event: alive\ndata:\n\n'
/** Who takes nothing for this long is gone. */
const STUCK_MS = 60_000
/** How soon a browser comes back by itself. */
const RETRY_MS = 2_000
const MOST_READERS = 32
/** Devices in one event: a fleet comes in several, and each reader takes the next when it has taken one. */
const DEVICES_PER_EVENT = 200
/** A fleet that is looked at in one go would make readings wait. */
const AT_ONCE = 200
const BREATH_MS = 1

/** What is known of a device, as it is sent; `undefined`: it is gone. */
interface Entry {
  readonly json: string | undefined
  readonly version: number
}

interface Reader {
  readonly response: ServerResponse
  /** All entries up to this version have been sent to it. */
  version: number
  /** Whether it has heard of the chain as it is. */
  chain: string
  /** It has been told once that it knows everything. */
  complete: boolean
  /** Its connection takes nothing more for now. */
  full: boolean
  /** When it last took something, monotonic. */
  tookAt: number
}

/**
 * Server-sent events of the fleet: all of it first, then what has changed, at most once a second. Of a reader only the
 * version is remembered up to which it has been told, so a slow one takes no memory: it gets the newest state of each
 * device when it can take it, and never hears of what was in between. While nobody reads nothing is looked at.
 */
export class EventFeed {
  readonly #source: FleetSource
  readonly #clock: Clock
  readonly #log: Log
  readonly #readers = new Set<Reader>()
  /** By version, the oldest first. */
  readonly #entries = new Map<string, Entry>()
  readonly #changed = new Set<string>()
  #chain = ''
  #version = 0
  #stop: AbortController | undefined
  #closed = false

  constructor(source: FleetSource, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#source = source
    this.#clock = clock
    this.#log = log
  }

  /** How many read. */
  get readers(): number {
    return this.#readers.size
  }

  /** Answers a request with the stream; with 503 when there are too many readers. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#closed || this.#readers.size >= MOST_READERS) {
      response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '30' })
      response.end(JSON.stringify({ error: `at most ${MOST_READERS} pages can be open at once` }))
      return
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would hold events back otherwise.
      'x-accel-buffering': 'no',
    })
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    const reader: Reader = {
      response,
      version: 0,
      chain: '',
      complete: false,
      full: false,
      tookAt: this.#clock.monotonic(),
    }
    response.write(`retry: ${RETRY_MS}\n\n`)
    response.on('drain', () => {
      reader.full = false
      reader.tookAt = this.#clock.monotonic()
      this.#tell(reader)
    })
    response.on('error', () => this.#leave(reader))
    response.on('close', () => this.#leave(reader))
    this.#readers.add(reader)
    if (this.#stop === undefined) void this.#run()
    else this.#tell(reader)
  }

  /** Ends all streams. Browsers come back to the next bridge by themselves. */
  close(): void {
    this.#closed = true
    this.#stop?.abort()
    for (const { response } of [...this.#readers]) response.end()
  }

  #leave(reader: Reader): void {
    this.#readers.delete(reader)
    if (this.#readers.size === 0) this.#stop?.abort()
  }

  async #run(): Promise<void> {
    const stop = new AbortController()
    this.#stop = stop
    const stopListening = this.#source.onChange((hostname) => this.#changed.add(hostname))
    this.#source.watched(true)
    for (const hostname of this.#source.hostnames()) this.#changed.add(hostname)
    while (!stop.signal.aborted) {
      try {
        await this.#look()
        for (const reader of [...this.#readers]) this.#tell(reader)
      } catch (error) {
        this.#log.error({ err: error }, 'the page could not be told of the fleet')
      }
      await this.#clock.sleep(EVERY_MS, stop.signal).catch(() => undefined)
    }
    stopListening()
    this.#source.watched(false)
    this.#entries.clear()
    this.#changed.clear()
    this.#chain = ''
    this.#stop = undefined
    // Somebody came while the last one left.
    if (this.#readers.size > 0 && !this.#closed) void this.#run()
  }

  /** Brings the entries up to date. */
  async #look(): Promise<void> {
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const [i, hostname] of changed.entries()) {
      if (i > 0 && i % AT_ONCE === 0) await this.#clock.sleep(BREATH_MS)
      const tile = this.#source.tile(hostname)
      const json = tile && JSON.stringify(tile)
      const known = this.#entries.get(hostname)
      if (json === known?.json) continue
      // Taken out first: the order is that of the versions.
      this.#entries.delete(hostname)
      this.#entries.set(hostname, { json, version: ++this.#version })
    }
    this.#chain = JSON.stringify(this.#source.chain())
  }

  /** All a reader has not been told, as far as its connection takes it. */
  #tell(reader: Reader): void {
    const now = this.#clock.monotonic()
    if (reader.full) {
      if (now - reader.tookAt > STUCK_MS) reader.response.destroy()
      return
    }
    // Before the first look there is nothing to tell.
    if (this.#chain === '') return
    while (!reader.full) {
      const news = this.#newsFor(reader)
      if (news === undefined) break
      this.#write(reader, `event: fleet\ndata: ${news}\n\n`, now)
    }
    if (!reader.full && now - reader.tookAt >= HEARTBEAT_MS) this.#write(reader, HEARTBEAT, now)
  }

  #write(reader: Reader, text: string, now: number): void {
    reader.tookAt = now
    reader.full = !reader.response.write(text)
  }

  /** The next event of a reader; `undefined` when it knows everything. */
  #newsFor(reader: Reader): string | undefined {
    const devices: string[] = []
    const gone: string[] = []
    if (reader.version < this.#version)
      for (const [hostname, { json, version }] of this.#entries) {
        if (version <= reader.version) continue
        if (devices.length + gone.length >= DEVICES_PER_EVENT) break
        if (json === undefined) gone.push(hostname)
        else devices.push(json)
        reader.version = version
      }
    const complete = reader.version >= this.#version
    const isNews = devices.length + gone.length > 0 || reader.chain !== this.#chain || reader.complete !== complete
    if (!isNews) return undefined
    const chain = reader.chain === this.#chain ? '' : `"chain":${this.#chain},`
    reader.chain = this.#chain
    reader.complete = complete
    return `{"at":${Math.round(this.#clock.now())},${chain}"complete":${complete},"devices":[${devices.join()}],"gone":${JSON.stringify(gone)}}`
  }
}
