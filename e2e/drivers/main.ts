/** `npm run drivers`: which npm clients work in a Worker, unchanged, against servers in a private network. */
import { silentLogger } from '@hawser/core'
import { createAuthority } from '@hawser/testkit'
import type { TestAuthority } from '@hawser/testkit'
import { explain } from './known.ts'
import type { DriverEntry } from './matrix.ts'
import { HELP, parseOptions, UsageError } from './options.ts'
import type { Options } from './options.ts'
import { textReport } from './report.ts'
import type { Row } from './report.ts'
import { runMode } from './run-driver.ts'
import type { Mode } from './run-driver.ts'
import { startHawserHost } from './support/hawser-host.ts'
import { installedVersion, installOwnPackages } from './support/own-packages.ts'
import { installServers } from './support/server-packages.ts'
import { stderrLogger } from './support/stderr-log.ts'
import type { WorkerHost, WorkerSite } from './support/worker-host.ts'

interface Outcome {
  /** `ok`, or why not. */
  readonly text: string
  /** False for a failure that has no known reason. */
  readonly fine: boolean
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

async function startHost(options: Options, caPem: string): Promise<WorkerHost> {
  // Loaded when needed: it brings another bundler's settings with it.
  if (options.native) return (await import('./support/native-host.ts')).startNativeHost(caPem)
  return startHawserHost(caPem, options.verbose ? stderrLogger : silentLogger)
}

async function judge(entry: DriverEntry, mode: Mode, site: WorkerSite, authority: TestAuthority): Promise<Outcome> {
  say(`${entry.name} ${mode}`)
  const { failures, unavailable } = await runMode(entry, mode, site, authority)
  if (unavailable !== undefined) return { text: `skipped: ${unavailable}`, fine: true }
  if (failures.length === 0) return { text: 'ok', fine: true }
  const reasons = failures.map((failure) => explain(entry.name, mode, failure))
  const text = failures.map((failure, index) => reasons[index] ?? failure).join('; ')
  return { text, fine: reasons.every((reason) => reason !== undefined) }
}

const SKIPPED = 'skipped: '

async function runEntry(
  entry: DriverEntry,
  host: WorkerHost,
  authority: TestAuthority,
): Promise<{ row: Row; fine: boolean }> {
  const { name: driver, server } = entry
  const version = (await installedVersion(driver)) ?? null
  if (typeof server === 'string') {
    return { row: { driver, version, server: '-', plain: SKIPPED + server, tls: SKIPPED + server }, fine: true }
  }
  try {
    await using site = await host.start(entry)
    const plain = await judge(entry, 'plain', site, authority)
    const tls = entry.tls ? await judge(entry, 'tls', site, authority) : undefined
    const row = { driver, version, server: server.name, plain: plain.text, tls: tls?.text ?? null }
    return { row, fine: plain.fine && tls?.fine !== false }
  } catch (error) {
    const text = `the Worker did not start: ${error instanceof Error ? error.message : String(error)}`
    return { row: { driver, version, server: server.name, plain: text, tls: entry.tls ? text : null }, fine: false }
  }
}

async function main(words: readonly string[]): Promise<number> {
  const options = parseOptions(words)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  await installOwnPackages(say)
  installServers(
    options.entries.flatMap(({ server }) => (typeof server === 'string' ? [] : [server])),
    say,
  )
  const authority = await createAuthority()
  await using host = await startHost(options, authority.caPem)
  const rows: Row[] = []
  let failed = 0
  for (const entry of options.entries) {
    const { row, fine } = await runEntry(entry, host, authority)
    rows.push(row)
    if (!fine) failed += 1
  }
  process.stdout.write(options.json ? `${JSON.stringify(rows)}\n` : textReport(rows))
  return failed === 0 ? 0 : 1
}

// The servers are killed when this process exits, which a signal alone would not let them see.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
