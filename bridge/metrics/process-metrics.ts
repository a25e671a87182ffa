import { performance } from 'node:perf_hooks'
import type { Registry } from 'prom-client'
import { readWhenAsked } from './read-when-asked.ts'

/**
 * The process under the names every dashboard knows. Not the library's own set: its watch over the event loop wakes the
 * processor a hundred times a second [measured: ten times the idle bridge's own use], and nothing ever ends it.
 */
export function measureProcess(registry: Registry): void {
  const { counter, gauge } = readWhenAsked(registry)
  const startedAt = (performance.timeOrigin / 1000) | 0
  counter('process_cpu_seconds_total', 'Processor time of the process, user and system.', () => {
    const { system, user } = process.cpuUsage()
    return (user + system) / 1e6
  })
  gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss())
  gauge('process_start_time_seconds', 'When the process started.', () => startedAt)
  gauge('nodejs_heap_size_used_bytes', 'Used heap of the process.', () => process.memoryUsage().heapUsed)
  gauge(
    'snowhat_event_loop_utilization_ratio',
    'Share of its life the event loop was busy: near 1 the bridge cannot keep up.',
    eventLoopUse(),
  )
}

/** Between one question and the next. */
function eventLoopUse(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}
