import { request } from 'undici'
import type { SnowflakeSettings } from '../../../bridge/config.ts'
import { accountHost } from '../../../bridge/snowpipe/account.ts'
import { readAnswer } from '../../../bridge/snowpipe/answer.ts'
import { connectionTrouble } from '../../../bridge/snowpipe/connection-trouble.ts'
import { createDispatcher } from '../../../bridge/snowpipe/dispatcher.ts'
import { systemCode } from '../../../src/errors.ts'
import type { Check } from '../check.ts'
import { broken, type Finding, ok, skipped } from '../finding.ts'
import { otherAccounts } from './account-forms.ts'

/** What an answer to nobody in particular has shown. */
export interface Reached {
  readonly base: string
  /** Milliseconds Snowflake's clock is ahead of ours; `null` when the answer names no time. */
  readonly skewMs: number | null
}

/** Of a JWT; and `Date` has whole seconds [documented]. */
const TOLERANCE_MS = 60_000

const NO_NAMES = 'this machine’s name server does not answer: is the network there?'
const PROXY = 'correct SNOWHAT_SNOWFLAKE_PROXY (or HTTPS_PROXY), or set it to none where no proxy is needed'

/** Asks without signing in: any answer shows the way is free, and bears the time. */
export const reachCheck: Check = {
  id: 'snowflake.reach',
  side: 'bridge',
  needs: ['credential'],
  gives: ['reached'],
  async run(examination, signal): Promise<Finding[]> {
    const { settings } = examination.take('credential')
    const base = settings.url !== '' ? settings.url : `https://${accountHost(settings.account)}`
    const dispatcher = createDispatcher(settings)
    const before = examination.clock.monotonic()
    try {
      const response = await request(new URL('/v2/streaming/hostname', base), {
        dispatcher,
        signal,
        headers: { accept: 'application/json', 'user-agent': 'snowhat' },
      })
      const answer = readAnswer(response.statusCode, response.headers, await response.body.text())
      const ms = Math.round(examination.clock.monotonic() - before)
      const { serverTime } = answer
      const skewMs = serverTime === undefined ? null : serverTime - examination.clock.now()
      examination.give('reached', { base, skewMs })
      return [ok('snowflake.reach', `${base} answers in ${ms} ms`), clockFinding(skewMs)]
    } catch (error) {
      if (signal.aborted) throw error
      const code = systemCode(error) ?? systemCode((error as { cause?: unknown }).cause) ?? ''
      const { hint, message } = connectionTrouble(error, new URL(base))
      const isOfProxy = isElsewhere(error, new URL(base))
      const others = otherAccounts(examination.settings.snowflake).map((form) => form.account)
      const elsewhere = settings.url === '' && others.length > 0 ? `; is the account one of ${others.join(', ')}?` : ''
      return [
        broken(
          'snowflake.reach',
          `${isOfProxy ? 'the proxy on the way to ' : ''}${base} does not answer: ${message || code}`,
          {
            fix: `${hint ?? fixOf(code, isOfProxy, settings)}${elsewhere}`,
          },
        ),
      ]
    } finally {
      await dispatcher.close().catch(() => undefined)
    }
  },
}

/** The error is of another host or port than the one that was asked: of the proxy's. */
function isElsewhere(error: unknown, base: URL): boolean {
  const cause = (error as { cause?: unknown }).cause
  const { hostname, port } = (systemCode(error) === undefined ? (cause ?? error) : error) as {
    readonly hostname?: string
    readonly port?: number
  }
  const own = base.port === '' ? (base.protocol === 'https:' ? 443 : 80) : Number(base.port)
  return (hostname !== undefined && hostname !== base.hostname) || (port !== undefined && port !== own)
}

function fixOf(code: string, isOfProxy: boolean, { url, account }: SnowflakeSettings): string {
  if (code === 'EAI_AGAIN') return NO_NAMES
  if (isOfProxy) return PROXY
  if (code === 'ENOTFOUND')
    return url === ''
      ? `correct SNOWHAT_SNOWFLAKE_ACCOUNT (now ${account}): there is no host of that name`
      : 'correct SNOWHAT_SNOWFLAKE_URL: there is no host of that name'
  if (url !== '')
    return code === 'ECONNREFUSED'
      ? 'nothing listens there: is the emulator running (snowhat emulator), and SNOWHAT_SNOWFLAKE_URL its address?'
      : 'what listens there does not answer as Snowflake does: is SNOWHAT_SNOWFLAKE_URL right?'
  return 'is the network there, and does a firewall let HTTPS through, or is there a proxy (SNOWHAT_SNOWFLAKE_PROXY)?'
}

function clockFinding(skewMs: number | null): Finding {
  if (skewMs === null) return skipped('snowflake.clock', 'the answer bears no time')
  const seconds = Math.round(skewMs / 1000)
  if (Math.abs(skewMs) <= TOLERANCE_MS)
    return ok('snowflake.clock', `this machine's clock agrees with Snowflake's (${seconds} s)`)
  const off = seconds > 0 ? 'behind' : 'ahead of'
  return broken('snowflake.clock', `this machine's clock is ${duration(Math.abs(seconds))} ${off} Snowflake's`, {
    why: 'a key signs with the time, and Snowflake refuses it when that is a minute off; the bridge corrects this, but readings bear wrong times',
    fix: 'set the clock: sudo timedatectl set-ntp true; machine.clock says whether a time service runs',
  })
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 360) / 10} hours`
}
