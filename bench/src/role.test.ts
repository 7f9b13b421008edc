import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { startRole } from './role.ts'
import type { TargetOperations } from './roles/target.ts'
import { Scope } from './scope.ts'

const never = new AbortController().signal
const LIMIT = { timeout: 30_000 }

test('a role answers what it is asked, also several questions at once', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const target = await startRole<TargetOperations>(scope, 'target')
  const ports = await Promise.all([target.call('listen', 'echo'), target.call('listen', 'http')])
  for (const port of ports) assert.ok(port > 0 && port < 65_536)
  assert.notEqual(ports[0], ports[1])
})

test('a role runs in a process of its own', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const target = await startRole<TargetOperations>(scope, 'target')
  assert.ok(target.pid > 0)
  assert.notEqual(target.pid, process.pid)
})

test('what an operation throws is thrown here, with the role and the operation named', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const load = await startRole<{ probe(url: string): Promise<void> }>(scope, 'load')
  await assert.rejects(load.call('probe', 'http://127.0.0.1:1/'), /^Error: load: probe: ECONNREFUSED: /)
})

test('an operation that a role does not have is an error', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const target = await startRole<{ dance(): Promise<void> }>(scope, 'target')
  await assert.rejects(target.call('dance'), /no operation dance/)
})

test('a role that cannot start says why instead of keeping its caller waiting', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const role = await startRole<TargetOperations>(scope, 'no-such-role')
  await assert.rejects(
    role.call('listen', 'echo'),
    /no-such-role: listen: .*(?:ended with 1: Error.*Cannot find module|EPIPE)/,
  )
})

test('a role that is gone fails the question under way and every later one', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const target = await startRole<TargetOperations>(scope, 'target')
  await target.call('listen', 'echo')
  process.kill(target.pid, 'SIGKILL')
  await assert.rejects(target.call('listen', 'echo'), /ended with SIGKILL|EPIPE|closed/)
  await assert.rejects(target.call('listen', 'echo'), /target: listen: /)
})

test('an interruption ends the waiting', LIMIT, async (t) => {
  assertNoLeaks(t)
  const interruption = new AbortController()
  await using scope = await Scope.open(interruption.signal)
  const load = await startRole<{ bulk(load: object): Promise<number> }>(scope, 'load')
  const target = await startRole<TargetOperations>(scope, 'target')
  const port = await target.call('listen', 'source')
  const running = load.call('bulk', { port, streams: 1, rampMs: 60_000, countMs: 60_000 })
  interruption.abort(new Error('interrupted'))
  await assert.rejects(running, /interrupted/)
  await assert.rejects(target.call('listen', 'echo'), /interrupted/)
})
