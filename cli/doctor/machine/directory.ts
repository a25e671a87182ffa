import { randomUUID } from 'node:crypto'
import { open, stat, unlink } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { messageOf, systemCode } from '../../../src/errors.ts'
import type { Examination } from '../examination.ts'
import { broken, type Finding, ok, warn } from '../finding.ts'
import type { Side } from '../sides.ts'

/** A directory on which nothing-is-lost hangs. */
export interface KeptDirectory {
  /** For people. */
  readonly name: 'outbox' | 'spool'
  /** `''`: in memory. */
  readonly path: string
  /** Bytes it may grow by; `null` where no setting says. */
  readonly mayHold: number | null
}

/** Of the sides that are looked at. */
export function keptDirectories({ settings, sides }: Pick<Examination, 'settings' | 'sides'>): KeptDirectory[] {
  const all: readonly [Side, KeptDirectory][] = [
    ['pi', { name: 'outbox', path: settings.publisher.outbox_dir, mayHold: null }],
    [
      'bridge',
      {
        name: 'spool',
        path: settings.spool.dir,
        mayHold: settings.spool.max_bytes + settings.spool.dead_letters_max_bytes,
      },
    ],
  ]
  return all.filter(([side]) => sides.has(side)).map(([, directory]) => directory)
}

/** A file in it, made, given to `work` and removed again. */
export async function withTrialFile<T>(
  path: string,
  work: (file: Awaited<ReturnType<typeof open>>) => Promise<T>,
): Promise<T> {
  const name = join(path, `.snowhat-doctor-${randomUUID()}`)
  const file = await open(name, 'wx', 0o600)
  try {
    return await work(file)
  } finally {
    await file.close()
    await unlink(name)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there, and cannot be made where it should be',
  EACCES: 'it, or a directory above it, belongs to somebody else',
  EPERM: 'the system does not allow it, whoever owns it',
  EROFS: 'its disk is mounted for reading only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'this user may take no more of its disk',
}
const FIXES: Readonly<Record<string, string>> = {
  EROFS:
    'mount the disk for writing; when nobody mounted it so, the system did after an error of the disk: dmesg says which (in a container: a volume without ":ro")',
  ENOSPC: 'make room on that disk',
  EDQUOT: 'make room on that disk, or raise the quota',
}

export async function directoryFinding({ name, path }: KeptDirectory): Promise<Finding> {
  if (path === '')
    return warn('machine.directory', `the ${name} is in memory`, {
      why:
        name === 'outbox'
          ? 'readings that are not in the table yet are lost with the program'
          : 'what a restart loses the Pis must send again',
      fix: `name a directory on a disk: ${name === 'outbox' ? 'SNOWHAT_PUBLISHER_OUTBOX_DIR' : 'SNOWHAT_SPOOL_DIR'}`,
    })
  const user = userInfo().username
  try {
    await withTrialFile(path, (file) => file.writeFile('snowhat doctor\n'))
    return ok('machine.directory', `the ${name} ${path} is there, and ${user} may write`)
  } catch (error) {
    const code = systemCode(error) ?? ''
    if (code === 'ENOENT' && (await isWritable(dirname(path))))
      return ok('machine.directory', `the ${name} ${path} is not there yet; it is made at the first start`)
    return broken(
      'machine.directory',
      `the ${name} ${path} cannot be written by ${user} (${code || messageOf(error)})`,
      {
        why: `${REASONS[code] ?? messageOf(error)}; the program ends with E_LOG_IO`,
        fix: FIXES[code] ?? `sudo mkdir -p ${path} && sudo chown -R ${user} ${path}; as the user the program runs as`,
      },
    )
  }
}

/** The directory itself, or the nearest above it that is there. */
export async function nearestDirectory(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) if ((await isThere(at)) || at === dirname(at)) return at
}

export async function isWritable(path: string): Promise<boolean> {
  return withTrialFile(path, async () => true).catch(() => false)
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
