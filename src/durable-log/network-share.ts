import { readFile, realpath, statfs } from 'node:fs/promises'

/**
 * The name of the network file system a directory lies on; undefined on a disk of this machine, and where it cannot be known.
 *
 * A log is nothing there: the lock (node-lock.ts) holds for one kernel only, and what a sync promises is the server's affair. It
 * goes by the magic number of `statfs`, and for FUSE, which has one for all, by the name in the table of mounts: Unraid's shares,
 * say, are FUSE on disks of the machine itself. Linux only: elsewhere the numbers mean something else.
 */
export async function networkShare(directory: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  const { type } = await statfs(directory, { bigint: true })
  // On 32 bits the larger numbers come as negative ones.
  const magic = Number(BigInt.asUintN(32, type))
  if (magic !== FUSE) return NETWORK.get(magic)
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return networkFuse(mounts, await realpath(directory))
}

/** `f_type` of statfs(2) [documented: statfs(2), linux/magic.h; Ceph, AFS: fs/ceph/super.h, linux/magic.h]. */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
])
const FUSE = 0x65735546

/** Names of FUSE file systems whose files are on another machine. */
const NETWORK_FUSE =
  /^fuse\.(sshfs|rclone|s3fs|goofys|mount-s3|gcsfuse|davfs|curlftpfs|glusterfs|ceph|juicefs|smbnetfs)/

/** Of the mount that holds `directory`: the longest mount point above it, and the last of those that lie upon one another. */
export function networkFuse(mountinfo: string, directory: string): string | undefined {
  let found = { point: '', type: '' }
  for (const line of mountinfo.split('\n')) {
    const [, , , , escaped = '', ...rest] = line.split(' ')
    const point = escaped.replace(/\\(\d{3})/g, (_whole, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    const type = rest[rest.indexOf('-') + 1] ?? ''
    const holds = directory === point || directory.startsWith(point.endsWith('/') ? point : `${point}/`)
    if (escaped !== '' && holds && point.length >= found.point.length) found = { point, type }
  }
  return NETWORK_FUSE.exec(found.type)?.[1]
}
