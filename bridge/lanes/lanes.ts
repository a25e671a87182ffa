import { SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import { encodingOf } from '../compression.ts'
import type { BridgeSettings } from '../config.ts'
import type { Routes } from '../routes/routes.ts'
import type { ChannelPath, Outcome, PipePath } from '../snowpipe/client.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import { type Choice, choicesFor } from './decision.ts'
import { InTheWay } from './in-the-way.ts'
import { Lane } from './lane.ts'
import type { LaneDeps } from './lane-deps.ts'
import { openingPaces } from './opening-pace.ts'
import { Roadblocks } from './roadblocks.ts'
import { StatusPoller } from './status-poller.ts'
import { Trouble } from './trouble.ts'

/** What they all need; they share the rest, which is made here. */
export interface LanesDeps
  extends Omit<
    LaneDeps,
    'appends' | 'encoding' | 'expiredChannels' | 'onMoved' | 'openingPace' | 'roadblocks' | 'trouble'
  > {
  readonly routes: Routes
}

/** How often a drain looks whether everything is committed. */
const DRAIN_LOOK_MS = 50
const NO_ROUTE = 'its route is not configured any more, so nobody knows where its rows belong'
const NO_ROUTE_HINT = 'name the file of the route in routes.files again'
/** How often it is looked whether a device is in the way of the others. */
const ASIDE_LOOK_MS = 10_000

/** One lane per device, made when it has rows. */
export class Lanes {
  readonly #settings: BridgeSettings
  readonly #deps: LanesDeps
  readonly #laneDeps: LaneDeps
  readonly #lanes = new Map<DeviceLog, Lane>()
  readonly #poller: StatusPoller
  readonly #roadblocks: Roadblocks
  readonly trouble: Trouble
  readonly #stop = new AbortController()
  readonly #looking: Promise<void>
  #draining = false

  constructor(settings: BridgeSettings, deps: LanesDeps) {
    this.#settings = settings
    this.#deps = deps
    this.trouble = new Trouble(deps.log, deps.clock)
    this.#roadblocks = new Roadblocks(settings.bridge.refused_retry, deps.clock)
    this.#laneDeps = {
      ...deps,
      log: deps.log.child({ component: 'lane' }),
      trouble: this.trouble,
      roadblocks: this.#roadblocks,
      encoding: encodingOf(settings.batch.compression),
      onMoved: (pipe, since) => this.#moved(pipe, since),
      expiredChannels: settings.bridge.expired_channels,
      appends: new Gate(Math.max(1, settings.bridge.parallel_appends)),
      openingPace: openingPaces(settings.bridge.opens_per_second, deps),
    }
    this.#poller = new StatusPoller(settings.bridge.status_interval_ms, settings.bridge.refused_retry, {
      clock: deps.clock,
      log: deps.log,
      snowpipe: deps.snowpipe,
      lanes: () => this.#lanes.values(),
      trouble: this.trouble,
      onMoved: (pipe, since) => this.#moved(pipe, since),
      onRefused: (pipe, reason) => {
        for (const lane of this.#lanes.values()) if (lane.path.pipe === pipe) lane.pipeRefused(reason)
      },
    })
    this.#looking = this.#keepTheWayFree()
  }

  [Symbol.iterator](): Iterator<Lane> {
    return this.#lanes.values()
  }

  /** The device has rows, or a ledger of it was acknowledged. */
  wake(device: DeviceLog): void {
    // What comes while all is being closed would make a lane that nobody closes.
    if (device.waiting > 0 && !this.#stop.signal.aborted) this.#lane(device)?.rowsCame()
  }

  of(device: DeviceLog): Lane | undefined {
    return this.#lanes.get(device)
  }

  /**
   * What a person has decided about a lane that is held. Durable before the lane goes on. Gives what it will do; throws
   * `E_NOT_HELD` when there is nothing to decide, or not that.
   */
  async decide(device: DeviceLog, choice: Choice): Promise<string> {
    const { clock, log, spool } = this.#deps
    const hold = this.#lanes.get(device)?.hold
    if (hold === undefined) throw new SnowhatError('E_NOT_HELD', `${device.hostname} is not held: nothing to decide`)
    const effect = choicesFor(hold.code)[choice]
    if (effect === undefined)
      throw new SnowhatError('E_NOT_HELD', `${choice} does not help ${device.hostname}: ${hold.reason}`, {
        hint: Object.keys(choicesFor(hold.code)).join(' or ') || 'this bridge ends by itself',
      })
    const { code, incarnation } = hold
    device.decision = { choice, code, incarnation, at: clock.now(), carriedOut: false }
    await spool.save([device])
    log.warn({ device: device.hostname, code, decision: choice, effect }, 'a person has decided, the lane goes on')
    this.#lanes.get(device)?.release()
    return effect
  }

  /**
   * Ends the device's lane, waits for `work`, and lets rows that have come meanwhile make a new one. Whatever becomes of
   * `work`, the device is not left without.
   */
  async without(device: DeviceLog, work: () => Promise<void>): Promise<void> {
    const lane = this.#lanes.get(device)
    // A lane that is closed wakes for nobody.
    await lane?.close()
    try {
      await work()
    } finally {
      this.trouble.gone(device.hostname)
      this.#lanes.delete(device)
      this.wake(device)
    }
  }

  /** Of a device without a lane. */
  async dropChannel(device: DeviceLog): Promise<Outcome<undefined>> {
    const path = this.#pathOf(device)
    if (path === undefined)
      throw new SnowhatError('E_NO_ROUTE', `${device.hostname}: ${NO_ROUTE}`, { hint: NO_ROUTE_HINT })
    return this.#deps.snowpipe.drop(path)
  }

  /** Sends what waits now, whatever its age. */
  flush(): void {
    for (const lane of this.#lanes.values()) lane.flush()
  }

  /** Sends everything now and waits until it is committed. False when `deadlineMs` passed first. */
  async drain(deadlineMs: number): Promise<boolean> {
    const { clock, spool } = this.#deps
    const until = clock.monotonic() + deadlineMs
    this.#draining = true
    for (const lane of this.#lanes.values()) lane.drain()
    while ([...spool.devices()].some((device) => device.waiting > 0)) {
      if (clock.monotonic() >= until) return false
      await clock.sleep(DRAIN_LOOK_MS)
    }
    return true
  }

  async close(): Promise<void> {
    this.#stop.abort()
    // All stop here and now: a bridge that stands down must not open another channel.
    const closed = Array.from(this.#lanes.values(), (lane) => lane.close())
    await this.#poller.close()
    await this.#looking
    await Promise.all(closed)
    this.#roadblocks.close()
    this.trouble.close()
  }

  /** The cluster that serves the pipe now knows nobody of before. */
  #moved(pipe: PipePath, since: number): void {
    for (const lane of this.#lanes.values()) if (lane.path.pipe === pipe) lane.moved(since)
  }

  /** `undefined` when the device's route is not configured any more: nobody knows where its rows belong. */
  #pathOf(device: DeviceLog): ChannelPath | undefined {
    const { routes } = this.#deps
    const route = routes.ofDevice(device.hostname)
    if (route === undefined) return undefined
    const pipe = routes.pipeOf(device.hostname, route, device.pipe)
    device.pipe = pipe.pipe
    return { pipe, channel: device.hostname }
  }

  async #keepTheWayFree(): Promise<void> {
    const { clock, log, spool } = this.#deps
    const { signal } = this.#stop
    const inTheWay = new InTheWay()
    while (!signal.aborted) {
      await clock.sleep(ASIDE_LOOK_MS, signal).catch(() => undefined)
      const lanes = [...this.#lanes.values()]
      const devices = inTheWay.look(lanes, this.trouble.served, spool.crowded, clock.monotonic())
      if (devices.length === 0 || signal.aborted) continue
      await spool
        .moveAside(devices)
        .catch((error: unknown) => log.error({ err: error }, 'devices could not be moved aside, trying again'))
    }
  }

  #lane(device: DeviceLog): Lane | undefined {
    const known = this.#lanes.get(device)
    if (known !== undefined) return known
    const path = this.#pathOf(device)
    if (path === undefined) {
      this.trouble.refused(device.hostname, 'no_route', NO_ROUTE, NO_ROUTE_HINT)
      return undefined
    }
    const lane = new Lane(device, path, this.#settings.batch, this.#laneDeps)
    this.#lanes.set(device, lane)
    if (this.#draining) lane.drain()
    return lane
  }
}
