import { stat } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { HawserError } from '@hawser/core'
import type { Logger } from '@hawser/core'
import { readWorkerConfig } from '@hawser/workers'
import type { WorkerConfig } from '@hawser/workers'
import type { Output } from '../command.ts'
import { printable } from '../output.ts'
import { edgeDialers } from '../dev/edge-dialers.ts'
import { planChecks } from './plan-checks.ts'
import { TargetTrier } from './try-target.ts'
import type { CheckResult } from './try-target.ts'

export interface CheckOptions {
  /** The wrangler file, or the folder it is in. */
  readonly configPath: string
  readonly environment?: string | undefined
  /** One JSON value in place of lines. */
  readonly json: boolean
  readonly logger: Logger
  readonly out: Output
  readonly signal: AbortSignal
}

/** What `--json` prints. */
interface Report {
  readonly ok: boolean
  /** Absolute paths of what was read; empty where it could not be. */
  readonly files: readonly string[]
  /** What is wrong with the files, a line each. */
  readonly problems: readonly string[]
  readonly checks: readonly CheckResult[]
}

const WORDS: Readonly<Record<CheckResult['status'], string>> = { ok: 'ok    ', failed: 'FAILED', untried: '-     ' }

function print(out: Output, { checks, problems }: Report): void {
  for (const problem of problems) out.line(printable(problem))
  for (const { status, key, target, said } of checks) {
    const arrow = target === undefined ? '' : ` → ${target}`
    out.line(`${WORDS[status]}  ${printable(`${key}${arrow}: ${said}`)}`)
  }
}

/** Found here rather than by the bundler, which is not run. A custom build may make it only later. */
async function checkMain({ main, path, wrangler }: WorkerConfig): Promise<void> {
  if (wrangler.build.command !== undefined) return
  const kind = await stat(main).catch(() => undefined)
  if (kind?.isFile() === true) return
  const from = relative(dirname(path), main)
  throw new HawserError('config_invalid', `${relative('', path)}: "main" must be a file that is there, got "${from}"`)
}

async function readBoth(options: CheckOptions): Promise<WorkerConfig> {
  const config = await readWorkerConfig(options)
  edgeDialers(config) // which looks at the tokens
  await checkMain(config)
  return config
}

/** Says what is wrong with the files, and fails with how much that is: the messages themselves are results here. */
function failInvalid({ json, out }: CheckOptions, error: unknown): never {
  if (!HawserError.is(error, 'config_invalid')) throw error
  const problems = error.message.split('\n').filter((line) => line.trim() !== '')
  const report: Report = { ok: false, files: [], problems, checks: [] }
  if (json) out.json(report)
  else print(out, report)
  throw new HawserError('config_invalid', 'the configuration is not in order; what is wrong is above', { cause: error })
}

/**
 * Reads both files, tries every stand-in, and prints what came of each.
 *
 * @throws {HawserError} `config_invalid` where a file is wrong; else, where a stand-in failed, the code of the first that did
 */
export async function runCheck(options: CheckOptions): Promise<void> {
  const { json, out, signal } = options
  const config = await readBoth(options).catch((error: unknown) => failInvalid(options, error))
  const trier = new TargetTrier(config.tls, signal)
  const checks = await Promise.all(planChecks(config).map((check) => trier.try(check)))
  const failed = checks.filter(({ status }) => status === 'failed')
  const report: Report = { ok: failed.length === 0, files: config.files, problems: [], checks }
  if (json) out.json(report)
  else {
    const names = config.files.map((path) => relative('', path))
    out.line(`In order: ${names.join(', ')}${names.length === 1 ? ' (there is no hawser.jsonc)' : ''}`)
    print(out, report)
  }
  const [first] = failed
  if (first === undefined) return
  const tried = checks.filter(({ status }) => status !== 'untried').length
  throw new HawserError(
    first.code ?? 'destination_unavailable',
    `${failed.length} of ${tried} targets cannot be reached`,
  )
}
