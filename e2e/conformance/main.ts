/** `npm run conformance`: see options.ts for what it takes, report.ts for what it prints. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { behaviours } from './behaviours/index.ts'
import { judge, parseDifferences } from './differences.ts'
import type { Difference } from './differences.ts'
import type { Host, HostName, HostOptions } from './hosts/host.ts'
import { HELP, parseOptions, UsageError } from './options.ts'
import type { Options } from './options.ts'
import { makeCertificates } from './peers/certificates.ts'
import { Harness } from './peers/harness.ts'
import { jsonReport, problems, textReport } from './report.ts'
import type { Run } from './report.ts'
import { runSuite } from './suite.ts'
import type { Result } from './suite.ts'

const DIFFERENCES = new URL('../../docs/sockets-differences.md', import.meta.url)

/** Loaded when needed: a run on one host does without the packages of the others. */
const starters: Readonly<Record<HostName, (options: HostOptions) => Promise<Host>>> = {
  native: async (options) => (await import('./hosts/native.ts')).startNative(options),
  hawser: async (options) => (await import('./hosts/hawser.ts')).startHawser(options),
  node: async (options) => (await import('./hosts/node.ts')).startNode(options),
}

async function readDifferences(): Promise<Difference[]> {
  try {
    return parseDifferences(await readFile(DIFFERENCES, 'utf8'))
  } catch (error) {
    throw new Error('docs/sockets-differences.md', { cause: error })
  }
}

async function run(options: Options): Promise<Run> {
  const differences = await readDifferences()
  const selected = behaviours.filter(
    ({ id }) => options.only.length === 0 || options.only.some((beginning) => id.startsWith(beginning)),
  )
  if (selected.length === 0) throw new UsageError(`--only: no id begins with ${options.only.join(' or ')}`)
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hawser-conformance-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const certificates = await makeCertificates()
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, certificates.caPem)
  const harness = opening.use(await Harness.start(certificates))
  const results: Result[] = []
  for (const name of options.hosts) {
    const hostFolder = join(folder, name)
    await mkdir(hostFolder)
    await using host = await starters[name]({
      harnessUrl: harness.url,
      caPem: certificates.caPem,
      caFile,
      folder: hostFolder,
    })
    results.push(...(await runSuite(harness, host, selected)))
  }
  const verdict = judge(results, differences, new Set(behaviours.map(({ id }) => id)))
  return { behaviours: selected, hosts: options.hosts, results, differences, verdict }
}

async function main(words: readonly string[]): Promise<number> {
  const options = parseOptions(words)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  const done = await run(options)
  if (options.json) {
    process.stdout.write(`${JSON.stringify(jsonReport(done))}\n`)
    for (const problem of problems(done)) process.stderr.write(`${problem}\n`)
  } else {
    process.stdout.write(textReport(done))
  }
  return done.verdict.unexplained.length + done.verdict.stale.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
