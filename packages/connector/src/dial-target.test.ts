import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import { DirectSocket, HawserError } from '@hawser/core'
import type { ConnectAddress } from '@hawser/core'
import type { ErrorCode } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { compileAddressRules } from './address-rules.ts'
import { createTargetDialer } from './dial-target.ts'
import type { TargetDialer } from './dial-target.ts'
import { NameResolver } from './name-resolver.ts'

/** What names resolve to: addresses, or the code of a failure. */
const NAMES: Readonly<Record<string, readonly string[] | string>> = {
  'db.internal': ['10.0.0.5'],
  'six.internal': ['fd00::5', '10.0.0.5'],
  'mixed.internal': ['127.0.0.1', '10.0.0.5'],
  'loop.internal': ['127.0.0.1'],
  'mapped.internal': ['::ffff:127.0.0.1'],
  'zero.internal': ['0.0.0.0'],
  'nowhere.internal': 'ENOTFOUND',
  'noaddress.internal': 'ENODATA',
  'slow.internal': 'EAI_AGAIN',
  'broken.internal': 'ESERVFAIL',
  'empty.internal': [],
}

/** A resolver that asks this function and remembers nothing. */
function answering(lookup: (name: string) => Promise<readonly string[]>): NameResolver {
  return new NameResolver({ system: async (name) => ({ addresses: await lookup(name), ttlMs: 0 }) })
}

interface Bench {
  readonly dial: TargetDialer
  readonly looked: string[]
  readonly dialled: string[]
}

/** A dialer over fake names whose connections fail with `code`, so that what would be dialled can be seen. */
function bench(lists: { allow?: readonly string[]; deny?: readonly string[] }, code = 'ECONNREFUSED'): Bench {
  const looked: string[] = []
  const dialled: string[] = []
  const resolver = answering(async (name) => {
    looked.push(name)
    const answer = NAMES[name] ?? 'ENOTFOUND'
    if (typeof answer === 'string') throw Object.assign(new Error(`getaddrinfo ${answer} ${name}`), { code: answer })
    return answer
  })
  const connect: ConnectAddress<DirectSocket> = (ip, port) => {
    dialled.push(`${ip} ${port}`)
    const socket = new DirectSocket()
    setImmediate(() => socket.destroy(Object.assign(new Error(`connect ${code}`), { code })))
    return socket
  }
  const rules = compileAddressRules({ allow: lists.allow ?? [], deny: lists.deny ?? [] })
  return { dial: createTargetDialer({ rules, resolver, connect }), looked, dialled }
}

interface Row {
  readonly host: string
  readonly port?: number
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly code: ErrorCode
  readonly dialled: readonly string[]
  /** How often a resolver was asked. */
  readonly lookups: number
}

const PRIVATE = ['10.0.0.0/8']
const LOOPBACK = ['127.0.0.0/8', '::1/128']

// A code of connection_refused means: it passed and was dialled.
const rows: readonly Row[] = [
  { host: '10.0.0.1', code: 'connection_refused', dialled: ['10.0.0.1 5432'], lookups: 0 },
  { host: 'db.internal', code: 'connection_refused', dialled: ['10.0.0.5 5432'], lookups: 1 },
  { host: 'DB.Internal', code: 'connection_refused', dialled: ['10.0.0.5 5432'], lookups: 1 },
  { host: 'six.internal', code: 'connection_refused', dialled: ['fd00::5 5432', '10.0.0.5 5432'], lookups: 1 },
  { host: 'six.internal', allow: PRIVATE, code: 'connection_refused', dialled: ['10.0.0.5 5432'], lookups: 1 },
  { host: 'mixed.internal', deny: LOOPBACK, code: 'connection_refused', dialled: ['10.0.0.5 5432'], lookups: 1 },
  { host: 'localhost', code: 'connection_refused', dialled: ['127.0.0.1 5432', '::1 5432'], lookups: 0 },
  { host: '[::1]', code: 'connection_refused', dialled: ['::1 5432'], lookups: 0 },
  { host: '::ffff:10.0.0.1', code: 'connection_refused', dialled: ['10.0.0.1 5432'], lookups: 0 },
  { host: '167772161', code: 'connection_refused', dialled: ['10.0.0.1 5432'], lookups: 0 },
  { host: '10.0.0.1', allow: PRIVATE, code: 'connection_refused', dialled: ['10.0.0.1 5432'], lookups: 0 },

  { host: '10.0.0.1', deny: PRIVATE, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '11.0.0.1', allow: PRIVATE, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '10.0.0.1', allow: PRIVATE, deny: PRIVATE, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: 'loop.internal', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 1 },
  { host: 'loop.internal', allow: PRIVATE, code: 'destination_ip_prohibited', dialled: [], lookups: 1 },
  { host: 'mapped.internal', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 1 },
  { host: 'localhost', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '::ffff:127.0.0.1', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '::ffff:7f00:1', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '64:ff9b::7f00:1', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '127.1', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '0x7f.1', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '2130706433', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '0177.0.0.1', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '127.0.0.1.', deny: LOOPBACK, code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '127.0.0.1', deny: ['::ffff:127.0.0.0/104'], code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '0.0.0.0', code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '::', code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: '0', code: 'destination_ip_prohibited', dialled: [], lookups: 0 },
  { host: 'zero.internal', code: 'destination_ip_prohibited', dialled: [], lookups: 1 },
  { host: 'fe80::1%eth0', deny: ['fe80::/10'], code: 'destination_ip_prohibited', dialled: [], lookups: 0 },

  { host: 'nowhere.internal', code: 'dns_error', dialled: [], lookups: 1 },
  { host: 'noaddress.internal', code: 'dns_error', dialled: [], lookups: 1 },
  { host: 'empty.internal', code: 'dns_error', dialled: [], lookups: 1 },
  { host: 'broken.internal', code: 'dns_error', dialled: [], lookups: 1 },
  { host: 'slow.internal', code: 'dns_timeout', dialled: [], lookups: 1 },

  { host: '', code: 'address_invalid', dialled: [], lookups: 0 },
  { host: '256.1.1.1', code: 'address_invalid', dialled: [], lookups: 0 },
  { host: '1.2.3.4.5', code: 'address_invalid', dialled: [], lookups: 0 },
  { host: 'db.internal:1', code: 'address_invalid', dialled: [], lookups: 0 },
  { host: 'db internal', code: 'address_invalid', dialled: [], lookups: 0 },
  { host: '10.0.0.1', port: 0, code: 'address_invalid', dialled: [], lookups: 0 },
  { host: '10.0.0.1', port: 65_536, code: 'address_invalid', dialled: [], lookups: 0 },
  { host: '10.0.0.1', port: 1.5, code: 'address_invalid', dialled: [], lookups: 0 },
]

for (const { host, port = 5432, allow = [], deny = [], code, dialled, lookups } of rows) {
  const lists = [...allow.map((entry) => `allow ${entry}`), ...deny.map((entry) => `deny ${entry}`)].join(', ')
  test(`${JSON.stringify(host)} port ${port}${lists === '' ? '' : ` with ${lists}`}: ${code}`, async (t) => {
    const { dial, ...seen } = bench({ allow, deny })
    await assert.rejects(dial({ host, port, flowId: 'f1', timeoutMs: 5000 }, t.signal), (error) => {
      assert.ok(HawserError.is(error), String(error))
      assert.equal(error.code, code, error.message)
      return true
    })
    assert.deepEqual(seen.dialled, dialled)
    assert.equal(seen.looked.length, lookups)
  })
}

const failures: readonly (readonly [system: string, code: ErrorCode])[] = [
  ['ECONNREFUSED', 'connection_refused'],
  ['ETIMEDOUT', 'connection_timeout'],
  ['EHOSTUNREACH', 'destination_ip_unroutable'],
  ['ENETUNREACH', 'destination_ip_unroutable'],
  ['ECONNRESET', 'connection_terminated'],
  ['EMFILE', 'connection_limit_reached'],
  ['EWHATEVER', 'destination_unavailable'],
]

for (const [system, code] of failures) {
  test(`${system} while connecting is ${code}, with the cause kept`, async (t) => {
    const { dial } = bench({}, system)
    await assert.rejects(dial({ host: '10.0.0.1', port: 80, flowId: 'f1', timeoutMs: 5000 }, t.signal), (error) => {
      assert.ok(HawserError.is(error, code))
      assert.equal((error.cause as { code?: string }).code, system)
      return true
    })
  })
}

test('a name that changes its answer is judged and dialled on one and the same answer', async (t) => {
  const answers = [['10.0.0.5'], ['127.0.0.1'], ['10.0.0.5'], ['127.0.0.1']]
  const dialled: string[] = []
  const dial = createTargetDialer({
    rules: compileAddressRules({ allow: [], deny: LOOPBACK }),
    resolver: answering(async () => answers.shift() ?? []),
    connect: (ip) => {
      dialled.push(ip)
      const socket = new DirectSocket()
      setImmediate(() => socket.destroy(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })))
      return socket
    },
  })
  const target = { host: 'rebind.internal', port: 80, flowId: 'f1', timeoutMs: 5000 }
  await assert.rejects(dial(target, t.signal), { code: 'connection_refused' })
  await assert.rejects(dial(target, t.signal), { code: 'destination_ip_prohibited' })
  assert.deepEqual(dialled, ['10.0.0.5'])
  assert.equal(answers.length, 2, 'one lookup for each dial')
})

test('a second address of the target is raced against the first, each judged by itself', async (t) => {
  for (const [deny, expected] of [
    [[], ['10.0.0.5 80', 'fd00::5 80']],
    [['10.0.0.0/8'], ['fd00::5 80']],
    [['fd00::/8'], ['10.0.0.5 80']],
  ] as const) {
    const { dial, dialled } = bench({ deny })
    const target = { host: '10.0.0.5', otherHost: 'fd00::5', port: 80, flowId: 'f1', timeoutMs: 5000 }
    await assert.rejects(dial(target, t.signal), { code: 'connection_refused' })
    assert.deepEqual(dialled, expected)
  }
  const { dial } = bench({})
  const wrong = { host: '10.0.0.5', otherHost: 'db.internal', port: 80, flowId: 'f1', timeoutMs: 5000 }
  await assert.rejects(dial(wrong, t.signal), { code: 'address_invalid' })
})

test('V-009: the resolvers of a target are asked, where a connection to them would be allowed', async (t) => {
  const asked: string[] = []
  const resolver = new NameResolver({
    system: () => Promise.reject(new Error('the system is not asked')),
    servers: (servers) => async (name) => {
      asked.push(`${servers.join('+')} ${name}`)
      return { addresses: ['10.0.0.5'], ttlMs: 0 }
    },
  })
  const dialled: string[] = []
  const connect: ConnectAddress<DirectSocket> = (ip) => {
    dialled.push(ip)
    const socket = new DirectSocket()
    setImmediate(() => socket.destroy(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })))
    return socket
  }
  const rules = compileAddressRules({ allow: ['10.0.0.0/8'], deny: [] })
  const dial = createTargetDialer({ rules, resolver, connect })
  const via = (...resolverIps: readonly string[]): Promise<unknown> =>
    dial({ host: 'db.internal', port: 80, resolverIps, flowId: 'f1', timeoutMs: 5000 }, t.signal)
  await assert.rejects(via('10.0.0.53'), { code: 'connection_refused' })
  assert.deepEqual([asked, dialled], [['10.0.0.53 db.internal'], ['10.0.0.5']])
  await assert.rejects(via('10.0.0.53', '192.168.0.53'), {
    code: 'destination_ip_prohibited',
    message: 'db.internal: resolver 192.168.0.53 is not allowed on this connector',
  })
  await assert.rejects(via('dns.internal'), { code: 'address_invalid' })
  assert.equal(asked.length, 1)
})

test('a refusal names the target, the address and the rule', async (t) => {
  const { dial } = bench({ deny: LOOPBACK })
  const target = { host: 'loop.internal', port: 80, flowId: 'f1', timeoutMs: 5000 }
  await assert.rejects(dial(target, t.signal), {
    message: 'loop.internal: 127.0.0.1 is denied by 127.0.0.0/8 on this connector',
  })
})

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

const open = (): TargetDialer =>
  createTargetDialer({ rules: compileAddressRules({ allow: [], deny: [] }), resolver: new NameResolver() })

test('a real target: the address that answered is told, and an end of one direction leaves the other', async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listen()
  await using _server = server
  const accepted = once(server, 'connection')
  const { stream, remoteAddress } = await open()({ host: 'localhost', port, flowId: 'f1', timeoutMs: 5000 }, t.signal)
  assert.equal(remoteAddress, `127.0.0.1:${port}`)
  const [peer] = (await accepted) as [Socket]
  stream.end('ping')
  assert.equal(await text(peer), 'ping')
  peer.end('pong')
  assert.equal(await text(stream), 'pong')
})

test('a closed port is connection_refused', async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listen()
  server.close()
  await once(server, 'close')
  const target = { host: '127.0.0.1', port, flowId: 'f1', timeoutMs: 5000 }
  await assert.rejects(open()(target, t.signal), { code: 'connection_refused' })
})

test('a silent target is connection_timeout after the time of the request, and its socket is let go', async (t) => {
  assertNoLeaks(t)
  const sockets: Socket[] = []
  const dial = createTargetDialer({
    rules: compileAddressRules({ allow: [], deny: [] }),
    resolver: new NameResolver(),
    connect: () => {
      const socket = new DirectSocket()
      sockets.push(socket)
      return socket
    },
  })
  const target = { host: '10.0.0.1', port: 80, flowId: 'f1', timeoutMs: 20 }
  await assert.rejects(dial(target, t.signal), {
    code: 'connection_timeout',
    message: '10.0.0.1:80: no answer in 20 ms',
  })
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [true],
  )
})

test('a silent resolver is dns_timeout, and an answer that comes later is dropped', async (t) => {
  const answer = Promise.withResolvers<readonly string[]>()
  const dialled: string[] = []
  const dial = createTargetDialer({
    rules: compileAddressRules({ allow: [], deny: [] }),
    resolver: answering(() => answer.promise),
    connect: (ip) => {
      dialled.push(ip)
      return new DirectSocket()
    },
  })
  await assert.rejects(dial({ host: 'db', port: 80, flowId: 'f1', timeoutMs: 20 }, t.signal), { code: 'dns_timeout' })
  answer.resolve(['10.0.0.1'])
  await new Promise(setImmediate)
  assert.deepEqual(dialled, [])
})

test('an abort while resolving or connecting is connection_aborted and releases what was opened', async () => {
  for (const host of ['db', '10.0.0.1']) {
    const sockets: Socket[] = []
    const stop = new AbortController()
    const dial = createTargetDialer({
      rules: compileAddressRules({ allow: [], deny: [] }),
      resolver: answering(() => new Promise(() => {})),
      connect: () => {
        const socket = new DirectSocket()
        sockets.push(socket)
        return socket
      },
    })
    const dialing = dial({ host, port: 80, flowId: 'f1', timeoutMs: 60_000 }, stop.signal)
    await new Promise(setImmediate)
    stop.abort()
    await assert.rejects(dialing, { code: 'connection_aborted' })
    assert.ok(sockets.every(({ destroyed }) => destroyed))
  }
})

test('an abort beforehand dials nothing', async () => {
  const { dial, dialled, looked } = bench({})
  const target = { host: 'db.internal', port: 80, flowId: 'f1', timeoutMs: 5000 }
  await assert.rejects(dial(target, AbortSignal.abort()), { code: 'connection_aborted' })
  assert.deepEqual([...dialled, ...looked], [])
})

test('a connection that arrives in the same turn as the abort is released, not handed out', async () => {
  const stop = new AbortController()
  const socket = new DirectSocket()
  const dial = createTargetDialer({
    rules: compileAddressRules({ allow: [], deny: [] }),
    resolver: new NameResolver(),
    connect: () => {
      setImmediate(() => {
        socket.emit('connect')
        stop.abort()
      })
      return socket
    },
  })
  const target = { host: '10.0.0.1', port: 80, flowId: 'f1', timeoutMs: 5000 }
  await assert.rejects(dial(target, stop.signal), { code: 'connection_aborted' })
  assert.equal(socket.destroyed, true)
})
