import { request } from 'undici'
import { messageOf, SnowhatError } from '../../src/errors.ts'

/** What a bridge's page says of itself. */
export interface BridgeOnPage {
  readonly instance: string
  readonly spool_on_disk: boolean
}

/** What the bridge has done. */
export interface BridgeForgot {
  readonly rows_given_up: number
  readonly channel: 'kept' | 'dropped'
}

const LOOK_MS = 3_000
/** A lane that waits for Snowflake's answer is waited for. */
const FORGET_MS = 90_000

/** `undefined`: no bridge's page answers there. */
export async function bridgeOnPage(url: string): Promise<BridgeOnPage | undefined> {
  try {
    const { statusCode, body } = await request(`${url}/api/health`, { headersTimeout: LOOK_MS, bodyTimeout: LOOK_MS })
    const health = (await body.json()) as Partial<BridgeOnPage>
    return statusCode === 200 && typeof health.instance === 'string'
      ? { instance: health.instance, spool_on_disk: health.spool_on_disk === true }
      : undefined
  } catch {
    return undefined
  }
}

/** Tells the bridge to forget the device; `undefined` when it does not know it. Throws `E_BRIDGE_ANSWER`. */
export async function forgetAtBridge(
  url: string,
  token: string,
  hostname: string,
  wish: { readonly force: boolean; readonly channel: boolean },
): Promise<BridgeForgot | undefined> {
  let status: number
  let answer: Partial<BridgeForgot> & { error?: unknown; hint?: unknown }
  try {
    const { statusCode, body } = await request(
      `${url}/api/devices/${encodeURIComponent(hostname)}?force=${wish.force}&channel=${wish.channel}`,
      {
        method: 'DELETE',
        headersTimeout: FORGET_MS,
        bodyTimeout: LOOK_MS,
        headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      },
    )
    status = statusCode
    answer = (await body.json()) as typeof answer
  } catch (error) {
    throw new SnowhatError('E_BRIDGE_ANSWER', `the bridge's page does not answer at ${url}: ${messageOf(error)}`, {
      cause: error,
      hint: 'nothing was removed from the broker; is the bridge running there? --bridge-url names another place',
    })
  }
  if (status === 404) return undefined
  const { rows_given_up, channel } = answer
  if (status === 200 && rows_given_up !== undefined && channel !== undefined) return { rows_given_up, channel }
  const hint = status === 401 ? TOKEN_HINT : answer.hint
  throw new SnowhatError('E_BRIDGE_ANSWER', `the bridge says: ${String(answer.error)}`, {
    ...(typeof hint === 'string' && { hint }),
  })
}

const TOKEN_HINT =
  'SNOWHAT_HTTP_TOKEN_FILE (or http.token_file) must name a file with the same token here as at the bridge'
