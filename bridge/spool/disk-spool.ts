import type { Clock } from '../../src/clock.ts'
import { type DurableLog, openDurableLog } from '../../src/durable-log/durable-log.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import type { Log } from '../../src/log.ts'
import { randomId } from '../../src/random-id.ts'
import type { TakeOver } from '../lanes/take-over.ts'
import { AsideLogs } from './aside-logs.ts'
import type { DeviceLog } from './device-log.ts'
import { Devices } from './devices.ts'
import { FactsGroup } from './facts-group.ts'
import { moveAside } from './move-aside.ts'
import { restoreDevices } from './restore-devices.ts'
import { forgetChannel, retire } from './retire.ts'
import { type Planned, RowLog } from './row-log.ts'
import { type Arrival, ASIDE_BYTES, bytesOf, rowsWait, type Spool, spoolFull } from './spool.ts'
import { encodeFacts, factsOf } from './spool-record.ts'
import { encodeSnapshot, readSpoolSnapshot, writeSpoolSnapshot } from './spool-snapshot.ts'

/*
 * A spool that survives a power cut. Rows are in a durable log; what is known of the devices is in a snapshot that is
 * replaced from time to time, so that the log's old segments can go. Opening reads the snapshot and then the whole
 * log: rows that are committed by then are left out.
 *
 * Trims are not written one by one. A row that comes back after a crash although it is in the table leaves again when
 * its channel is opened and says how far it has committed.
 */

export interface DiskSpoolSettings {
  readonly dir: string
  /** Of rows on the disk. */
  readonly maxBytes: number
  /** Of rows in memory. */
  readonly memoryBytes: number
}

export interface DiskSpoolDeps {
  readonly clock: Clock
  readonly log: Log
  readonly newId?: (length: number) => string
  readonly fs?: FileSystem
}

type Deps = DiskSpoolDeps & { readonly fs: FileSystem }

/** How often the snapshot is written when something has left the spool; that of a large fleet less often, it is larger. */
const TIDY_EVERY_MS = 15_000
const TIDY_MS_PER_DEVICE = 3

export async function openDiskSpool(settings: DiskSpoolSettings, deps: DiskSpoolDeps): Promise<DiskSpool> {
  const fs = deps.fs ?? nodeFileSystem()
  const log = await openDurableLog({ dir: settings.dir }, { clock: deps.clock, log: deps.log, fs })
  try {
    const spool = await DiskSpool.restore(settings, { ...deps, fs }, log)
    const { corrupt, gaps, tornTail } = log.report
    const { dir } = settings
    const fresh = corrupt.filter(({ known }) => !known)
    if (fresh.length > 0 || gaps.length > 0)
      deps.log.error({ dir, corrupt: fresh, gaps }, 'the disk has damaged rows of the spool: their Pis send them again')
    deps.log.info({ dir, bytes: spool.bytes, torn: tornTail !== undefined }, 'the spool on disk is open')
    return spool
  } catch (error) {
    await log.close()
    throw error
  }
}

export class DiskSpool implements Spool {
  onLoaded: (device: DeviceLog) => void = () => undefined
  readonly durable = true
  readonly failed: Promise<never>
  readonly #dir: string
  readonly #maxBytes: number
  readonly #deps: Deps
  readonly #rows: RowLog
  readonly #aside: AsideLogs
  readonly #devices: Devices
  /** Tokens follow one another: nothing else may give any between the plan of a write and its end. */
  readonly #writing = new Gate(1)
  readonly #facts = new FactsGroup(this.#writing, (devices) => this.#note(devices))
  readonly #stop = new AbortController()
  readonly #newId: (length: number) => string
  #tidying: Promise<void> = Promise.resolve()
  #untidy = true
  #instance = ''

  private constructor({ dir, maxBytes, memoryBytes }: DiskSpoolSettings, deps: Deps, log: DurableLog) {
    this.#dir = dir
    this.#maxBytes = maxBytes
    this.#deps = deps
    this.#newId = deps.newId ?? randomId
    const onLoaded = (device: DeviceLog) => this.onLoaded(device)
    this.#rows = new RowLog(log, {
      clock: deps.clock,
      memoryBytes,
      devices: () => this.#inMain(),
      deviceOf: (hostname) => {
        const device = this.#devices.of(hostname)
        return device.aside ? undefined : device
      },
      onLoaded,
    })
    this.#aside = new AsideLogs(dir, { ...deps, onLoaded })
    this.#devices = new Devices(maxBytes, this.#rows.usage)
    this.failed = Promise.race([this.#rows.failed, this.#aside.failed])
    this.failed.catch(() => undefined)
  }

  static async restore(settings: DiskSpoolSettings, deps: Deps, log: DurableLog): Promise<DiskSpool> {
    const spool = new DiskSpool(settings, deps, log)
    const known = await readSpoolSnapshot(deps.fs, settings.dir)
    // The instance is in the tokens: it must be on the disk before the first is given.
    spool.#instance = known?.instance ?? spool.#newId(4)
    await restoreDevices(known, spool.#devices, spool.#rows, spool.#aside)
    await spool.#writeSnapshot()
    spool.#tidying = spool.#keepTidy()
    return spool
  }

  get instance(): string {
    return this.#instance
  }

  get bytes(): number {
    return this.#rows.usage.bytes
  }

  /** Without those of devices that are aside: a disk that hangs does so for all. */
  get busyMs(): number {
    return this.#rows.log.busyMs
  }

  get crowded(): boolean {
    return this.#rows.crowded
  }

  device(hostname: string): DeviceLog {
    return this.#devices.of(hostname)
  }

  devices(): Iterable<DeviceLog> {
    return this.#devices.present()
  }

  known(hostname: string): DeviceLog | undefined {
    return this.#devices.known(hostname)
  }

  append(arrivals: readonly Arrival[]): Promise<ReadonlySet<DeviceLog>> {
    return this.#writing.pass(async () => {
      const away = new Set<DeviceLog>()
      const main: Arrival[] = []
      const aside: [RowLog, Arrival][] = []
      for (const arrival of arrivals) {
        const { device, rows } = arrival
        const log = device.aside ? this.#aside.of(device) : undefined
        if (log === undefined) main.push(arrival)
        else if (device.bytes + bytesOf(rows) > ASIDE_BYTES) away.add(device)
        else aside.push([log, arrival])
      }
      if (this.#devices.isFullFor(main)) throw spoolFull()
      const plan = ({ device, rows }: Arrival) => ({ device, rows: device.plan(this.#instance, rows) })
      const hasRows = ({ rows }: Planned) => rows.length > 0
      const writes = aside.flatMap(([log, arrival]) => [plan(arrival)].filter(hasRows).map((one) => log.append([one])))
      const planned = main.map(plan).filter(hasRows)
      if (planned.length > 0) writes.push(this.#rows.append(planned))
      const [failed] = (await Promise.allSettled(writes)).filter((one) => one.status === 'rejected')
      if (failed !== undefined) {
        // What was taken all the same is known when its message comes again, and need not wait for that.
        for (const { device } of arrivals) if (device.waiting > 0) this.onLoaded(device)
        await written(Promise.reject(failed.reason))
      }
      return away
    })
  }

  save(devices: readonly DeviceLog[]): Promise<void> {
    return this.#facts.add(() => devices)
  }

  trimmed(device: DeviceLog): void {
    this.#untidy = true
    if (!device.aside) this.#rows.eased()
    else if (device.waiting > 0) this.#aside.of(device)?.eased()
    else
      this.#comeBack(device).catch((error: unknown) =>
        this.#deps.log.error({ err: error, device: device.hostname }, 'a device could not come back from aside'),
      )
  }

  isReading(device: DeviceLog): boolean {
    return this.#logOf(device).isReading(device)
  }

  eased(device: DeviceLog): void {
    this.#logOf(device).eased()
  }

  async takeOver(device: DeviceLog, takeOver: TakeOver): Promise<void> {
    const written = this.#facts.add(() => {
      device.takeOver(this.#instance, takeOver)
      const { forgotten: readings } = takeOver
      const aside = this.#aside.of(device)?.accepted ?? 0
      if (readings !== undefined) device.forgotten = { main: this.#rows.accepted, aside, readings }
      return [device]
    })
    await written.catch((error: unknown) => {
      // The disk does not know the new tokens: none of them may go out before it does.
      device.resolved = false
      throw error
    })
    this.trimmed(device)
  }

  retire(device: DeviceLog, giveUp: boolean): Promise<void> {
    return this.#writing.pass(async () => {
      if (device.waiting > 0 && !giveUp) throw rowsWait(device)
      retire(device, { main: this.#rows.accepted, aside: this.#aside.of(device)?.accepted ?? 0 })
      await this.#note([device])
      this.trimmed(device)
    })
  }

  forgetChannel(device: DeviceLog): Promise<void> {
    return this.#writing.pass(async () => {
      forgetChannel(device)
      await this.#note([device])
    })
  }

  moveAside(devices: readonly DeviceLog[]): Promise<void> {
    return this.#writing.pass(async () => {
      const moving = new Set(devices.filter((device) => !device.aside && device.waiting > 0))
      const bytes = [...moving].reduce((sum, device) => sum + device.bytes, this.#aside.bytes)
      // Together they may not fill the disk either.
      if (moving.size === 0 || bytes > this.#maxBytes) return
      await moveAside(moving, this.#rows, this.#aside, (facts) => written(this.#rows.note(facts)))
      this.#deps.log.warn(
        { devices: [...moving].map(({ hostname }) => hostname) },
        'these devices cannot be delivered: their rows are moved aside, each to a log of its own',
      )
      this.#rows.eased()
    })
  }

  renew(): Promise<void> {
    return this.#writing.pass(async () => {
      const name = this.#newId(4)
      await this.#writeSnapshot(name)
      this.#instance = name
    })
  }

  /** Writes what is known now, and lets go of the segments nobody needs. */
  tidy(): Promise<void> {
    return this.#writing.pass(() => this.#writeSnapshot())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#tidying
    await this.tidy()
    await this.#aside.close()
    await this.#rows.close()
  }

  #inMain(): DeviceLog[] {
    return [...this.#devices.all()].filter((device) => !device.aside)
  }

  #logOf(device: DeviceLog): RowLog {
    return (device.aside ? this.#aside.of(device) : undefined) ?? this.#rows
  }

  /** The facts as they are now. */
  #note(devices: readonly DeviceLog[]): Promise<void> {
    return written(this.#rows.note(devices.map((device) => encodeFacts(device, this.#logOf(device).accepted))))
  }

  /** None of its rows is left: from now on it is one of the others again, as soon as that is durable. */
  async #comeBack(device: DeviceLog): Promise<void> {
    await this.#writing.pass(async () => {
      if (!device.aside || device.waiting > 0) return
      await written(this.#rows.note([encodeFacts(device, this.#rows.accepted, false)]))
      device.aside = false
      device.unload(this.#rows.usage)
      await this.#aside.remove(device)
      this.#deps.log.info({ device: device.hostname }, 'a device that was aside is delivered again')
    })
  }

  /** Facts are taken between two writes, so they are those after the last record; rows that leave meanwhile have left. */
  async #writeSnapshot(instance = this.#instance): Promise<void> {
    this.#untidy = false
    const { log } = this.#rows
    const needed = this.#rows.needed(this.#inMain())
    const facts = (device: DeviceLog) => factsOf(device, this.#logOf(device).accepted)
    const bytes = await encodeSnapshot({ instance, through: log.nextSequence - 1 }, this.#devices.all(), facts)
    const write = () => writeSpoolSnapshot(this.#deps.fs, this.#dir, bytes)
    await write().catch(async (error: unknown) => {
      if (!isFull(error)) throw error
      // A disk that this log has filled gets room no other way. Should the power go between the two, the channels and
      // the retained ledgers tell again what has left.
      await log.deleteBefore(needed)
      await write()
    })
    await log.deleteBefore(needed)
    for (const [device, aside] of this.#aside) await aside.log.deleteBefore(aside.needed([device]))
  }

  async #keepTidy(): Promise<void> {
    const { clock, log } = this.#deps
    while (!this.#stop.signal.aborted) {
      await clock
        .sleep(TIDY_EVERY_MS + this.#devices.size * TIDY_MS_PER_DEVICE, this.#stop.signal)
        .catch(() => undefined)
      if (this.#stop.signal.aborted) return
      // Those that could not come back when their last row left.
      for (const [device] of this.#aside) if (device.waiting === 0) this.trimmed(device)
      if (!this.#untidy) continue
      // A snapshot that cannot be written costs room, not rows.
      await this.tidy().catch((error: unknown) => log.error({ err: error }, 'the spool could not be tidied up'))
    }
  }
}

/** A disk without room is a spool that is full. */
async function written<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    throw isFull(error) ? spoolFull(error) : error
  }
}

function isFull(error: unknown): boolean {
  return error instanceof SnowhatError && error.code === 'E_LOG_FULL'
}
