import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { openDurableLog } from '../../src/durable-log/durable-log.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { systemCode } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { DeviceLog } from './device-log.ts'
import { RowLog } from './row-log.ts'

export interface AsideLogsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly fs: FileSystem
  readonly onLoaded: (device: DeviceLog) => void
}

/** Rows in memory of a device that cannot be delivered anyway. */
const MEMORY_BYTES = 1024 * 1024
/** Small, so that they go soon when the device comes back. */
const SEGMENT_BYTES = 4 * 1024 * 1024

/** The logs of devices that are aside, each in a directory of its own under `aside/`. */
export class AsideLogs {
  readonly #dir: string
  readonly #deps: AsideLogsDeps
  readonly #logs = new Map<DeviceLog, RowLog>()
  #fail: (error: unknown) => void = () => undefined
  readonly failed: Promise<never>

  constructor(dir: string, deps: AsideLogsDeps) {
    this.#dir = join(dir, 'aside')
    this.#deps = deps
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => undefined)
  }

  of(device: DeviceLog): RowLog | undefined {
    return this.#logs.get(device)
  }

  get bytes(): number {
    return [...this.#logs.values()].reduce((sum, { usage }) => sum + usage.bytes, 0)
  }

  [Symbol.iterator](): Iterator<[DeviceLog, RowLog]> {
    return this.#logs.entries()
  }

  /** What is there of it is gone on with. */
  async open(device: DeviceLog): Promise<RowLog> {
    const rows = await this.#open(device)
    this.add(device, rows)
    return rows
  }

  /** A new one: what was there is no longer the device's. Its rows are in it only when it is added. */
  async openEmpty(device: DeviceLog): Promise<RowLog> {
    await this.#clear(this.#dirOf(device))
    return this.#open(device)
  }

  add(device: DeviceLog, rows: RowLog): void {
    this.#logs.set(device, rows)
  }

  /** One that was never added. */
  async abandon(device: DeviceLog, rows: RowLog): Promise<void> {
    await rows.close()
    await this.#clear(this.#dirOf(device))
  }

  async #open(device: DeviceLog): Promise<RowLog> {
    const { clock, log, fs, onLoaded } = this.#deps
    const settings = { dir: this.#dirOf(device), segmentBytes: SEGMENT_BYTES }
    const rows = new RowLog(await openDurableLog(settings, { clock, log, fs }), {
      clock,
      memoryBytes: MEMORY_BYTES,
      devices: () => [device],
      deviceOf: () => device,
      onLoaded,
    })
    rows.failed.catch((error: unknown) => this.#fail(error))
    return rows
  }

  /** Takes away what a crash has left of devices that are not aside. */
  async sweep(isAside: (hostname: string) => boolean): Promise<void> {
    for (const hostname of await this.#list(this.#dir))
      if (!isAside(hostname)) await this.#clear(join(this.#dir, hostname))
  }

  async remove(device: DeviceLog): Promise<void> {
    const rows = this.#logs.get(device)
    this.#logs.delete(device)
    await rows?.close()
    await this.#clear(this.#dirOf(device))
  }

  async close(): Promise<void> {
    for (const rows of this.#logs.values()) await rows.close()
  }

  #dirOf({ hostname }: DeviceLog): string {
    return join(this.#dir, hostname)
  }

  async #clear(dir: string): Promise<void> {
    const { fs } = this.#deps
    const names = await this.#list(dir)
    for (const name of names) await fs.unlink(join(dir, name))
    if (names.length > 0) await fs.syncDirectory(dir)
  }

  async #list(dir: string): Promise<string[]> {
    try {
      return await this.#deps.fs.list(dir)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw error
    }
  }
}
