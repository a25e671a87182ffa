import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type FileSystem, type OpenFile, readThrough } from '../src/durable-log/filesystem.ts'
import { systemCode } from '../src/errors.ts'
import { Gate } from '../src/gate.ts'
import type { Log } from '../src/log.ts'

/*
 * The last place that may have been sent, durable before the reading there is sent: all after it surely never were, and
 * only those may still change their names (`outbox rename`).
 *
 * A small file that is written in place, for that needs no room on a full disk: two slots, the newer one counts. A slot
 * is a sector, which is written whole or not at all.
 */

const FILE = 'outbox.sent'
const UNFINISHED = 'outbox.sent.tmp'
const SLOT = 512
/** So many readings may be sent before it is written again. */
const AHEAD = 1_000
/** Magic, CRC-32 of the rest, how often it was written, place. */
const MAGIC = Buffer.from('SNOWSENT')
const LENGTH = 28

interface Slot {
  readonly turn: number
  readonly place: number
}

/** `undefined` when nothing is known: then everything may have been sent. */
export async function readSentMark(fs: FileSystem, dir: string): Promise<number | undefined> {
  const file = await openIfThere(fs, join(dir, FILE), 'read')
  if (file === undefined) return undefined
  try {
    return (await newest(file))?.place
  } finally {
    await file.close()
  }
}

export class SentMark {
  readonly #fs: FileSystem
  readonly #dir: string
  readonly #log: Log
  readonly #writing = new Gate(1)
  #file: OpenFile | undefined
  #turn = 0
  /** As the disk knows it. */
  #marked = 0
  /** As it is. */
  #sent: number
  #sentBefore = 0

  private constructor(fs: FileSystem, dir: string, log: Log, sent: number) {
    this.#fs = fs
    this.#dir = dir
    this.#log = log
    this.#sent = sent
  }

  /** `last` is the last place of all: what was lost with the power after it has its place no more. */
  static async open(fs: FileSystem, dir: string, last: number, log: Log): Promise<SentMark> {
    const known = await readSentMark(fs, dir)
    const mark = new SentMark(fs, dir, log, Math.min(last, known ?? last))
    mark.#file = await openIfThere(fs, join(dir, FILE), 'write')
    mark.#turn = mark.#file === undefined ? 0 : ((await newest(mark.#file))?.turn ?? 0)
    mark.#marked = known ?? Number.POSITIVE_INFINITY
    if (known !== mark.#sent) await mark.#writing.pass(() => mark.#write(mark.#sent))
    return mark
  }

  /** Before the reading of that place is sent. */
  async reach(place: number): Promise<void> {
    this.#sent = Math.max(this.#sent, place)
    if (this.#sent <= this.#marked) return
    await this.#writing.pass(async () => {
      if (this.#sent > this.#marked) await this.#write(this.#sent + AHEAD)
    })
  }

  /** Now and then: while readings flow the mark runs ahead of them; when they rest it can be exact. */
  async rest(): Promise<void> {
    if (this.#sent === this.#sentBefore) await this.narrow()
    this.#sentBefore = this.#sent
  }

  async narrow(): Promise<void> {
    if (this.#sent !== this.#marked) await this.#writing.pass(() => this.#write(this.#sent))
  }

  async close(): Promise<void> {
    await this.#writing.pass(async () => this.#file?.close())
  }

  /** Where it cannot be made durable there is no mark afterwards, which says enough: readings go out all the same. */
  async #write(place: number): Promise<void> {
    // Before it is narrowed on the disk, so that nothing goes out beyond it meanwhile.
    this.#marked = Math.min(this.#marked, place)
    try {
      this.#file ??= await this.#create()
      this.#turn++
      await this.#file.write(encode({ turn: this.#turn, place }), (this.#turn % 2) * SLOT)
      await this.#file.datasync()
    } catch (error) {
      this.#log.debug({ err: error }, 'what was sent could not be written down: after a start everything may have been')
      await this.#discard()
    }
    this.#marked = place
  }

  /** As far as the disk still does anything at all. */
  async #discard(): Promise<void> {
    await this.#file?.close().catch(() => undefined)
    this.#file = undefined
    for (const name of [FILE, UNFINISHED]) await this.#fs.unlink(join(this.#dir, name)).catch(() => undefined)
    await this.#fs.syncDirectory(this.#dir).catch(() => undefined)
  }

  /** It gets its name when it has its room. */
  async #create(): Promise<OpenFile> {
    const unfinished = join(this.#dir, UNFINISHED)
    const file = await this.#fs.open(unfinished, 'replace')
    try {
      await file.write(Buffer.alloc(2 * SLOT), 0)
      await file.datasync()
      await this.#fs.rename(unfinished, join(this.#dir, FILE))
      await this.#fs.syncDirectory(this.#dir)
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  }
}

function encode({ turn, place }: Slot): Buffer {
  const slot = Buffer.alloc(SLOT)
  MAGIC.copy(slot)
  slot.writeBigUInt64LE(BigInt(turn), 12)
  slot.writeBigUInt64LE(BigInt(place), 20)
  slot.writeUInt32LE(crc32(slot.subarray(12, LENGTH)), 8)
  return slot
}

async function newest(file: OpenFile): Promise<Slot | undefined> {
  const bytes = await readThrough(file, 0, 2 * SLOT)
  const slots = [decode(bytes.subarray(0, SLOT)), decode(bytes.subarray(SLOT))]
  return slots.filter((slot) => slot !== undefined).sort((a, b) => b.turn - a.turn)[0]
}

function decode(slot: Buffer): Slot | undefined {
  if (slot.length < LENGTH || !slot.subarray(0, 8).equals(MAGIC)) return undefined
  if (crc32(slot.subarray(12, LENGTH)) !== slot.readUInt32LE(8)) return undefined
  return { turn: Number(slot.readBigUInt64LE(12)), place: Number(slot.readBigUInt64LE(20)) }
}

async function openIfThere(fs: FileSystem, path: string, mode: 'read' | 'write'): Promise<OpenFile | undefined> {
  try {
    return await fs.open(path, mode)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
