import { Counter, Histogram, type Registry } from 'prom-client'
import type { BridgeEvents } from '../events.ts'
import { REOPEN_CAUSES } from '../lanes/channel-news.ts'

const TRIGGERS = ['rows', 'bytes', 'age', 'drain'] as const

/**
 * What happens in the bridge, counted as it happens and since the start of the process: per group of messages, per batch and
 * per commit, never per reading.
 */
export function countPipeline(events: BridgeEvents, registry: Registry): void {
  const registers = [registry]
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  const histogram = (name: string, help: string, buckets: number[]) => new Histogram({ name, help, buckets, registers })

  const connections = counter('snowhat_mqtt_connections_total', 'Connections made to the broker for readings.')
  const messages = counter('snowhat_mqtt_messages_total', 'Messages taken in and acknowledged.')
  const messageBytes = counter('snowhat_mqtt_message_bytes_total', 'Payload bytes of messages taken in.')
  const spooling = histogram(
    'snowhat_spool_commit_duration_seconds',
    'Time to make a group of messages durable: one commit of the spool each.',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
  )
  events.on('broker:connected', () => connections.inc())
  events.on('messages:taken', (count, bytes, ms) => {
    messages.inc(count)
    messageBytes.inc(bytes)
    spooling.observe(ms / 1000)
  })

  const batches = new Counter({
    name: 'snowhat_batches_appended_total',
    help: 'Batches Snowflake has taken, by what closed them: as many rows or bytes as a batch may have, its age, or a wish to send at once.',
    labelNames: ['trigger'],
    registers,
  })
  for (const trigger of TRIGGERS) batches.inc({ trigger }, 0)
  const batchRows = histogram(
    'snowhat_batch_rows',
    'Rows per batch that Snowflake has taken.',
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  )
  const appendedBytes = counter(
    'snowhat_appended_bytes_total',
    'Bytes of rows in batches Snowflake has taken, before compression: what streaming is billed by.',
  )
  events.on('batch:appended', (_device, rows, bytes, trigger) => {
    batches.inc({ trigger })
    batchRows.observe(rows)
    appendedBytes.inc(bytes)
  })

  const lag = histogram(
    'snowhat_commit_lag_seconds',
    'Age of the oldest row of each commit when it was proved to be in the table, since its arrival at the bridge.',
    [1, 2.5, 5, 10, 20, 30, 60, 300, 1_800, 7_200, 43_200],
  )
  events.on('rows:committed', (_device, _rows, lagMs) => lag.observe(Math.max(0, lagMs) / 1000))

  const opened = counter('snowhat_channels_opened_total', 'Channels opened, the first time and again.')
  const reopened = new Counter({
    name: 'snowhat_channels_reopened_total',
    help: 'Channels opened again, by why they had to be.',
    labelNames: ['cause'],
    registers,
  })
  for (const cause of REOPEN_CAUSES) reopened.inc({ cause }, 0)
  const replayed = counter(
    'snowhat_rows_replayed_total',
    'Rows appended once more after their channel was opened again.',
  )
  events.on('channel:opened', () => opened.inc())
  events.on('channel:reopened', (_device, _reason, rows, cause) => {
    reopened.inc({ cause })
    replayed.inc(rows)
  })

  const ledgers = counter('snowhat_ledgers_published_total', 'Ledgers the broker has acknowledged.')
  events.on('ledger:published', () => ledgers.inc())
}
