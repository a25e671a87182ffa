import { messageOf, SnowhatError, systemCode } from '../errors.ts'
import { isDiskFull } from './filesystem.ts'

/*
 * The sentences of the log. E_LOG_FULL is certain: nothing of what was refused is in the log. E_LOG_IO is not: what
 * was waiting may be in the log after all, as the next opening will tell.
 */

/** A failed write or sync. The process must end: what the page cache says is no longer what the disk holds. */
export function writeFailure(dir: string, cause: unknown): SnowhatError {
  return new SnowhatError('E_LOG_IO', `The log in ${dir} could not be written: ${messageOf(cause)}.`, {
    hint: 'the program has to end and recover from what the disk holds; check the disk if it happens again',
    cause,
  })
}

export function openFailure(dir: string, cause: unknown): SnowhatError {
  if (isDiskFull(cause)) return diskFull(dir, cause)
  const code = systemCode(cause)
  const denied = code === 'EACCES' || code === 'EPERM'
  const reason = denied
    ? 'permission denied'
    : code === 'EROFS'
      ? 'the disk is read-only'
      : code === 'ENOTDIR'
        ? 'it is no directory'
        : messageOf(cause)
  const hint = denied
    ? `let the user the program runs as own that directory${owner(dir)}, or choose another one`
    : code === 'EROFS'
      ? 'in a container mount a volume there; an SD card that turned read-only is usually worn out: replace it'
      : 'check the path and the disk'
  return new SnowhatError('E_LOG_IO', `The directory ${dir} cannot be used for a log: ${reason}.`, { hint, cause })
}

/** The command, where users have numbers: in a container that is all that is known of them outside of it. */
function owner(dir: string): string {
  const uid = process.getuid?.()
  return uid === undefined ? '' : ` (chown -R ${uid} ${dir})`
}

export function onNetworkShare(dir: string, kind: string): SnowhatError {
  return new SnowhatError('E_LOG_IO', `The directory ${dir} lies on a network share (${kind}).`, {
    hint: 'choose one on a disk of this machine, and move there what is in it: over the network neither a sync nor a lock can be relied on',
  })
}

export function taken(dir: string, by: string): SnowhatError {
  return new SnowhatError('E_RIVAL', `The log in ${dir} is in use by ${by}.`, {
    hint: 'two programs must not write one log: stop the other one, or give this one a directory of its own',
  })
}

export function overLimit(dir: string, maxBytes: number): SnowhatError {
  return new SnowhatError('E_LOG_FULL', `The log in ${dir} has reached its limit of ${maxBytes} bytes.`, {
    retryable: true,
    hint: 'it has room again when what it holds has been passed on; raise the limit if the disk allows it',
  })
}

export function diskFull(dir: string, cause: unknown): SnowhatError {
  return new SnowhatError('E_LOG_FULL', `The disk under ${dir} is full.`, {
    retryable: true,
    hint: 'make room on it, or give the log a limit below what is free',
    cause,
  })
}

export function tooLong(bytes: number, most: number): SnowhatError {
  return new SnowhatError('E_LOG_FULL', `${bytes} bytes at once are more than a segment of the log takes (${most}).`, {
    hint: 'append less at once, or make the segments larger',
  })
}

export function closed(dir: string): SnowhatError {
  return new SnowhatError('E_SHUTDOWN', `The log in ${dir} is closed.`)
}

export function unknownVersion(file: string, version: number): SnowhatError {
  return new SnowhatError('E_LOG_CORRUPT', `${file} has format version ${version}, which this program does not know.`, {
    hint: 'start the version of the program that wrote it',
  })
}
