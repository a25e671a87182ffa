/**
 * Every error this project raises on purpose: a code that never changes, a verdict (may it be
 * tried again?) and a hint that says what a person can do.
 */
export type ErrorCode =
  | 'E_CONFIG_INVALID'
  | 'E_USAGE'
  | 'E_PORT_TAKEN'
  | 'E_FILE_UNREADABLE'
  | 'E_FILE_UNWRITABLE'
  | 'E_MISSING_PACKAGE'
  | 'E_NO_SENSE_HAT'
  | 'E_DEVICE'
  | 'E_KEY_INVALID'
  | 'E_SIGN_IN'
  | 'E_MQTT_REFUSED'
  | 'E_MQTT_DISCONNECTED'
  | 'E_MQTT_TLS'
  | 'E_COMMAND_INVALID'
  | 'E_SPOOL_FULL'
  | 'E_SQL'
  | 'E_SNOWFLAKE_TLS'
  | 'E_SNOWFLAKE_PROXY'
  | 'E_LEDGER_UNREADABLE'
  | 'E_NO_LEDGER'
  | 'E_UNDECIDED'
  | 'E_DEAD_LETTERS'
  | 'E_RIVAL'
  | 'E_ROWS_WAIT'
  | 'E_NOT_FORGOTTEN'
  | 'E_NOT_HELD'
  | 'E_NO_ROUTE'
  | 'E_BRIDGE_ANSWER'
  | 'E_LOG_IO'
  | 'E_LOG_FULL'
  | 'E_LOG_CORRUPT'
  | 'E_SHUTDOWN'

export interface ErrorDetails {
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean
  /** What a person can do about it: one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

export class SnowhatError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'SnowhatError'
    this.code = code
    this.retryable = details.retryable ?? false
    this.hint = details.hint
  }
}

/** The text of anything that was thrown, for log fields and wrapped messages. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The `code` that Node and its libraries put on system errors (`EADDRINUSE`, `ENOENT`, …). */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** What a person can do about anything that was thrown, where that is known. */
export function hintOf(error: unknown): string | undefined {
  return error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined
}
