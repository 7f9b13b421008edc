import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import { NameResolver, systemLookup } from './name-resolver.ts'

test('calls for one name share one lookup, and nothing is remembered after it', async () => {
  const asked: string[] = []
  const answers = [['10.0.0.1'], ['10.0.0.2']]
  const resolver = new NameResolver(async (name) => {
    asked.push(name)
    await new Promise(setImmediate)
    return answers.shift() ?? []
  })
  const burst = await Promise.all(Array.from({ length: 50 }, () => resolver.resolve('db.internal')))
  assert.deepEqual(new Set(burst.flat()), new Set(['10.0.0.1']))
  assert.deepEqual(asked, ['db.internal'])
  assert.deepEqual(await resolver.resolve('db.internal'), ['10.0.0.2'])
  assert.equal(asked.length, 2)
})

test('a failed lookup fails every call that shared it, and the next call asks again', async () => {
  let calls = 0
  const resolver = new NameResolver(async () => {
    calls += 1
    await new Promise(setImmediate)
    throw Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' })
  })
  const outcomes = await Promise.allSettled([resolver.resolve('db'), resolver.resolve('db')])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await assert.rejects(resolver.resolve('db'), { code: 'ENOTFOUND' })
  assert.equal(calls, 2)
})

test('localhost is this machine, whatever a resolver would say', async () => {
  const resolver = new NameResolver(async () => ['203.0.113.9'])
  assert.deepEqual(await resolver.resolve('localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(await resolver.resolve('localhost.'), ['127.0.0.1', '::1'])
})

test('addresses come out canonical, once each, in the order of the resolver', async () => {
  const resolver = new NameResolver(async () => ['FD00::1', '::ffff:10.0.0.1', '10.0.0.1', 'fe80::1%eth0', 'nonsense'])
  assert.deepEqual(await resolver.resolve('db'), ['fd00::1', '10.0.0.1', 'fe80::1%eth0'])
})

test('a name without an address is dns_error', async () => {
  const resolver = new NameResolver(async () => [])
  await assert.rejects(resolver.resolve('db'), (error) => HawserError.is(error, 'dns_error'))
})

test('more names at one time than the cap are refused with a code', async () => {
  const gate = Promise.withResolvers<void>()
  const resolver = new NameResolver(async () => {
    await gate.promise
    return ['10.0.0.1']
  })
  const running = Array.from({ length: 1024 }, (_, at) => resolver.resolve(`host-${at}`))
  await assert.rejects(resolver.resolve('one-more'), (error) => HawserError.is(error, 'connection_limit_reached'))
  assert.ok(resolver.resolve('host-7')) // already running, so no more work
  gate.resolve()
  assert.equal((await Promise.all(running)).length, 1024)
  assert.deepEqual(await resolver.resolve('one-more'), ['10.0.0.1'])
})

test('the system lookup reads the hosts file of this machine', async () => {
  const found = await systemLookup('localhost')
  assert.ok(found.some((ip) => ip === '127.0.0.1' || ip === '::1'))
})
