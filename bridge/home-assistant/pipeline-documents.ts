import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { Announcement, type Announcer } from '../../src/home-assistant/announcement.ts'
import type { HaDocument } from '../../src/home-assistant/document.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import type { Topics } from '../../src/topics.ts'

export interface PipelineDocumentsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly topics: Topics
  readonly document: (hostname: string) => HaDocument
  /** Devices the bridge knows, whether they are in Home Assistant or not. */
  readonly devices: () => Iterable<string>
}

/** What of a link is needed here. */
export type DocumentsLink = Pick<MqttLink, 'publish' | 'subscribe' | 'unsubscribe' | 'roundTrip'>

/** Between two documents, milliseconds: at most twenty a second, and never at one beat. */
const GAP = { least: 50, most: 100 }
/** Between two that need not be sent: a fleet that is looked through in one go would make readings wait. */
const BREATH_MS = 1
/** Who deletes a device empties both its topics, in any order: what is empty by then need not be emptied. */
const BURY_AFTER_MS = 2_000
/** Topics asked for in one go: what any broker has room for (Mosquitto: 20 under way and 1,000 queued [documented]). */
const TOPICS_AT_ONCE = 20

interface Device {
  readonly hostname: string
  announcement: Announcement | undefined
  /** The Pi's own document is retained. */
  here: boolean
  /** Ours has come from the broker, so what is heard of it from here on is younger. */
  heard: boolean
  /** The broker may hold ours. */
  mayBeHeld: boolean
  /** The announcement knows this connection. */
  announced: boolean
  /** Home Assistant has started. */
  born: boolean
  cancelBurial: (() => void) | undefined
}

/**
 * The bridge's additions to the Pis' devices. One is announced only while the Pi's own document is retained at the broker:
 * when that is emptied, ours is; when the Pi announces itself again, it comes back. So there is nothing to keep, a device
 * that is deleted in Home Assistant stays deleted, and one that somebody forgets leaves no ghost.
 */
export class PipelineDocuments {
  readonly #deps: PipelineDocumentsDeps
  /** Of single documents nothing is logged: a fleet of them would say the same. */
  readonly #quiet: Log
  readonly #devices = new Map<string, Device>()
  readonly #due = new Set<Device>()
  #link: DocumentsLink | undefined
  /** All that was retained when the connection came has been heard. */
  #settled = false
  #sent = false
  #told = false
  #running = false

  constructor(deps: PipelineDocumentsDeps) {
    this.#deps = deps
    this.#quiet = deps.log.child({}, { level: 'silent' })
  }

  get filters(): string[] {
    const { topics } = this.#deps
    return [topics.allDeviceDiscovery, topics.allPipelineDiscovery]
  }

  /** Takes the message when it is a Pi's document, or one of ours. */
  take(message: IncomingMessage): boolean {
    const { topics } = this.#deps
    const { payload, topic } = message
    const pi = topics.hostnameOfDeviceDiscovery(topic)
    if (pi !== undefined) {
      this.#heardPi(pi, payload.length > 0)
      return true
    }
    const ours = topics.hostnameOfPipelineDiscovery(topic)
    if (ours === undefined) return false
    this.#heardOurs(ours, message)
    return true
  }

  /** What was retained under `filters` has come. `ended` aborts with the connection. */
  async connected(link: DocumentsLink, ended: AbortSignal): Promise<void> {
    this.#link = link
    await this.#askAgain(link, ended)
    if (ended.aborted) return
    this.#settled = true
    for (const device of this.#devices.values()) this.#queue(device)
  }

  disconnected(): void {
    this.#link = undefined
    this.#settled = false
    this.#due.clear()
    for (const device of this.#devices.values()) {
      device.announcement?.disconnected()
      device.cancelBurial?.()
      Object.assign(device, { here: false, heard: false, mayBeHeld: false, announced: false, born: false })
    }
  }

  /** Home Assistant has started, and its pause is over. */
  born(): void {
    for (const device of this.#devices.values()) {
      if (!device.here || this.#due.has(device)) continue
      device.born = true
      this.#queue(device)
    }
  }

  /**
   * A broker with a short queue drops of many retained messages those at the end without a word. Those that seem to be
   * missing are asked for a few at a time before anything is made of their absence.
   */
  async #askAgain(link: DocumentsLink, ended: AbortSignal): Promise<void> {
    const { devices, topics } = this.#deps
    const held = [...this.#devices.values()].filter(({ mayBeHeld }) => mayBeHeld).map(({ hostname }) => hostname)
    const absent = [...new Set([...devices(), ...held])].filter((hostname) => !this.#devices.get(hostname)?.here)
    const asked = absent.flatMap((hostname) => [topics.deviceDiscovery(hostname), topics.pipelineDiscovery(hostname)])
    while (asked.length > 0 && !ended.aborted) {
      const some = asked.splice(0, TOPICS_AT_ONCE)
      await link.subscribe(some)
      await link.roundTrip(topics.response('read'))
      await link.unsubscribe(some)
    }
  }

  #heardPi(hostname: string, here: boolean): void {
    const device = this.#device(hostname)
    if (device.here === here) return
    device.here = here
    device.cancelBurial?.()
    if (!this.#settled) return
    if (here) {
      // Deleted in Home Assistant, and announced anew.
      if (device.announcement?.removed) this.#drop(device)
      this.#queue(device)
    } else device.cancelBurial = this.#deps.clock.after(BURY_AFTER_MS, () => this.#queue(device))
  }

  #heardOurs(hostname: string, message: IncomingMessage): void {
    const isEmpty = message.payload.length === 0
    // Emptied by this bridge before it has announced again: the broker keeps the order.
    if (isEmpty && !this.#devices.get(hostname)?.heard) return
    const device = this.#device(hostname)
    device.heard = !isEmpty
    device.mayBeHeld = !isEmpty
    this.#announcementOf(device).message(message)
  }

  /** What has to be said of a device, as things are when its turn comes. */
  async #turn(device: Device): Promise<void> {
    const link = this.#link
    if (link === undefined) return
    const { born } = device
    device.born = false
    if (!device.here) return this.#bury(device, link)
    const announcement = this.#announcementOf(device)
    if (device.announced) {
      if (born) await announcement.born()
      return
    }
    device.announced = true
    await announcement.connected(this.#announcer(device, link))
  }

  async #bury(device: Device, link: DocumentsLink): Promise<void> {
    const { hostname, mayBeHeld } = device
    this.#drop(device)
    this.#devices.delete(hostname)
    if (!mayBeHeld) return
    this.#sent = true
    try {
      await link.publish(this.#deps.topics.pipelineDiscovery(hostname), '', { retain: true })
    } catch (error) {
      if (!(error instanceof SnowhatError && error.code === 'E_MQTT_DISCONNECTED')) this.#tell(messageOf(error))
    }
  }

  #announcer(device: Device, link: DocumentsLink): Announcer {
    return {
      publish: (topic, payload, options) => {
        device.mayBeHeld = true
        this.#sent = true
        return link.publish(topic, payload, options)
      },
    }
  }

  #drop(device: Device): void {
    device.announcement?.close()
    device.announcement = undefined
    device.announced = false
    device.heard = false
  }

  #device(hostname: string): Device {
    const known = this.#devices.get(hostname)
    if (known !== undefined) return known
    const device: Device = {
      hostname,
      announcement: undefined,
      here: false,
      heard: false,
      mayBeHeld: false,
      announced: false,
      born: false,
      cancelBurial: undefined,
    }
    this.#devices.set(hostname, device)
    return device
  }

  #announcementOf(device: Device): Announcement {
    const { clock, document, topics } = this.#deps
    const { hostname } = device
    device.announcement ??= new Announcement(topics.pipelineDiscovery(hostname), () => document(hostname), {
      clock,
      log: this.#quiet,
      onProblem: () => {
        const refused = device.announcement?.refused
        if (refused !== undefined) this.#tell(refused)
      },
    })
    return device.announcement
  }

  #tell(reason: string): void {
    if (this.#told) return
    this.#told = true
    const { log, topics } = this.#deps
    const hint = `let this user write and read ${topics.allPipelineDiscovery} at the broker (access rules)`
    log.warn({ reason, hint }, "Home Assistant may not see what the bridge adds to the Pis' devices")
  }

  #queue(device: Device): void {
    if (!this.#settled) return
    this.#due.add(device)
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    const { clock, log, random } = this.#deps
    this.#running = true
    for (const device of this.#due) {
      this.#due.delete(device)
      this.#sent = false
      await this.#turn(device).catch((error: unknown) => log.error({ err: error }, 'a pipeline document failed'))
      await clock.sleep(this.#sent ? GAP.least + (GAP.most - GAP.least) * random() : BREATH_MS)
    }
    this.#running = false
  }
}
