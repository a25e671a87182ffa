import type { Clock } from '../src/clock.ts'
import type { Ledger } from '../src/ledger.ts'
import type { Log } from '../src/log.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import type { Wellbeing } from '../src/notify.ts'
import { createTopics } from '../src/topics.ts'
import { checkCompression } from './compression.ts'
import type { BridgeSettings } from './config.ts'
import type { DeadLetters } from './dead-letters/dead-letters.ts'
import type { BridgeEvents } from './events.ts'
import { checkBatchBytes } from './lanes/wire-limit.ts'
import { routesOf } from './routes/routes.ts'
import { RunningBridge } from './running-bridge.ts'
import { resolveSnowflake } from './snowflake-target.ts'
import { createIdentity } from './snowpipe/credentials.ts'
import { checkPageUrl } from './status/page-url.ts'
import { openStores } from './stores.ts'

export interface BridgeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

export interface StartOptions {
  /** Another bridge that lives at this broker is to stop; without this, this one does not start. */
  readonly takeOver?: boolean
}

export interface BridgeTotals {
  readonly received: number
  readonly redelivered: number
  /** Rows this process has seen committed. */
  readonly committed: number
  readonly rejected: number
  /** Readings missing and not declared. */
  readonly missing: number
  readonly deadLetters: number
  readonly waiting: number
}

export interface Bridge {
  readonly instance: string
  /** Where the rows go. */
  readonly target: string
  readonly httpPort: number
  readonly events: BridgeEvents
  readonly deadLetters: DeadLetters
  totals(): BridgeTotals
  /** Of the process itself: whether its spool can write. What a person should look at is what `/healthz` tells. */
  wellbeing(): Wellbeing
  ledger(hostname: string): Ledger | undefined
  /** Sends and commits all that is spooled; false when the deadline passed first. */
  drain(deadlineMs: number): Promise<boolean>
  /** Rejects when it must not go on: another bridge has taken over, or its disk has failed. Never resolves. */
  readonly ended: Promise<never>
  /** Drains, then lets go of everything. */
  close(): Promise<void>
}

/**
 * Starts in the order of dependence; that the broker or Snowflake is away is no reason not to. Rejects with `E_RIVAL`
 * beside a living bridge.
 */
export async function startBridge(
  settings: BridgeSettings,
  mqtt: MqttSettings,
  deps: BridgeDeps,
  options: StartOptions = {},
): Promise<Bridge> {
  checkPageUrl(settings.http.url)
  checkBatchBytes(settings.batch.max_bytes)
  checkCompression(settings.batch.compression)
  const snowflake = resolveSnowflake(settings.snowflake)
  const identity = createIdentity(snowflake, deps.clock, deps.log)
  const routes = await routesOf({ ...settings, snowflake }, createTopics(mqtt.base_topic, mqtt.discovery_prefix))
  const stores = await openStores(settings.spool, settings.cost, deps)
  const bridge = new RunningBridge({ ...settings, snowflake }, mqtt, { identity, routes, ...stores }, deps, options)
  try {
    await bridge.start()
  } catch (error) {
    await bridge.abandon()
    throw error
  }
  return bridge
}
