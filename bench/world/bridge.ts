import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../tests/support/ports.ts'
import { type Snowhat, startSnowhat } from './program.ts'

export interface BridgeHealth {
  readonly devices: number
  readonly rows_waiting: number
  readonly spool_bytes: number
  /** Age of the oldest row that waits. */
  readonly lag_seconds: number
  readonly dead_letters: number
  readonly problems: readonly string[]
}

/** The built bridge, its spool on the disk. */
export interface Bridge extends Snowhat {
  /** Subscribed: a queue that the broker held has come by then. */
  readonly subscribed: Promise<unknown>
  health(): Promise<BridgeHealth>
  /** What `/metrics` answers with. */
  metrics(): Promise<string>
  /** Looks until `holds`; how often costs the bridge something, so not too often. */
  until(holds: (health: BridgeHealth) => boolean, everyMs?: number): Promise<BridgeHealth>
}

/** `settings` as in `SNOWHAT_<SECTION>_<KEY>`, without the prefix. */
export async function startBridge(
  where: { readonly mqtt: string; readonly snowpipe: string; readonly spool: string },
  settings: Readonly<Record<string, string | number>> = {},
): Promise<Bridge> {
  const port = await freePort()
  const program = startSnowhat(['bridge'], {
    MQTT_URL: where.mqtt,
    SNOWFLAKE_URL: where.snowpipe,
    SPOOL_DIR: where.spool,
    HTTP_PORT: port,
    LOG_LEVEL: 'info',
    ...settings,
  })
  const subscribed = program.line(/connected to the broker/)
  let dead: unknown
  subscribed.catch((error: unknown) => {
    dead = error
  })
  const health = async () => (await (await fetch(`http://127.0.0.1:${port}/api/health`)).json()) as BridgeHealth
  // Its page answers before it has connected: what a queue brings comes in the same moment as the connection.
  while ((await health().catch(() => undefined)) === undefined) {
    if (dead !== undefined) throw dead
    await sleep(10)
  }
  return {
    ...program,
    subscribed,
    health,
    metrics: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    until: async (holds, everyMs = 200) => {
      for (;;) {
        const now = await health()
        if (holds(now)) return now
        await sleep(everyMs)
      }
    },
  }
}
