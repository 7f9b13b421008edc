import { VERSION } from '../version.ts'
import { counter, gauge } from './exposition.ts'
import type { Metric } from './exposition.ts'

/**
 * What every process is measured by, under the names that Prometheus clients have agreed on, and for how long its event
 * loop had something to do: at a rate near 1 it is the bottleneck, whatever the other processors do.
 */
export function processMetrics(): readonly Metric[] {
  const { user, system } = process.cpuUsage()
  const startedAt = Date.now() / 1000 - process.uptime()
  const busy = performance.eventLoopUtilization().active / 1000
  return [
    gauge('build_info', 'Version of what runs, and of the Node it runs on', [
      { labels: { version: VERSION, nodeversion: process.version }, value: 1 },
    ]),
    counter('process_cpu_seconds_total', 'Processor time, user and system, in seconds', (user + system) / 1e6),
    gauge('process_resident_memory_bytes', 'Resident memory in bytes', process.memoryUsage.rss()),
    gauge('process_start_time_seconds', 'Start of the process in seconds since the epoch', startedAt),
    counter('nodejs_eventloop_busy_seconds_total', 'Time in which the event loop was not idle, in seconds', busy),
  ]
}
