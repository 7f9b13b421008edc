import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** Makes and drops 400 MiB of buffers as reads do, and tells the most that was held outside the heap, in MiB. */
const SCRIPT = `
  const { countRead, tuneHeapForBuffers } = await import('@hawser/core')
  if (process.argv[1] === 'tuned') tuneHeapForBuffers()
  let most = 0
  for (let read = 0; read < 6_400; read += 1) {
    const chunk = Buffer.allocUnsafeSlow(64 * 1024)
    countRead(chunk.length)
    if (read % 64 === 0) await new Promise(setImmediate)
    most = Math.max(most, process.memoryUsage().arrayBuffers)
  }
  console.log(most / 1024 / 1024)
`

async function mostMiB(how: string): Promise<number> {
  const line = ['--input-type=module', '--eval', SCRIPT, how]
  const { stdout } = await promisify(execFile)(process.execPath, line, { cwd: import.meta.dirname, timeout: 60_000 })
  return Number(stdout)
}

test('dead read buffers are swept by what has been read, not by how many objects were made', async () => {
  const tuned = await mostMiB('tuned')
  assert.ok(tuned < 40, `${tuned.toFixed(0)} MiB of buffers were held`)
})

test('where nobody has asked for it, counting does nothing', async () => {
  const [tuned, untuned] = [await mostMiB('tuned'), await mostMiB('left alone')]
  assert.ok(
    untuned > tuned * 1.5,
    `${untuned.toFixed(0)} MiB were held, and ${tuned.toFixed(0)} where it was asked for`,
  )
})
