import type { Clock } from '../../src/clock.ts'
import type { DurableLog } from '../../src/durable-log/durable-log.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { DeviceLog } from './device-log.ts'
import { sizeOf } from './packed-row.ts'
import { decodeRows, encodeRows, type RowsRecord } from './spool-record.ts'
import type { PlannedRow, SpooledRow, SpoolUsage } from './spooled-row.ts'

/** Rows of one device that have their tokens. */
export interface Planned<Row extends SpooledRow = PlannedRow> {
  readonly device: DeviceLog
  readonly rows: readonly Row[]
}

export interface RowLogDeps {
  readonly clock: Clock
  /** Bytes of rows that may be in memory. */
  readonly memoryBytes: number
  /** The devices whose rows are in this log. */
  readonly devices: () => Iterable<DeviceLog>
  /** One of them. */
  readonly deviceOf: (hostname: string) => DeviceLog | undefined
  /** Rows of a device are in memory, and no more of them will come just now. */
  readonly onLoaded: (device: DeviceLog) => void
}

/**
 * Rows of devices in a durable log, the oldest of them in memory. Records before the cursor have been loaded, those from
 * it on have not; while the cursor is at the end, new rows stay in memory and are never read back. So however long
 * Snowflake is away, memory has a bound, and the log is read once, in order, at the pace at which rows leave.
 */
export class RowLog {
  readonly log: DurableLog
  readonly usage: SpoolUsage = { bytes: 0, loaded: 0 }
  readonly #deps: RowLogDeps
  #cursor: number
  /** The last record that its devices know of. */
  #accepted: number
  #loading: Promise<void> | undefined
  readonly failed: Promise<never>
  #fail: (error: unknown) => void = () => undefined

  constructor(log: DurableLog, deps: RowLogDeps) {
    this.log = log
    this.#deps = deps
    this.#cursor = log.firstSequence
    this.#accepted = log.nextSequence - 1
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => undefined)
    log.failed.catch((error: unknown) => this.#fail(error))
  }

  /** The last record that its devices know of. */
  get accepted(): number {
    return this.#accepted
  }

  /** Rows wait on the disk for room in memory. */
  get crowded(): boolean {
    return this.#cursor <= this.#accepted
  }

  /** Below it no record has rows that wait. */
  needed(devices: Iterable<DeviceLog>): number {
    let needed = this.#cursor
    for (const device of devices) needed = Math.min(needed, device.rows[0]?.record ?? needed)
    return needed
  }

  /** Reads what an earlier process has left. `visit` gives the device when the rows are still its own. */
  async restore(visit: (record: RowsRecord, sequence: number) => DeviceLog | undefined): Promise<void> {
    let whole = true
    for await (const { sequence, body } of this.log.read(this.log.firstSequence)) {
      const record = this.#decode(body, sequence)
      const device = record && visit(record, sequence)
      whole &&= this.usage.loaded < this.#deps.memoryBytes
      if (!whole) continue
      this.#cursor = sequence + 1
      if (record && device) this.#loadRecord(record, device)
    }
    if (whole) this.#cursor = this.log.nextSequence
    this.#checkWhole()
  }

  /** Writes rows; resolves when they are durable and their devices have them. */
  async append(planned: readonly Planned[]): Promise<void> {
    const last = await this.log.append(
      planned.map(({ device, rows }) => encodeRows(device.hostname, device.term, rows)),
    )
    const first = last - planned.length + 1
    const memory = planned.reduce((sum, { rows }) => rows.reduce((inner, row) => inner + sizeOf(row).memory, sum), 0)
    const inMemory = this.#cursor === first && this.usage.loaded + memory <= this.#deps.memoryBytes
    this.#written(last, inMemory)
    for (const [index, { device, rows }] of planned.entries()) {
      for (const row of rows) row.record = first + index
      device.accept(rows, inMemory)
    }
    this.eased()
  }

  /** Writes records that are not rows. */
  async note(bodies: readonly Uint8Array[]): Promise<void> {
    const last = await this.log.append(bodies)
    this.#written(last, this.#cursor === last - bodies.length + 1)
  }

  /** Takes over rows that their device has already, from another log. They are loaded afterwards. */
  async copy(device: DeviceLog, rows: readonly SpooledRow[]): Promise<void> {
    this.#written(await this.log.append(encodeRows(device.hostname, device.term, rows)), false)
  }

  /** The next rows of this device are just being read. */
  isReading(device: DeviceLog): boolean {
    return this.#loading !== undefined && device.rows.length < device.waiting
  }

  /** Rows have left: there may be room in memory for the next ones. Read many at once, they make batches that are worth it. */
  eased(): void {
    const { loaded } = this.usage
    if (this.#loading !== undefined || !this.crowded || loaded > this.#deps.memoryBytes / 2) return
    if (!this.#isMissing()) {
      this.#cursor = this.#accepted + 1
      return
    }
    this.#loading = this.#load()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#loading = undefined
        for (const device of this.#deps.devices()) if (device.rows.length > 0) this.#deps.onLoaded(device)
        // Not at once: each device gets its turn with what is here now.
        setImmediate(() => this.eased())
      })
  }

  /** The records of a device's rows that wait, as they stand now. */
  async *rowsOf(devices: ReadonlySet<DeviceLog>): AsyncGenerator<Planned<SpooledRow>> {
    const through = this.#accepted
    for await (const { sequence, body } of this.log.read(this.needed(devices))) {
      if (sequence > through) return
      const record = this.#decode(body, sequence)
      const device = record && this.#deps.deviceOf(record.device)
      if (!record || !device || !devices.has(device)) continue
      const rows = rowsWaiting(record, device)
      if (rows.length > 0) yield { device, rows }
    }
  }

  async close(): Promise<void> {
    await this.#loading
    await this.log.close()
  }

  #written(last: number, passed: boolean): void {
    if (passed) this.#cursor = last + 1
    this.#accepted = last
  }

  async #load(): Promise<void> {
    const through = this.#accepted
    let full = false
    for await (const { sequence, body } of this.log.read(this.#cursor)) {
      if (sequence > through) break
      if (sequence < this.#cursor) continue
      this.#cursor = sequence + 1
      const record = this.#decode(body, sequence)
      const device = record && this.#deps.deviceOf(record.device)
      if (record && device) this.#loadRecord(record, device)
      full = this.usage.loaded >= this.#deps.memoryBytes
      if (full) break
    }
    if (!full) this.#cursor = Math.max(this.#cursor, through + 1)
    this.#checkWhole()
  }

  #loadRecord(record: RowsRecord, device: DeviceLog): void {
    const rows = rowsWaiting(record, device)
    // Rows of a record share their bytes: some of them would hold those of all.
    const isWhole = rows.length === record.rows.length
    for (const row of rows) device.load(isWhole ? row : { ...row, json: Buffer.from(row.json) })
  }

  /**
   * A row is as old as the clock that may jump says. It is not due because it was on the disk: a fleet
   * whose rows all pass through it would be sent one by one. One of the future is: nobody knows how old it is.
   */
  #decode(body: Uint8Array, sequence: number): RowsRecord | undefined {
    const { clock } = this.#deps
    return decodeRows(body, sequence, (receivedAt) => {
      const age = clock.now() - receivedAt
      return age < 0 ? Number.NEGATIVE_INFINITY : clock.monotonic() - age
    })
  }

  /** Opening finds out what can still be read; what cannot is then not known here, and comes again from the outboxes. */
  #checkWhole(): void {
    if (this.crowded || !this.#isMissing()) return
    throw new SnowhatError('E_LOG_CORRUPT', 'rows of the spool on the disk can no longer be read', {
      hint: 'start the bridge again: it finds out what is left, and the publishers send the rest again; check the disk',
    })
  }

  /** Rows wait that are not in memory. */
  #isMissing(): boolean {
    for (const { rows, waiting } of this.#deps.devices()) if (rows.length < waiting) return true
    return false
  }
}

/** The rows of a record that wait. */
function rowsWaiting(record: RowsRecord, device: DeviceLog): readonly SpooledRow[] {
  return rowsNow(record, device).filter(({ token }) => device.waits(token))
}

/** The rows of a record with the tokens they bear now. */
export function rowsNow({ rows, term }: RowsRecord, device: DeviceLog): readonly SpooledRow[] {
  if (device.retokenings.length === 0) return rows
  return rows.map((row) => ({ ...row, token: device.tokenNow(term, row.token) }))
}
