/** `npm run chaos`: see options.ts for what it takes. */
import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chaos } from './chaos.ts'
import { parseSeededOptions, UsageError } from '../src/support/seeded-options.ts'
import { HELP, PROGRAM } from './options.ts'
import { textReport } from './report.ts'
import { whyNot } from './requirements.ts'
import { rehearsalOf, scheduleOf } from './schedule.ts'

const MAX_SEED = 2 ** 31
const REPLICAS = 3
const WARM_UP_MS = 15_000
const SETTLE_MS = 30_000

async function main(words: readonly string[], signal: AbortSignal): Promise<number> {
  const { seed, minutes, json, help } = parseSeededOptions(words, PROGRAM, () => randomInt(MAX_SEED))
  if (help) {
    process.stdout.write(HELP)
    return 0
  }
  const reason = whyNot()
  if (reason !== undefined) {
    process.stderr.write(`chaos cannot run here: ${reason}\n`)
    return 2
  }
  const durationMs = minutes * 60_000
  const report = await chaos({
    seed,
    durationMs,
    schedule: scheduleOf(seed, durationMs, REPLICAS),
    replicas: REPLICAS,
    clientFlows: 180,
    workerFlows: 20,
    warmUpMs: WARM_UP_MS,
    rehearsal: rehearsalOf(REPLICAS),
    settleMs: SETTLE_MS,
    logs: join(tmpdir(), `hawser-chaos-logs-${seed}`),
    say: json ? () => {} : (line) => void process.stdout.write(`${line}\n`),
    signal,
  })
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : textReport(report))
  return report.passed ? 0 : 1
}

const stop = new AbortController()
const started = performance.now()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())
try {
  process.exitCode = await main(process.argv.slice(2), stop.signal)
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  } else if (stop.signal.aborted) {
    const seconds = Math.round((performance.now() - started) / 1_000)
    process.stderr.write(`stopped after ${seconds} s; everything was taken away\n`)
    process.exitCode = 130
  } else throw error
}
