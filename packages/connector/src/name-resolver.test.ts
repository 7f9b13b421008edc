import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import { systemLookup } from './dns/system-lookup.ts'
import { NameResolver } from './name-resolver.ts'

/** A resolver whose system answers with these addresses, for so long. */
function answering(
  lookup: (name: string) => Promise<readonly string[]>,
  ttlMs = 0,
  now = (): number => 0,
): NameResolver {
  return new NameResolver({ system: async (name) => ({ addresses: await lookup(name), ttlMs }), now })
}

const absent = (): Error => Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' })

test('calls for one name share one lookup, and nothing is remembered of an answer without time', async () => {
  const asked: string[] = []
  const answers = [['10.0.0.1'], ['10.0.0.2']]
  const resolver = answering(async (name) => {
    asked.push(name)
    await new Promise(setImmediate)
    return answers.shift() ?? []
  })
  const burst = await Promise.all(Array.from({ length: 50 }, async () => resolver.resolve('db.internal')))
  assert.deepEqual(new Set(burst.flat()), new Set(['10.0.0.1']))
  assert.deepEqual(asked, ['db.internal'])
  assert.deepEqual(await resolver.resolve('db.internal'), ['10.0.0.2'])
  assert.equal(asked.length, 2)
})

test('an answer is given at once for as long as it holds, then asked for again', async () => {
  let now = 0
  const answers = [['10.0.0.1'], ['10.0.0.2']]
  const resolver = answering(
    async () => answers.shift() ?? [],
    30_000,
    () => now,
  )
  await resolver.resolve('db')
  now = 29_999
  assert.deepEqual(resolver.resolve('db'), ['10.0.0.1'], 'no promise: nothing to wait for')
  now = 30_000
  assert.deepEqual(await resolver.resolve('db'), ['10.0.0.2'])
})

test('a name that does not exist is not asked for again for a while; what failed otherwise is', async () => {
  let now = 0
  let calls = 0
  let failure = absent()
  const failing = async (): Promise<never> => {
    calls += 1
    await new Promise(setImmediate)
    throw failure
  }
  const resolver = answering(failing, 0, () => now)
  const outcomes = await Promise.allSettled([resolver.resolve('db'), resolver.resolve('db')])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.throws(() => resolver.resolve('db'), { code: 'ENOTFOUND' })
  assert.equal(calls, 1)
  now = 2_000
  failure = Object.assign(new Error('try again'), { code: 'EAI_AGAIN' })
  await assert.rejects(async () => resolver.resolve('db'), { code: 'EAI_AGAIN' })
  await assert.rejects(async () => resolver.resolve('db'), { code: 'EAI_AGAIN' })
  assert.equal(calls, 3)
})

test('the servers that a target names are asked in place of the system, and remembered apart', async () => {
  const asked: string[] = []
  const resolver = new NameResolver({
    system: () => Promise.resolve({ addresses: ['10.0.0.1'], ttlMs: 1_000 }),
    servers: (servers) => async (name) => {
      asked.push(`${servers.join('+')} ${name}`)
      return { addresses: ['10.0.0.2'], ttlMs: 1_000 }
    },
    now: () => 0,
  })
  assert.deepEqual(await resolver.resolve('db', ['10.0.0.53', 'fd00::53']), ['10.0.0.2'])
  assert.deepEqual(await resolver.resolve('db'), ['10.0.0.1'])
  assert.deepEqual(resolver.resolve('db', ['10.0.0.53', 'fd00::53']), ['10.0.0.2'])
  assert.deepEqual(await resolver.resolve('db', ['10.0.0.54']), ['10.0.0.2'])
  assert.deepEqual(asked, ['10.0.0.53+fd00::53 db', '10.0.0.54 db'])
})

test('V-012: localhost is this machine, whatever a resolver would say', () => {
  const resolver = answering(async () => ['203.0.113.9'])
  for (const name of ['localhost', 'localhost.', 'db.localhost']) {
    assert.deepEqual(resolver.resolve(name), ['127.0.0.1', '::1'])
    assert.deepEqual(resolver.resolve(name, ['10.0.0.53']), ['127.0.0.1', '::1'])
  }
})

test('addresses come out canonical, once each, in the order of the resolver', async () => {
  const resolver = answering(async () => ['FD00::1', '::ffff:10.0.0.1', '10.0.0.1', 'fe80::1%eth0', 'nonsense'])
  assert.deepEqual(await resolver.resolve('db'), ['fd00::1', '10.0.0.1', 'fe80::1%eth0'])
})

test('a name without an address is dns_error', async () => {
  const resolver = answering(async () => [])
  await assert.rejects(
    async () => resolver.resolve('db'),
    (error) => HawserError.is(error, 'dns_error'),
  )
})

test('more names at one time than the cap are refused with a code', async () => {
  const gate = Promise.withResolvers<void>()
  const resolver = answering(async () => {
    await gate.promise
    return ['10.0.0.1']
  })
  const running = Array.from({ length: 1024 }, async (_, at) => resolver.resolve(`host-${at}`))
  await assert.rejects(
    async () => resolver.resolve('one-more'),
    (error) => HawserError.is(error, 'connection_limit_reached'),
  )
  assert.ok(resolver.resolve('host-7')) // already running, so no more work
  gate.resolve()
  assert.equal((await Promise.all(running)).length, 1024)
  assert.deepEqual(await resolver.resolve('one-more'), ['10.0.0.1'])
})

test('the system lookup reads the hosts file of this machine, and says to keep that for a moment', async () => {
  const { addresses, ttlMs } = await systemLookup('localhost')
  assert.ok(addresses.some((ip) => ip === '127.0.0.1' || ip === '::1'))
  assert.equal(ttlMs, 1_000)
})
