import { basename, dirname } from 'node:path'
import type { FileSystem, Lock, OpenFile, OpenMode } from '../../../src/durable-log/filesystem.ts'

/**
 * A disk in memory with a crash button. What a program sees is the cache; what a power cut leaves is what was synced and
 * any part of the rest: each sector of an unsynced write, each unsynced change of a directory may be on the disk or not,
 * in any order. It is worse than real disks are.
 *
 * After a failed datasync the cache shows what was written, and no later sync will bring it to the disk (Linux does
 * this): only writing it again does.
 */
export const SECTOR = 512

interface FileNode {
  readonly kind: 'file'
  cache: Buffer
  disk: Buffer
  pending: Change[]
}

interface DirectoryNode {
  readonly kind: 'directory'
  cache: Map<string, Node>
  disk: Map<string, Node>
  pending: ((entries: Map<string, Node>) => void)[]
}

type Node = FileNode | DirectoryNode
type Change = { readonly at: number; readonly bytes: Buffer } | { readonly length: number }

export type Operation = 'write' | 'datasync' | 'truncate' | 'open' | 'rename' | 'unlink' | 'syncDirectory'
export type Chance = () => number

export class MemoryFileSystem implements FileSystem {
  /** Bytes all files together may have. */
  capacity = Number.POSITIVE_INFINITY
  /** Calls so far, of those that change something. */
  operations = 0
  readonly counts: Record<string, number> = {}
  readonly #chance: Chance
  #root: DirectoryNode = directory()
  /** Whoever runs on this machine: a crash or a kill ends all. */
  #run = 0
  #crashAt = Number.POSITIVE_INFINITY
  #onCrash: () => void = () => undefined
  #failures: { operation: Operation; calls: number; code: string }[] = []
  #badSectors: { path: string; from: number; to: number }[] = []
  #locked = new Set<string>()

  constructor(chance: Chance = () => 0.5) {
    this.#chance = chance
  }

  /** Power cut. What runs never hears from the disk again. */
  crash(): void {
    this.#crashNode(this.#root)
    this.kill()
  }

  /** The process is gone, the machine is not. */
  kill(): void {
    this.#run++
    this.#locked.clear()
    this.#failures = []
    this.#crashAt = Number.POSITIVE_INFINITY
  }

  /** Power cut in the middle of the n-th changing call from now on; resolves then. */
  crashAfter(calls: number): Promise<void> {
    this.#crashAt = this.operations + calls
    return new Promise((resolve) => {
      this.#onCrash = resolve
    })
  }

  /** Lets the n-th call from now on fail; a write writes half of it first. */
  failNext(operation: Operation, code = 'EIO', calls = 1): void {
    this.#failures.push({ operation, calls, code })
  }

  /** Reading these bytes fails with EIO. */
  spoil(path: string, from: number, to: number): void {
    this.#badSectors.push({ path, from, to })
  }

  /** The bytes of a file as a program sees them. */
  peek(path: string): Buffer {
    return Buffer.from(this.#file(path).cache)
  }

  /** Puts bytes on the disk, durable. */
  poke(path: string, bytes: Uint8Array): void {
    const node = this.#parent(path).cache.get(basename(path)) ?? file()
    if (node.kind !== 'file') throw failure('EISDIR', path)
    node.cache = Buffer.from(bytes)
    node.disk = Buffer.from(bytes)
    node.pending = []
    this.#parent(path).cache.set(basename(path), node)
    this.#parent(path).disk.set(basename(path), node)
  }

  get used(): number {
    return bytesOf(this.#root)
  }

  async networkShare(): Promise<undefined> {
    return undefined
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#turn()
    const parent = this.#parent(path)
    if (path === '/' || parent.cache.has(basename(path))) throw failure('EEXIST', path)
    this.#change(parent, put(basename(path), directory()))
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const making = mode === 'create' || mode === 'replace'
    await this.#turn(making ? 'open' : undefined)
    let node = this.#parent(path).cache.get(basename(path))
    if (node !== undefined && mode === 'create') throw failure('EEXIST', path)
    if (node === undefined && making) {
      node = file()
      this.#change(this.#parent(path), put(basename(path), node))
    }
    if (node === undefined) throw failure('ENOENT', path)
    if (node.kind !== 'file') throw failure('EISDIR', path)
    if (mode === 'replace') this.#changeFile(node, { length: 0 })
    return this.#openFile(node, path)
  }

  async list(path: string): Promise<string[]> {
    await this.#turn()
    return [...this.#directory(path).cache.keys()].reverse()
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn('rename')
    const parent = this.#parent(from)
    const node = parent.cache.get(basename(from))
    if (node === undefined || dirname(from) !== dirname(to)) throw failure('ENOENT', from)
    this.#change(parent, (entries) => {
      if (entries.get(basename(from)) === node) entries.delete(basename(from))
      entries.set(basename(to), node)
    })
  }

  async unlink(path: string): Promise<void> {
    await this.#turn('unlink')
    const node = this.#file(path)
    this.#change(this.#parent(path), (entries) => {
      if (entries.get(basename(path)) === node) entries.delete(basename(path))
    })
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#turn('syncDirectory')
    const node = this.#directory(path)
    for (const change of node.pending) change(node.disk)
    node.pending = []
  }

  async free(): Promise<number> {
    return Math.max(0, this.capacity - this.used)
  }

  async lock(path: string): Promise<Lock> {
    await this.#turn()
    if (this.#locked.has(path)) return { state: 'taken', by: 'process 1' }
    this.#locked.add(path)
    return {
      state: 'held',
      release: async () => {
        this.#locked.delete(path)
      },
    }
  }

  #openFile(node: FileNode, path: string): OpenFile {
    const run = this.#run
    const turn = (operation?: Operation) => (run === this.#run ? this.#turn(operation) : never())
    return {
      size: async () => {
        await turn()
        return node.cache.length
      },
      read: async (position, length) => {
        await turn()
        const end = Math.min(node.cache.length, position + length)
        if (this.#badSectors.some((bad) => bad.path === path && bad.from < end && position < bad.to))
          throw failure('EIO', path)
        return Buffer.from(node.cache.subarray(position, end))
      },
      write: async (bytes, position) => {
        const room = this.capacity - this.used - Math.max(0, position + bytes.length - node.cache.length)
        const code = room < 0 ? 'ENOSPC' : this.#failure('write')
        const part = room < 0 ? Math.max(0, bytes.length + room) : bytes.length >> 1
        // The crash may come in the middle: what was to be written is under way.
        const written = Buffer.from(code === undefined ? bytes : bytes.subarray(0, part))
        if (run === this.#run && written.length > 0) this.#changeFile(node, { at: position, bytes: written })
        await turn('write')
        if (code !== undefined) throw failure(code, path)
      },
      datasync: async () => {
        const code = this.#failure('datasync')
        await turn('datasync')
        if (code === undefined) for (const change of node.pending) node.disk = changed(node.disk, change)
        else node.disk = this.#survivors(node)
        node.pending = []
        if (code !== undefined) throw failure(code, path)
      },
      truncate: async (length) => {
        const code = this.#failure('truncate')
        await turn('truncate')
        if (code !== undefined) throw failure(code, path)
        this.#changeFile(node, { length })
      },
      close: () => (run === this.#run ? Promise.resolve() : never()),
    }
  }

  /** Every call takes a moment in which others run, or the power goes. */
  async #turn(operation?: Operation): Promise<void> {
    const run = this.#run
    if (operation !== undefined) {
      this.counts[operation] = (this.counts[operation] ?? 0) + 1
      if (++this.operations >= this.#crashAt) {
        this.crash()
        this.#onCrash()
        return never()
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
    if (run !== this.#run) return never()
    // Of a write and the calls on an open file the caller asks before, as they have to know what to do.
    const code =
      operation && ['open', 'rename', 'unlink', 'syncDirectory'].includes(operation) && this.#failure(operation)
    if (code) throw failure(code, operation ?? '')
  }

  #failure(operation: Operation): string | undefined {
    const waiting = this.#failures.find((candidate) => candidate.operation === operation)
    if (waiting === undefined || --waiting.calls > 0) return undefined
    this.#failures = this.#failures.filter((other) => other !== waiting)
    return waiting.code
  }

  #change(node: DirectoryNode, change: (entries: Map<string, Node>) => void): void {
    change(node.cache)
    node.pending.push(change)
  }

  #changeFile(node: FileNode, change: Change): void {
    node.cache = changed(node.cache, change)
    node.pending.push(change)
  }

  #crashNode(node: Node): void {
    if (node.kind === 'file') {
      node.disk = this.#survivors(node)
      node.cache = Buffer.from(node.disk)
    } else {
      for (const change of this.#some(node.pending)) change(node.disk)
      for (const child of node.disk.values()) this.#crashNode(child)
      node.cache = new Map(node.disk)
    }
    node.pending = []
  }

  /** What of a file a power cut leaves: all, none, a beginning, or any sectors of what was not synced. */
  #survivors(node: FileNode): Buffer {
    const sectors = node.pending.flatMap((change) => ('bytes' in change ? split(change) : [change]))
    let disk = node.disk
    for (const change of this.#some(sectors)) disk = changed(disk, change)
    return disk
  }

  #some<T>(changes: readonly T[]): readonly T[] {
    const way = Math.floor(this.#chance() * 4)
    if (way === 0) return []
    if (way === 1) return changes
    if (way === 2) return changes.slice(0, Math.floor(this.#chance() * (changes.length + 1)))
    return changes.filter(() => this.#chance() < 0.5)
  }

  #parent(path: string): DirectoryNode {
    return this.#directory(dirname(path))
  }

  #directory(path: string): DirectoryNode {
    if (path === '/') return this.#root
    const node = this.#directory(dirname(path)).cache.get(basename(path))
    if (node?.kind !== 'directory') throw failure(node === undefined ? 'ENOENT' : 'ENOTDIR', path)
    return node
  }

  #file(path: string): FileNode {
    const node = this.#parent(path).cache.get(basename(path))
    if (node?.kind !== 'file') throw failure('ENOENT', path)
    return node
  }
}

function file(): FileNode {
  return { kind: 'file', cache: Buffer.alloc(0), disk: Buffer.alloc(0), pending: [] }
}

function directory(): DirectoryNode {
  return { kind: 'directory', cache: new Map(), disk: new Map(), pending: [] }
}

function put(name: string, node: Node): (entries: Map<string, Node>) => void {
  return (entries) => entries.set(name, node)
}

/** The file after a change; what was never written is zeros. */
function changed(before: Buffer, change: Change): Buffer {
  const length = 'bytes' in change ? Math.max(before.length, change.at + change.bytes.length) : change.length
  const after = Buffer.alloc(length)
  before.copy(after)
  if ('bytes' in change) change.bytes.copy(after, change.at)
  return after
}

function split({ at, bytes }: { readonly at: number; readonly bytes: Buffer }): Change[] {
  const parts: Change[] = []
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + SECTOR - ((at + from) % SECTOR))
    parts.push({ at: at + from, bytes: bytes.subarray(from, to) })
    from = to
  }
  return parts
}

function bytesOf(node: Node): number {
  if (node.kind === 'file') return node.cache.length
  let sum = 0
  for (const child of node.cache.values()) sum += bytesOf(child)
  return sum
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

/** A dead process gets no answers. */
function never(): Promise<never> {
  return new Promise(() => undefined)
}
