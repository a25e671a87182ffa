import { constants } from 'node:fs'
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises'
import { createConnection, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { systemCode } from '../errors.ts'
import type { Lock } from './filesystem.ts'

/**
 * A lock that only the kernel can hold and that it lets go of when the process ends, however it ends.
 *
 * Node has no flock. A file with a process id in it fails where it is needed most: in a container the program is
 * process 1 at every start, and a process of another container cannot be seen at all. So the lock is a unix socket in
 * the directory that its owner listens on: whoever can connect to it knows the owner lives, in whatever container;
 * after `kill -9` the kernel refuses the connection, and process ids are compared by nobody.
 *
 * Everybody binds a socket under a name of his own first and looks at the others' afterwards; who finds one that
 * answers, gives up. Of two, one looks later than both have bound: never do two win. (Both may lose.) Only a winner
 * removes sockets of the dead, so no loser can take away the name of somebody still binding.
 *
 * It holds for the processes of one kernel: not over NFS or SMB.
 */
export async function lockDirectory(directory: string): Promise<Lock> {
  if (process.platform === 'win32') return { state: 'unsupported', cause: 'unix sockets' }
  // Of a file no lock can be made either, and that would look like a disk that holds none.
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  let own: { name: string; server: Server }
  try {
    own = await bind(directory, handle)
  } catch (cause) {
    await handle.close()
    // Where nothing may be written the lock is the least that is missing.
    if (['EACCES', 'EROFS'].includes(systemCode(cause) ?? '')) throw cause
    return { state: 'unsupported', cause }
  }
  const release = async () => {
    // Closing removes the socket's name as well.
    await new Promise<void>((resolve) => own.server.close(() => resolve()))
    await handle.close()
  }
  try {
    const others = (await readdir(directory)).filter((name) => LOCK.test(name) && name !== own.name)
    for (const name of others) {
      if (!(await answers(reach(directory, handle, name)))) continue
      await release()
      return { state: 'taken', by: ownerOf(name) }
    }
    for (const name of others) await unlink(join(directory, name)).catch(() => undefined)
  } catch (error) {
    await release()
    throw error
  }
  return { state: 'held', release }
}

/** Who holds it, if anybody does. Takes nothing, so that nobody who starts meanwhile is turned away. */
export async function lockOwner(directory: string): Promise<string | undefined> {
  const handle = await open(directory, 'r')
  try {
    for (const name of (await readdir(directory)).filter((candidate) => LOCK.test(candidate)))
      if (await answers(reach(directory, handle, name))) return ownerOf(name)
    return undefined
  } finally {
    await handle.close()
  }
}

function ownerOf(name: string): string {
  return `process ${LOCK.exec(name)?.[1]}`
}

/** Process id, start of the process and a counter: a name is never used twice, so removing a dead one hits no other. */
const LOCK = /^lock-(\d+)-\d+-\d+\.sock$/

let taken = 0

async function bind(directory: string, handle: FileHandle): Promise<{ name: string; server: Server }> {
  for (;;) {
    const name = `lock-${process.pid}-${Math.round(performance.timeOrigin)}-${taken++}.sock`
    const server = createServer((connection) => connection.destroy())
    // The lock must not keep a process alive that has nothing else to do.
    server.unref()
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        // For every user: one who may not connect could not tell a dead owner from a living one.
        const socket = { path: reach(directory, handle, name), readableAll: true, writableAll: true }
        server.listen(socket, () => resolve())
      })
      return { name, server }
    } catch (error) {
      if (systemCode(error) !== 'EADDRINUSE') throw error
    }
  }
}

/** The path of a socket may have 107 bytes; through the open directory every one is short enough. */
function reach(directory: string, handle: FileHandle, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}/${name}` : join(directory, name)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(path)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    // Anything but "nobody listens" may be a living owner who is busy.
    connection.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemCode(error) ?? '')))
  })
}
