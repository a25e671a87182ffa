import { type ErrorCode, messageOf, SnowhatError } from '../src/errors.ts'

/** 0 done, 1 failed, 2 bad usage, 78 bad configuration (systemd does not restart on it). */
const EXIT: Partial<Record<ErrorCode, number>> = {
  E_USAGE: 2,
  E_CONFIG_INVALID: 78,
  E_KEY_INVALID: 78,
  E_RIVAL: 78,
}

export function exitCodeOf(error: unknown): number {
  return error instanceof SnowhatError ? (EXIT[error.code] ?? 1) : 1
}

/**
 * What a person reads: what is wrong, the code under which docs/errors.md has more, and what to do. A bug shows its stack, a
 * known error does not.
 */
export function explain(error: unknown): string {
  if (error instanceof SnowhatError)
    return `snowhat: ${error.message} (${error.code})${error.hint === undefined ? '' : `\n         ${error.hint}`}`
  const stack = error instanceof Error ? error.stack : undefined
  return `snowhat: an unexpected error, please report it: ${stack ?? messageOf(error)}`
}
