import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { createResolver } from './name-resolver.ts'

const code = (expected: string) => (error: unknown) => HawserError.is(error) && error.code === expected
const never = new Promise<never>(() => {})

test('resolver: all addresses, in the order of the answer', async (t) => {
  const resolve = createResolver(1_000, () => Promise.resolve([{ address: '2001:db8::1' }, { address: '192.0.2.1' }]))
  assert.deepEqual(await resolve('example.com', t.signal), ['2001:db8::1', '192.0.2.1'])
})

test('resolver: the system’s codes become those of a flow', async (t) => {
  const cases: Record<string, string> = {
    ENOTFOUND: 'dns_error',
    EAI_AGAIN: 'dns_timeout',
    ENODATA: 'dns_error',
    ESERVFAIL: 'dns_error',
  }
  for (const [system, expected] of Object.entries(cases)) {
    const resolve = createResolver(1_000, () => Promise.reject(Object.assign(new Error(system), { code: system })))
    await assert.rejects(resolve('example.com', t.signal), code(expected), system)
  }
})

test('resolver: silence is dns_timeout', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const waiting = createResolver(500, () => never)('example.com', t.signal)
  t.mock.timers.tick(500)
  await assert.rejects(waiting, code('dns_timeout'))
})

test('resolver: is given up with the reason of the signal', async () => {
  const controller = new AbortController()
  const resolve = createResolver(1_000, () => never)
  const waiting = resolve('example.com', controller.signal)
  controller.abort(new HawserError('connection_aborted', 'gone'))
  await assert.rejects(waiting, code('connection_aborted'))
  await assert.rejects(resolve('example.com', controller.signal), code('connection_aborted'))
})

test('resolver: an answer after it was given up harms nothing', async () => {
  const controller = new AbortController()
  const answer = Promise.withResolvers<never>()
  const waiting = createResolver(1_000, () => answer.promise)('example.com', controller.signal)
  controller.abort(new HawserError('connection_aborted', 'gone'))
  await assert.rejects(waiting)
  answer.reject(new Error('late'))
  await new Promise(setImmediate)
})
