import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { startStack } from './support/stack.ts'
import { startRedis } from './support/redis.ts'

const COMMANDS = 100_000

/** What Redis answers to `ECHO value-0` … `ECHO value-99999` and `QUIT`, byte for byte. */
function expectedAnswer(): { bytes: number; sha256: string } {
  const hash = createHash('sha256')
  let bytes = 0
  for (let index = 0; index < COMMANDS; index += 1) {
    const value = `value-${index}`
    const reply = `$${value.length}\r\n${value}\r\n`
    bytes += reply.length
    hash.update(reply)
  }
  hash.update('+OK\r\n')
  return { bytes: bytes + 5, sha256: hash.digest('hex') }
}

test('100,000 pipelined commands to a real Redis come back byte for byte', { timeout: 120_000 }, async (t) => {
  await using redis = await startRedis()
  if (redis === undefined) return t.skip('redis-server is not installed and could not be installed')
  await using stack = await startStack()
  const response = await stack.ask('/redis', { target: redis.address, count: String(COMMANDS) })
  assert.deepEqual(await response.json(), expectedAnswer())
})
