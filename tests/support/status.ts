import { BackPressure } from '../../bridge/back-pressure.ts'
import { MemoryDeadLetters } from '../../bridge/dead-letters/memory-dead-letters.ts'
import { gapsOf } from '../../bridge/ledger/ledger-of.ts'
import { Reach } from '../../bridge/snowpipe/reach.ts'
import { Progress } from '../../bridge/status/progress.ts'
import { rateOfCommits } from '../../bridge/status/rate.ts'
import { type StatusParts, type StatusSource, statusSource } from '../../bridge/status/source.ts'
import { Today } from '../../bridge/status/today.ts'
import { silentLog } from '../../src/log.ts'
import { defaultSettings } from './bridge-settings.ts'
import type { LaneWorld } from './lane-world.ts'

/** What a bridge shows whose lanes, spool and Snowflake are a lane world's. */
export function statusOf(world: LaneWorld, over: Partial<StatusParts> = {}): StatusSource {
  const { clock, events, lanes, ledgers, spool } = world
  const today = new Today(clock)
  events.on('rows:rejected', (_device, rows) => today.rejected(rows))
  return statusSource({
    log: silentLog(),
    target: 'http://snowflake',
    info: () => ({ instance: 'own1', version: '0.1.0', host: 'nas', started_at: '2026-11-22T12:00:00.000Z' }),
    connected: () => true,
    stopping: () => false,
    clock,
    events,
    spool,
    lanes,
    ledgers,
    pressure: new BackPressure({ clock, log: silentLog(), spool, maxBytes: 1_000, resume: () => undefined }),
    deadLetters: new MemoryDeadLetters(),
    progress: new Progress(events, spool, clock),
    stalledAfter: 300_000,
    brokerAway: () => 0,
    brokerUrl: 'mqtt://bridge:secret@nas:1883',
    brokerSince: () => clock.now(),
    beside: () => false,
    today,
    rate: rateOfCommits(events, clock),
    reach: new Reach(clock),
    calls: world.calls,
    gaps: (hostname) => gapsOf(spool.device(hostname)),
    spoolMaxBytes: 1_000,
    mostDevices: 5_000,
    cost: defaultSettings.cost,
    identity: { expiresAt: null, clockSkewMs: 0 },
    ...over,
  })
}
