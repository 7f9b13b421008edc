/**
 * `npm test [-- pattern…]`: every test of the workspace, units first, then end to end over real processes.
 * What the tests need beyond npm is installed first where that is possible.
 */
import { spawn } from 'node:child_process'
import { glob } from 'node:fs/promises'
import { installSystemPackages } from './system-packages.ts'

const PATTERNS = ['scripts/**/*.test.ts', 'packages/*/src/**/*.test.ts', 'bench/src/**/*.test.ts', 'e2e/**/*.test.ts']
/** A hung test must not hang the run: longer than any test takes. */
const TEST_TIMEOUT_MS = 240_000
/** Nor must a file that never ends, which the limit above does not see: then the whole run is ended, and fails. */
const RUN_TIMEOUT_MS = 1_200_000

async function testFiles(wanted: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob(PATTERNS, { exclude: (name) => name === 'node_modules' })) files.push(file)
  return files.filter((file) => wanted.length === 0 || wanted.some((text) => file.includes(text))).toSorted()
}

const wanted = process.argv.slice(2)
const files = await testFiles(wanted)
if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(' ')}\n`)
  process.exit(2)
}
installSystemPackages()
// No --test-force-exit: it ends files before their last results have been reported, and the run still counts as passed.
const words = ['--test', '--test-concurrency=2', `--test-timeout=${TEST_TIMEOUT_MS}`, '--test-reporter=spec', ...files]
const child = spawn(process.execPath, words, { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
const limit = setTimeout(() => {
  process.stderr.write(`the tests have not ended after ${RUN_TIMEOUT_MS / 60_000} minutes\n`)
  child.kill('SIGKILL')
}, RUN_TIMEOUT_MS)
child.once('close', (code) => {
  clearTimeout(limit)
  process.exitCode = code ?? 1
})
