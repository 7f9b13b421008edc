import assert from 'node:assert/strict'
import { relative } from 'node:path'
import test from 'node:test'
import { testLine } from '../test-line.ts'
import { workerProject } from './test-worker.ts'

/** Something that a user got wrong. */
export interface BadRow {
  /** Words after `hawser`; `$` is the folder of the project. */
  readonly line: string
  /** See `workerProject`. */
  readonly files?: Readonly<Record<string, unknown>> | undefined
  /** What has to be told, all of it: the file or the flag, the key, what was given, what is allowed. */
  readonly says: readonly (string | RegExp)[]
}

const limits = { timeout: 30_000 }

/** A test for each row: everything is told, nothing is a fault of ours, and the exit code is 2. */
export function testBadInput(rows: readonly BadRow[]): void {
  for (const { line, files, says } of rows) {
    const title = `hawser ${line}${files === undefined ? '' : ` with ${JSON.stringify(files)}`}`
    void test(`${title} is refused in words`, limits, async (t) => {
      const folder = await workerProject(t, files)
      const { code, stdout, stderr } = await testLine(line.split(' ').map((word) => word.replace('$', folder)))
      const told = `${stdout}${stderr}`.replaceAll(relative('', folder), '.').replaceAll(folder, '.')
      for (const text of says) {
        if (typeof text === 'string') assert.ok(told.includes(text), `${text} is not in:\n${told}`)
        else assert.match(told, text)
      }
      assert.doesNotMatch(told, /proxy_internal_error|\n {4}at |TypeError|undefined|\[object|hunter2/)
      assert.equal(code, 2, told)
    })
  }
}
