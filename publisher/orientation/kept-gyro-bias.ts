import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import { messageOf } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { Matrix3 } from '../calibration/matrix3.ts'
import { DEGREE, length, minus, type Vector } from '../sensors/rotation.ts'

const FILE = 'gyro-bias'
/** An SD card wears: what has moved by less, rad/s, is not worth a write, and neither is more than one in so long. */
const LEAST_CHANGE = 0.02 * DEGREE
const LEAST_PAUSE_MS = 600_000

/** Of which board a bias is, and in which axes. */
export interface BiasOwner {
  readonly simulated: boolean
  readonly mounting: Matrix3 | null
}

interface Kept extends BiasOwner {
  /** rad/s. */
  readonly bias: readonly [number, number, number]
  /** For people; ISO 8601 UTC. */
  readonly taken_at: string
}

/**
 * The gyroscope's bias over a restart, in the directory of the outbox: a board that is not at rest at the start, as on a boat,
 * could not learn it anew. It is a first guess, and the first two seconds at rest replace it.
 */
export class KeptGyroBias {
  readonly #path: string | undefined
  readonly #owner: BiasOwner
  readonly #deps: { readonly clock: Clock; readonly log: Log; readonly fs: FileSystem }
  /** What the next start knows as it is, and what is known by now. */
  #kept: Vector | null = null
  #known: Vector | null = null
  #writtenAt = Number.NEGATIVE_INFINITY
  #writing: Promise<void> = Promise.resolve()

  /** `dir`: empty keeps nothing. */
  constructor(
    dir: string,
    owner: BiasOwner,
    { clock, log, fs = nodeFileSystem() }: { readonly clock: Clock; readonly log: Log; readonly fs?: FileSystem },
  ) {
    this.#path = dir === '' ? undefined : join(dir, FILE)
    this.#owner = owner
    this.#deps = { clock, log, fs }
  }

  /**
   * rad/s; `otherwise` when nothing is kept that fits this board. That is not kept by itself: the next start finds it where this
   * one has, or a newer one. Never rejects.
   */
  async read(otherwise: Vector | null = null): Promise<Vector | null> {
    this.#kept = otherwise
    if (this.#path === undefined) return otherwise
    try {
      const found = await readSnapshot(this.#deps.fs, this.#path)
      this.#kept = (found && biasIn(found.bytes, this.#owner)) ?? otherwise
    } catch (error) {
      this.#deps.log.warn({ reason: messageOf(error) }, "the gyroscope's bias could not be read; it is learned anew")
    }
    return this.#kept
  }

  /** Told as often as one likes, it writes seldom. `null` changes nothing. */
  learned(bias: Vector | null): void {
    if (bias === null) return
    this.#known = bias
    if (this.#deps.clock.monotonic() - this.#writtenAt >= LEAST_PAUSE_MS) this.#write()
  }

  /** Resolves when the last that was learned is on the disk. Never rejects. */
  close(): Promise<void> {
    this.#write()
    return this.#writing
  }

  #write(): void {
    const [path, known, { clock, log, fs }] = [this.#path, this.#known, this.#deps]
    if (path === undefined || known === null) return
    if (this.#kept !== null && length(minus(known, this.#kept)) < LEAST_CHANGE) return
    this.#kept = known
    this.#writtenAt = clock.monotonic()
    const kept: Kept = {
      ...this.#owner,
      bias: [known.x, known.y, known.z],
      taken_at: new Date(clock.now()).toISOString(),
    }
    this.#writing = this.#writing
      .then(() => writeSnapshot(fs, path, Buffer.from(JSON.stringify(kept))))
      .catch((error: unknown) =>
        log.warn({ reason: messageOf(error) }, "the gyroscope's bias is known, and forgotten at the next start"),
      )
  }
}

/** What another version or another board has kept is no guess. */
function biasIn(bytes: Buffer, { simulated, mounting }: BiasOwner): Vector | null {
  const kept = JSON.parse(bytes.toString('utf8')) as Partial<Kept> | null
  if (kept?.simulated !== simulated || JSON.stringify(kept.mounting) !== JSON.stringify(mounting)) return null
  const [x, y, z] = kept.bias ?? []
  return Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(z) ? ({ x, y, z } as Vector) : null
}
