import { hawser } from './hawser.ts'
import { runLine } from './run-line.ts'

/** What a command line did. */
export interface LineResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a `hawser` command line inside a test, with nothing of the test's own environment. */
export async function testLine(
  line: readonly string[],
  env: Readonly<Record<string, string>> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<LineResult> {
  const written = { stdout: '', stderr: '' }
  const code = await runLine(line, hawser, {
    env,
    cwd: '/nowhere',
    stdout: { write: (text: string) => (written.stdout += text) },
    stderr: { write: (text: string) => (written.stderr += text) },
    signal,
    abort: new AbortController().signal,
  })
  return { code, ...written }
}
