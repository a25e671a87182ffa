import type { IncomingMessage } from 'node:http'
import { type ErrorCode, SnowhatError } from '../../src/errors.ts'
import { type Reply, refuse, unauthorized } from './authorize.ts'
import type { StatusSource } from './source.ts'

const STATUS: Partial<Record<ErrorCode, number>> = {
  E_ROWS_WAIT: 409,
  /** Snowflake was asked, and refused. */
  E_NOT_FORGOTTEN: 502,
  /** No room on the disk to write down that it was forgotten. */
  E_SPOOL_FULL: 507,
}

/**
 * `DELETE /api/devices/<hostname>`: takes the device out of use. `?force=true` gives up rows that wait, `?channel=true`
 * drops the channel as well. What the broker holds of the device is left to whoever asks.
 */
export async function answerForgetting(
  hostname: string,
  request: IncomingMessage,
  query: URLSearchParams,
  source: StatusSource,
  token: string,
): Promise<Reply> {
  const refused = unauthorized(request, token, 'deletions')
  if (refused !== undefined) return refused
  try {
    const wish = { force: query.get('force') === 'true', channel: query.get('channel') === 'true' }
    const forgotten = await source.forget(hostname, wish)
    if (forgotten === undefined) return refuse(404, `there is no device ${hostname}`)
    return { status: 200, body: { hostname, ...forgotten } }
  } catch (error) {
    const status = error instanceof SnowhatError ? STATUS[error.code] : undefined
    if (status === undefined) throw error
    const { message, hint } = error as SnowhatError
    return refuse(status, message, hint)
  }
}
