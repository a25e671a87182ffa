import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { type DurableLog, openDurableLog } from '../../src/durable-log/durable-log.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import type { Log } from '../../src/log.ts'
import { randomId } from '../../src/random-id.ts'
import type { TakeOver } from '../lanes/take-over.ts'
import { AsideLogs } from './aside-logs.ts'
import type { DeviceLog } from './device-log.ts'
import { Devices } from './devices.ts'
import { RowLog, rowsNow } from './row-log.ts'
import { type Arrival, ASIDE_BYTES, bytesOf, type Spool, spoolFull } from './spool.ts'
import { type DeviceFacts, decodeFacts, encodeFacts, factsOf, restoreFacts } from './spool-record.ts'

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

/** Facts of all devices, after the log's record `through`. */
interface Snapshot {
  readonly instance: string
  readonly through: number
  readonly devices: Readonly<Record<string, DeviceFacts>>
}

const SNAPSHOT = 'devices.snapshot'
/** How often the snapshot is written when something has left the spool. */
const TIDY_EVERY_MS = 15_000
/** Rows moved aside are written in pieces of this size. */
const PIECE_BYTES = 512 * 1024

export async function openDiskSpool(settings: DiskSpoolSettings, deps: DiskSpoolDeps): Promise<DiskSpool> {
  const fs = deps.fs ?? nodeFileSystem()
  const log = await openDurableLog({ dir: settings.dir }, { clock: deps.clock, log: deps.log, fs })
  try {
    return await DiskSpool.restore(settings, { ...deps, fs }, log)
  } catch (error) {
    await log.close()
    throw error
  }
}

export class DiskSpool implements Spool {
  onLoaded: (device: DeviceLog) => void = () => undefined
  readonly failed: Promise<never>
  readonly #path: string
  readonly #maxBytes: number
  readonly #deps: Deps
  readonly #rows: RowLog
  readonly #aside: AsideLogs
  readonly #devices: Devices
  /** Tokens follow one another: nothing else may give any between the plan of a write and its end. */
  readonly #writing = new Gate(1)
  readonly #stop = new AbortController()
  readonly #newId: (length: number) => string
  #tidying: Promise<void> = Promise.resolve()
  #untidy = true
  #instance = ''

  private constructor({ dir, maxBytes, memoryBytes }: DiskSpoolSettings, deps: Deps, log: DurableLog) {
    this.#path = join(dir, SNAPSHOT)
    this.#maxBytes = maxBytes
    this.#deps = deps
    this.#newId = deps.newId ?? randomId
    const onLoaded = (device: DeviceLog) => this.onLoaded(device)
    this.#rows = new RowLog(log, {
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
    const known = await spool.#readSnapshot()
    // The instance is in the tokens: it must be on the disk before the first is given.
    spool.#instance = known?.instance ?? spool.#newId(4)
    await spool.#restoreDevices(known)
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

  get crowded(): boolean {
    return this.#rows.crowded
  }

  device(hostname: string): DeviceLog {
    return this.#devices.of(hostname)
  }

  devices(): Iterable<DeviceLog> {
    return this.#devices.all()
  }

  append(arrivals: readonly Arrival[]): Promise<ReadonlySet<DeviceLog>> {
    return this.#writing.pass(async () => {
      const away = new Set<DeviceLog>()
      const main: Arrival[] = []
      const aside: [RowLog, Arrival][] = []
      for (const arrival of arrivals) {
        const { device, rows } = arrival
        const log = this.#aside.of(device)
        if (log === undefined) main.push(arrival)
        else if (device.bytes + bytesOf(rows) > ASIDE_BYTES) away.add(device)
        else aside.push([log, arrival])
      }
      if (this.#devices.isFullFor(main)) throw spoolFull()
      const plan = ({ device, rows }: Arrival) => ({ device, rows: device.plan(this.#instance, rows) })
      const writes = aside.map(([log, arrival]) => log.append([plan(arrival)]))
      if (main.length > 0) writes.push(this.#rows.append(main.map(plan)))
      const [failed] = (await Promise.allSettled(writes)).filter((one) => one.status === 'rejected')
      if (failed !== undefined) await written(Promise.reject(failed.reason))
      return away
    })
  }

  async save(devices: readonly DeviceLog[]): Promise<void> {
    await this.#writing.pass(() => this.#note(devices))
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

  takeOver(device: DeviceLog, takeOver: TakeOver): Promise<void> {
    return this.#writing.pass(async () => {
      device.takeOver(this.#instance, takeOver)
      await this.#note([device])
      this.trimmed(device)
    })
  }

  moveAside(devices: readonly DeviceLog[]): Promise<void> {
    return this.#writing.pass(async () => {
      const moving = new Set(devices.filter((device) => !device.aside && device.waiting > 0))
      const bytes = [...moving].reduce((sum, device) => sum + device.bytes, this.#aside.bytes)
      // Together they may not fill the disk either.
      if (moving.size === 0 || bytes > this.#maxBytes) return
      const logs = new Map<DeviceLog, RowLog>()
      for (const device of moving) logs.set(device, await this.#aside.openEmpty(device))
      await this.#copyRows(moving, logs)
      for (const [device, log] of logs) {
        device.aside = true
        device.unload(log.usage)
        log.eased()
      }
      await this.#note([...moving])
      this.#deps.log.warn(
        { devices: [...moving].map(({ hostname }) => hostname) },
        'these devices cannot be delivered: their rows are moved aside, each to a log of its own',
      )
      this.#rows.eased()
    })
  }

  async renew(): Promise<void> {
    this.#instance = this.#newId(4)
    await this.#writeSnapshot()
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

  #throughOf(device: DeviceLog): number {
    return ((device.aside ? this.#aside.of(device) : undefined) ?? this.#rows).accepted
  }

  /** The facts as they are now. */
  #note(devices: readonly DeviceLog[]): Promise<void> {
    return written(this.#rows.note(devices.map((device) => encodeFacts(device, this.#throughOf(device)))))
  }

  async #copyRows(moving: ReadonlySet<DeviceLog>, logs: ReadonlyMap<DeviceLog, RowLog>): Promise<void> {
    for await (const { device, rows } of this.#rows.rowsOf(moving)) {
      let from = 0
      let bytes = 0
      for (const [index, row] of rows.entries()) {
        bytes += row.json.length
        if (bytes < PIECE_BYTES && index < rows.length - 1) continue
        await logs.get(device)?.copy(device, rows.slice(from, index + 1))
        from = index + 1
        bytes = 0
      }
    }
  }

  /** None of its rows is left: from now on it is one of the others again. */
  async #comeBack(device: DeviceLog): Promise<void> {
    await this.#writing.pass(async () => {
      if (!device.aside || device.waiting > 0) return
      device.aside = false
      device.unload(this.#rows.usage)
      await this.#note([device])
      await this.#aside.remove(device)
      this.#deps.log.info({ device: device.hostname }, 'a device that was aside is delivered again')
    })
  }

  async #readSnapshot(): Promise<Snapshot | undefined> {
    const snapshot = await readSnapshot(this.#deps.fs, this.#path)
    return snapshot === undefined ? undefined : (JSON.parse(snapshot.bytes.toString('utf8')) as Snapshot)
  }

  async #restoreDevices(known: Snapshot | undefined): Promise<void> {
    const facts = new Map(Object.entries(known?.devices ?? {}))
    for await (const { sequence, body } of this.#rows.log.read((known?.through ?? 0) + 1)) {
      const found = decodeFacts(body)
      if (found !== undefined && sequence > (known?.through ?? 0)) facts.set(found.device, found.facts)
    }
    for (const [hostname, one] of facts) restoreFacts(this.#devices.of(hostname), one)
    await this.#restoreRows(this.#rows, facts)
    await this.#aside.sweep((hostname) => this.#devices.of(hostname).aside)
    for (const device of this.#devices.all()) {
      if (!device.aside) continue
      const log = await this.#aside.open(device)
      device.unload(log.usage)
      await this.#restoreRows(log, facts)
    }
    for (const device of this.#devices.all()) {
      device.given = device.newest ?? null
      const { made } = device
      if (made !== null) device.made = { ...made, seq: Math.max(made.seq, device.received.max(made.stream) ?? 0) }
    }
  }

  async #restoreRows(log: RowLog, facts: ReadonlyMap<string, DeviceFacts>): Promise<void> {
    await log.restore((record, sequence) => {
      const device = this.#devices.of(record.device)
      if (log === this.#rows && device.aside) return undefined
      for (const row of rowsNow(record, device)) device.restore(row)
      if (sequence > (facts.get(record.device)?.through ?? 0)) device.counters.received += record.rows.length
      return device
    })
  }

  /** Facts are taken between two writes, so they are those after the last record. */
  async #writeSnapshot(): Promise<void> {
    this.#untidy = false
    const { log } = this.#rows
    const facts = [...this.#devices.all()].map((device) => [device.hostname, factsOf(device, this.#throughOf(device))])
    const snapshot: Snapshot = {
      instance: this.#instance,
      through: log.nextSequence - 1,
      devices: Object.fromEntries(facts),
    }
    await writeSnapshot(this.#deps.fs, this.#path, Buffer.from(JSON.stringify(snapshot)))
    await log.deleteBefore(this.#rows.needed(this.#inMain()))
    for (const [device, aside] of this.#aside) await aside.log.deleteBefore(aside.needed([device]))
  }

  async #keepTidy(): Promise<void> {
    const { clock, log } = this.#deps
    while (!this.#stop.signal.aborted) {
      await clock.sleep(TIDY_EVERY_MS, this.#stop.signal).catch(() => undefined)
      if (!this.#untidy || this.#stop.signal.aborted) continue
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
    throw error instanceof SnowhatError && error.code === 'E_LOG_FULL' ? spoolFull(error) : error
  }
}
