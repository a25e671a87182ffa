import type { Gate } from '../../src/gate.ts'
import type { DeviceLog } from './device-log.ts'

interface Group {
  readonly changes: (() => readonly DeviceLog[])[]
  written: Promise<void>
}

/**
 * Changes of what is known of devices, written together: those that come while the disk is busy share the next write. One by
 * one, a fleet whose channels are opened anew would keep its rows from the disk for as long as that takes.
 */
export class FactsGroup {
  readonly #writing: Gate
  readonly #write: (devices: readonly DeviceLog[]) => Promise<void>
  #next: Group | undefined

  /** `writing`: nothing else is written or changed while a group is. */
  constructor(writing: Gate, write: (devices: readonly DeviceLog[]) => Promise<void>) {
    this.#writing = writing
    this.#write = write
  }

  /** Makes the change when it is its turn, and resolves when it is durable. `change` gives the devices it has changed. */
  add(change: () => readonly DeviceLog[]): Promise<void> {
    if (this.#next !== undefined) {
      this.#next.changes.push(change)
      return this.#next.written
    }
    const group: Group = { changes: [change], written: Promise.resolve() }
    this.#next = group
    group.written = this.#writing.pass(async () => {
      // Who comes from here on is too late for this one.
      this.#next = undefined
      await this.#write([...new Set(group.changes.flatMap((make) => make()))])
    })
    return group.written
  }
}
