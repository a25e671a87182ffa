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
import type { DeviceLog, NewRow, TakeOver } from './device-log.ts'
import { Devices } from './devices.ts'
import { type Spool, spoolFull } from './spool.ts'
import {
  type DeviceFacts,
  decodeRecord,
  encodeFacts,
  encodeRows,
  factsOf,
  type RestoredRow,
  restoreDevice,
} from './spool-record.ts'

/*
 * A spool that survives a power cut. Rows are in a durable log; what is known of the devices is in a snapshot that is
 * replaced from time to time, so that the log's old segments can go. Opening reads the snapshot and then the whole
 * log: rows that are committed by then, or of an older term, are left out.
 *
 * Trims are not written one by one. A row that comes back after a crash although it is in the table leaves again when
 * its channel is opened and says how far it has committed.
 */

export interface DiskSpoolSettings {
  readonly dir: string
  readonly maxBytes: number
}

export interface DiskSpoolDeps {
  readonly clock: Clock
  readonly log: Log
  readonly newId?: (length: number) => string
  readonly fs?: FileSystem
}

/** Facts of all devices, after the log's record `through`. */
interface Snapshot {
  readonly instance: string
  readonly through: number
  readonly devices: Readonly<Record<string, DeviceFacts>>
}

const SNAPSHOT = 'devices.snapshot'
/** How often the snapshot is written when something has left the spool. */
const TIDY_EVERY_MS = 15_000

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
  readonly #path: string
  readonly #deps: DiskSpoolDeps & { readonly fs: FileSystem }
  readonly #log: DurableLog
  readonly #devices: Devices
  /** Tokens follow one another: nothing else may give any between the plan of a write and its end. */
  readonly #writing = new Gate(1)
  readonly #stop = new AbortController()
  readonly #newId: (length: number) => string
  #tidying: Promise<void> = Promise.resolve()
  #untidy = true
  #instance = ''

  private constructor(settings: DiskSpoolSettings, deps: DiskSpoolDeps & { readonly fs: FileSystem }, log: DurableLog) {
    this.#path = join(settings.dir, SNAPSHOT)
    this.#devices = new Devices(settings.maxBytes)
    this.#deps = deps
    this.#log = log
    this.#newId = deps.newId ?? randomId
  }

  static async restore(
    settings: DiskSpoolSettings,
    deps: DiskSpoolDeps & { readonly fs: FileSystem },
    log: DurableLog,
  ): Promise<DiskSpool> {
    const spool = new DiskSpool(settings, deps, log)
    const known = await spool.#readSnapshot()
    // The instance is in the tokens: it must be on the disk before the first is given.
    spool.#instance = known?.instance ?? spool.#newId(4)
    await spool.#readLog(known)
    await spool.#writeSnapshot()
    spool.#tidying = spool.#keepTidy()
    return spool
  }

  get instance(): string {
    return this.#instance
  }

  get bytes(): number {
    return this.#devices.usage.bytes
  }

  get failed(): Promise<never> {
    return this.#log.failed
  }

  device(hostname: string): DeviceLog {
    return this.#devices.of(hostname)
  }

  devices(): Iterable<DeviceLog> {
    return this.#devices.all()
  }

  append(device: DeviceLog, rows: readonly NewRow[]): Promise<void> {
    return this.#writing.pass(async () => {
      if (this.#devices.isFullFor(rows)) throw spoolFull()
      const planned = device.plan(this.#instance, rows)
      const record = await this.#write([encodeRows(device.hostname, device.term, planned)])
      device.accept(planned.map((row) => ({ ...row, record })))
    })
  }

  async save(device: DeviceLog): Promise<void> {
    await this.#writing.pass(() => this.#write([encodeFacts(device)]))
  }

  trimmed(_device: DeviceLog): void {
    this.#untidy = true
  }

  takeOver(device: DeviceLog, takeOver: TakeOver): Promise<void> {
    return this.#writing.pass(async () => {
      device.takeOver(this.#instance, takeOver)
      const record = await this.#write([encodeRows(device.hostname, device.term, device.rows), encodeFacts(device)])
      device.moved(record - 1)
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
    await this.#log.close()
  }

  async #write(bodies: readonly Uint8Array[]): Promise<number> {
    try {
      return await this.#log.append(bodies)
    } catch (error) {
      throw error instanceof SnowhatError && error.code === 'E_LOG_FULL' ? spoolFull(error) : error
    }
  }

  async #readSnapshot(): Promise<Snapshot | undefined> {
    const snapshot = await readSnapshot(this.#deps.fs, this.#path)
    return snapshot === undefined ? undefined : (JSON.parse(snapshot.bytes.toString('utf8')) as Snapshot)
  }

  async #readLog(known: Snapshot | undefined): Promise<void> {
    const facts = new Map(Object.entries(known?.devices ?? {}))
    const factsAt = new Map([...facts.keys()].map((hostname) => [hostname, known?.through ?? 0]))
    const rows = new Map<string, Omit<RestoredRow, 'counted'>[]>()
    for await (const { sequence, body } of this.#log.read(this.#log.firstSequence)) {
      const record = decodeRecord(body)
      if (record.kind === 'facts') {
        if (sequence <= (known?.through ?? 0)) continue
        facts.set(record.device, record.facts)
        factsAt.set(record.device, sequence)
        continue
      }
      const list = rows.get(record.device) ?? []
      for (const row of record.rows) list.push({ term: record.term, row: { ...row, record: sequence } })
      rows.set(record.device, list)
    }
    for (const hostname of new Set([...facts.keys(), ...rows.keys()])) {
      const at = factsAt.get(hostname) ?? 0
      const found = (rows.get(hostname) ?? []).map((one) => ({ ...one, counted: one.row.record <= at }))
      this.#devices.restore(restoreDevice(hostname, facts.get(hostname), found, this.#devices.usage))
    }
  }

  /** Facts are taken between two writes, so they are those after the last record. */
  async #writeSnapshot(): Promise<void> {
    this.#untidy = false
    const snapshot: Snapshot = {
      instance: this.#instance,
      through: this.#log.nextSequence - 1,
      devices: Object.fromEntries([...this.#devices.all()].map((device) => [device.hostname, factsOf(device)])),
    }
    await writeSnapshot(this.#deps.fs, this.#path, Buffer.from(JSON.stringify(snapshot)))
    let needed = this.#log.nextSequence
    for (const device of this.#devices.all()) needed = Math.min(needed, device.rows[0]?.record ?? needed)
    await this.#log.deleteBefore(needed)
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
