import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { chaos } from '../chaos/chaos.ts'
import { textReport } from '../chaos/report.ts'
import { whyNot } from '../chaos/requirements.ts'
import type { Fault } from '../chaos/schedule.ts'

/** One of each that connectors meet every day: a process that dies, a cable that is pulled, a machine that stands still. */
const SCHEDULE: readonly Fault[] = [
  { kind: 'killConnector', atMs: 1_000, forMs: 1_000, connectors: [0] },
  { kind: 'linkDown', atMs: 5_000, forMs: 3_000, connectors: [1] },
  { kind: 'stopConnector', atMs: 11_000, forMs: 2_000, connectors: [0] },
]

test(
  'while a connector is killed, a link cut and a process stopped, every flow ends right or with a code',
  { timeout: 200_000, skip: skipped() },
  async (t) => {
    const report = await chaos({
      seed: 1,
      schedule: SCHEDULE,
      durationMs: 15_000,
      replicas: 2,
      clientFlows: 30,
      workerFlows: 4,
      limits: { maxBytes: 262_144, maxPausedMs: 1_500 },
      settleMs: 3_000,
      warmUpMs: 1_000,
      rehearsal: [],
      logs: join(tmpdir(), 'hawser-chaos-logs-test'),
      say: (line) => t.diagnostic(line),
      signal: t.signal,
    })
    // Times and memory are for the long run, on a machine that does nothing else.
    const { flows, bytes, corrupted, silent, leaked, failures } = report
    assert.deepEqual({ corrupted, silent, leaked }, { corrupted: 0, silent: 0, leaked: 0 }, textReport(report))
    assert.equal(failures['uncoded'], undefined, textReport(report))
    assert.ok(flows > 100 && bytes > 1_000_000, textReport(report))
    assert.ok(report.recoveries.length > 0)
  },
)

function skipped(): string | false {
  const reason = whyNot()
  return reason === undefined ? false : `chaos cannot run here: ${reason}`
}
