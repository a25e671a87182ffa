import { createHash } from 'node:crypto'

/**
 * A window's identity: the same however often it is worked out (rules S-1, X-6), so that what comes twice can be told.
 * 32 hexadecimal digits.
 */
export function windowId(deviceId: string, sessionId: string, endUs: number): string {
  return createHash('sha256')
    .update(JSON.stringify([deviceId, sessionId, endUs]))
    .digest('hex')
    .slice(0, 32)
}
