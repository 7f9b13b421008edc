import assert from 'node:assert/strict'
import { once } from 'node:events'
import { realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { runForeign, startForeign, untilListening } from './foreign.ts'
import { findFreePort, LOOPBACK, portOf, waitForPort } from './ports.ts'
import { Scope } from './scope.ts'

const LIMIT = { timeout: 30_000 }
const never = new AbortController().signal

/** A program that listens on `port` and says so first. */
const listener = (port: number): string[] => [
  '-e',
  `console.error('starting'); require('node:net').createServer().listen(${port}, '${LOOPBACK}')`,
]

test('a program is waited for until it takes connections', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const port = await findFreePort()
  const program = await startForeign(scope, process.execPath, listener(port))
  assert.ok(program.pid > 0)
  await untilListening(program, port, scope)
  assert.equal(program.ended.aborted, false)
  assert.equal(program.tail(), 'starting')
})

test('a program that ends instead of listening is reported with what it printed', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const words = ['-e', 'console.error("bad option: colour"); process.exitCode = 7']
  const program = await startForeign(scope, process.execPath, words)
  await assert.rejects(untilListening(program, await findFreePort(), scope), /ended with 7: bad option: colour/)
})

test('a program is started in the folder and with the variables it is given, beside our own', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const words = ['-e', 'console.log(process.cwd(), process.env.HAWSER_BENCH, "PATH" in process.env)']
  const program = await startForeign(scope, process.execPath, words, {
    cwd: scope.folder,
    env: { HAWSER_BENCH: 'yes' },
  })
  if (!program.ended.aborted) await once(program.ended, 'abort')
  assert.equal(program.tail(), `${await realpath(scope.folder)} yes true`)
})

test('an interruption ends the wait', LIMIT, async (t) => {
  assertNoLeaks(t)
  const interruption = new AbortController()
  await using scope = await Scope.open(interruption.signal)
  const program = await startForeign(scope, 'sleep', ['60'])
  const waiting = untilListening(program, await findFreePort(), scope)
  interruption.abort(new Error('interrupted'))
  await assert.rejects(waiting, /interrupted/)
})

test('a program that does not exist cannot be started', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  await assert.rejects(startForeign(scope, '/nowhere/hawser-absent', []), { code: 'ENOENT' })
})

test('a command is run to its end, and its failure carries what it printed', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  await runForeign(scope, process.execPath, ['-e', ''])
  const words = ['-e', 'console.error("no such key"); process.exitCode = 1']
  await assert.rejects(runForeign(scope, process.execPath, words), /no such key/)
})

test('a free port can be listened on, and is waited for', LIMIT, async (t) => {
  assertNoLeaks(t)
  const port = await findFreePort()
  const waiting = waitForPort(port, AbortSignal.timeout(10_000))
  const server = createServer().listen(port, LOOPBACK)
  await once(server, 'listening')
  assert.equal(portOf(server), port)
  await waiting
  server.close()
  await once(server, 'close')
})

test('a server without a port is an error, not port 0', () => {
  assert.throws(() => portOf({ address: () => null }), /does not listen/)
  assert.throws(() => portOf({ address: () => '/a/socket' }), /does not listen/)
})
