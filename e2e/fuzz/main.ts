/** `npm run fuzz`: see options.ts for what it takes. */
import { randomInt } from 'node:crypto'
import { fuzz } from './fuzz.ts'
import type { FuzzReport } from './fuzz.ts'
import { parseSeededOptions, UsageError } from '../src/support/seeded-options.ts'
import { HELP, PROGRAM } from './options.ts'

const MAX_SEED = 2 ** 31

function textReport({ seed, seconds, runs, findings }: FuzzReport): string {
  const lines = Object.entries(runs).map(
    ([name, count]) => `${name.padEnd(16)} ${count.toLocaleString('en-US')} inputs`,
  )
  const found = findings.map(
    ({ target, seed: at, input, problem }) => `FINDING in ${target}, seed ${at}\n  input: ${input}\n  ${problem}`,
  )
  const verdict = findings.length === 0 ? 'nothing found' : `${findings.length} found`
  return [...lines, '', ...found, `seed ${seed}, ${seconds} s: ${verdict}`, ''].join('\n')
}

async function main(words: readonly string[]): Promise<number> {
  const options = parseSeededOptions(words, PROGRAM, () => randomInt(MAX_SEED))
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  const report = await fuzz({ seed: options.seed, durationMs: options.minutes * 60_000 })
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textReport(report))
  return report.findings.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
