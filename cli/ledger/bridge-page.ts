import { request } from 'undici'
import type { HttpSettings } from '../../bridge/config.ts'
import type { Choice } from '../../bridge/lanes/decision.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { Ledger } from '../../src/ledger.ts'

/** A device as the bridge's page tells of it. */
export interface DeviceOnPage {
  readonly hostname: string
  readonly lane: string
  readonly hold: HoldOnPage | null
  readonly ledger: Ledger
  /** Absent on the page of an earlier release. */
  readonly bytes?: BytesOnPage
}

/** What Snowflake counts of what a device has sent, estimated by the bridge. */
export interface BytesOnPage {
  readonly sent_today: number
  readonly billed_today: number
  readonly billed_yesterday: number
  readonly billed_month: number
  /** `null`: the bridge's settings name no price. */
  readonly cost_month: number | null
  readonly currency: string
}

export interface HoldOnPage {
  readonly code: string
  readonly reason: string
  /** ISO 8601 UTC. */
  readonly since: string
  /** What each choice does. */
  readonly choices: Readonly<Partial<Record<Choice, string>>>
  /** What to look at before choosing. */
  readonly queries: readonly string[]
}

const TIMEOUT_MS = 3_000

/** Where the page is for somebody who wants to read it: `0.0.0.0` is an address to listen on, not to go to. */
export function pageUrl(http: HttpSettings, given: unknown): string {
  if (typeof given === 'string') return given.replace(/\/+$/, '')
  const host = ['0.0.0.0', '::', ''].includes(http.host) ? '127.0.0.1' : http.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${http.port}`
}

/** All devices; `undefined` when no bridge's page answers there. */
export async function devicesOnPage(url: string): Promise<DeviceOnPage[] | undefined> {
  try {
    const { statusCode, body } = await request(`${url}/api/devices`, limits)
    const devices = await body.json()
    return statusCode === 200 && Array.isArray(devices) ? (devices as DeviceOnPage[]) : undefined
  } catch {
    return undefined
  }
}

/** Tells the bridge how a held device goes on. Gives what that does. Throws `E_BRIDGE_ANSWER`. */
export async function decide(url: string, token: string, hostname: string, choice: Choice): Promise<string> {
  let status: number
  let answer: { error?: unknown; hint?: unknown; effect?: unknown }
  try {
    const { statusCode, body } = await request(`${url}/api/devices/${encodeURIComponent(hostname)}/decision`, {
      ...limits,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ decision: choice }),
    })
    status = statusCode
    answer = (await body.json()) as typeof answer
  } catch (error) {
    throw new SnowhatError('E_BRIDGE_ANSWER', `the bridge's page does not answer at ${url}: ${messageOf(error)}`, {
      cause: error,
      hint: 'a decision goes to the bridge over HTTP: is it running there? --bridge-url names another place',
    })
  }
  if (status === 200 && typeof answer.effect === 'string') return answer.effect
  throw new SnowhatError('E_BRIDGE_ANSWER', `the bridge does not take the decision: ${String(answer.error)}`, {
    hint:
      status === 401
        ? 'SNOWHAT_HTTP_TOKEN_FILE (or http.token_file) must name a file with the same token here as at the bridge'
        : typeof answer.hint === 'string'
          ? answer.hint
          : 'snowhat ledger HOST shows how the device stands',
  })
}

const limits = { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS }
