/** `env.MY_VPC.connect()` on real workerd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resetStream } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { answering, startSite, startTarget } from './test-site.ts'

const LIMIT = { timeout: 30_000 }
const ECHO = 'echo.internal:7'

test('the awaited value is a socket to the named host and port, whichever way they are given', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(`
    const text = await env.PRIVATE.connect('echo.internal:7')
    const object = await env.PRIVATE.connect({ hostname: 'echo.internal', port: 7 })
    return [await echo(text, 'by text'), await echo(object, 'by object')]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.deepEqual(await site.json(), ['by text', 'by object'])
  const calls = site.edge.calls.map(({ binding, kind, door, target: to }) => ({ binding, kind, door, to }))
  const call = { binding: 'PRIVATE', kind: 'connect', door: 'tcp', to: ECHO }
  assert.deepEqual(calls, [call, call])
})

test('a socket is usable at once, without waiting for it to open', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(`return echo(env.PRIVATE.connect('${ECHO}'), 'early')`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.equal(await site.json(), 'early')
})

test('the awaited socket has the native shape and is not thenable', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(`
    const pending = env.PRIVATE.connect('ECHO.internal:7')
    const socket = await pending
    const illegal = await attempt(() => new socket.constructor())
    const enumerable = []
    for (const name in socket) enumerable.push(name)
    const shape = {
      pending: typeof pending.then,
      plain: typeof socket.then,
      tag: Object.prototype.toString.call(socket),
      json: JSON.stringify(socket),
      own: Reflect.ownKeys(socket),
      enumerable: enumerable.sort(),
      stable: ['readable', 'writable', 'opened', 'closed'].every((name) => socket[name] === socket[name]),
      shared: socket.readable === pending.readable && socket.closed === pending.closed,
      opened: await socket.opened,
      localAddress: 'localAddress' in (await socket.opened),
      upgraded: socket.upgraded,
      secureTransport: socket.secureTransport,
      byob: typeof socket.readable.getReader({ mode: 'byob' }),
      illegal: illegal.message,
      binding: Object.prototype.toString.call(env.PRIVATE),
    }
    await socket.close()
    return shape`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('ECHO.internal:7', { port: target.port })
  assert.deepEqual(await site.json(), {
    pending: 'function',
    plain: 'undefined',
    tag: '[object Socket]',
    json: '{}',
    own: [],
    enumerable: ['close', 'closed', 'opened', 'readable', 'secureTransport', 'startTls', 'upgraded', 'writable'],
    stable: true,
    shared: true,
    opened: { remoteAddress: 'ECHO.internal:7' },
    localAddress: true,
    upgraded: false,
    secureTransport: 'off',
    byob: 'object',
    illegal: 'Illegal constructor',
    binding: '[object Fetcher]',
  })
})

test('closing the writer half-closes: the target sees the end, and its answer still arrives', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => {
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
    socket.on('end', () => socket.end(`got ${received}`))
  })
  const source = answering(`
    const socket = await env.PRIVATE.connect('${ECHO}')
    const writer = socket.writable.getWriter()
    await writer.write(bytes('PING'))
    await writer.close()
    return readAll(socket.readable)`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.equal(await site.json(), 'got PING')
})

test('when the target ends first, closed resolves, unless half-open was asked for', LIMIT, async (t) => {
  assertNoLeaks(t)
  const received: string[] = []
  await using target = await startTarget((socket) => {
    socket.on('data', (chunk: Buffer) => received.push(chunk.toString()))
    socket.end('bye')
  })
  const source = answering(`
    const closing = await env.PRIVATE.connect('${ECHO}')
    let text = ''
    for await (const chunk of closing.readable) text += new TextDecoder().decode(chunk)
    await closing.closed
    const half = await env.PRIVATE.connect('${ECHO}', { allowHalfOpen: true })
    await readAll(half.readable)
    const writer = half.writable.getWriter()
    await writer.write(bytes('still here'))
    await writer.close()
    return text`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.equal(await site.json(), 'bye')
  await site.worker.close()
  assert.deepEqual(received, ['still here'])
})

test('a reset at the target is an error for the reader, after the data that came before', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => {
    socket.write('partial')
    socket.once('data', () => resetStream(socket))
  })
  const source = answering(`
    const socket = await env.PRIVATE.connect('${ECHO}')
    const reader = socket.readable.getReader()
    const first = await reader.read()
    await socket.writable.getWriter().write(bytes('now'))
    const second = await attempt(() => reader.read())
    return [new TextDecoder().decode(first.value), second.message]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.deepEqual(await site.json(), ['partial', 'Network connection lost.'])
})

test('close() flushes what was written, ends the connection and settles closed', LIMIT, async (t) => {
  assertNoLeaks(t)
  let received = 0
  await using target = await startTarget((socket) => {
    socket.on('data', (chunk: Buffer) => (received += chunk.length))
    socket.on('end', () => socket.end())
  })
  const source = answering(`
    const socket = env.PRIVATE.connect('${ECHO}')
    const written = socket.writable.getWriter().write(new Uint8Array(100_000))
    await socket.close()
    await written
    await socket.closed
    return 'closed'`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.equal(await site.json(), 'closed')
  assert.equal(received, 100_000)
})

test('options of the native connect() reach it', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(`
    const socket = await env.PRIVATE.connect('${ECHO}', { highWaterMark: 4096, alpn: 'ignored' })
    const size = socket.writable.getWriter().desiredSize
    const negative = await attempt(() => env.PRIVATE.connect('${ECHO}', { highWaterMark: -1 }))
    return [size, negative.error]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.deepEqual(await site.json(), [4096, 'TypeError'])
})

test('a failed connection rejects the awaited value with the code, the flow and the reason', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(`
    try {
      await env.PRIVATE.connect('nowhere.internal:1')
    } catch (error) {
      return { text: String(error), keys: Object.keys(error), code: error.code, flow: error.flow, cause: error.cause.message }
    }`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('nowhere.internal:1', { code: 'connection_timeout', message: 'nobody answered in 5 s' })
  assert.deepEqual(await site.json(), {
    text: 'Error: ProxyError: connection_timeout',
    keys: ['code', 'flow'],
    code: 'connection_timeout',
    flow: 'flow-nowhere.internal:1',
    cause: 'nobody answered in 5 s',
  })
})

test(
  'opened and closed reject with errors of their own, closed first; streams say what native ones say',
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    const source = answering(`
    const socket = env.PRIVATE.connect('nowhere.internal:1')
    const reading = attempt(() => socket.readable.getReader().read())
    const writing = attempt(() => socket.writable.getWriter().write(bytes('x')))
    const order = []
    const closed = socket.closed.catch((error) => { order.push('closed'); return error })
    const opened = socket.opened.catch((error) => { order.push('opened'); return error })
    const [a, b] = await Promise.all([opened, closed])
    return { order, messages: [a.message, b.message], same: a === b, reading: (await reading).message, writing: (await writing).message }`)
    await using site = await startSite(t, { source })
    site.edge.routes.set('nowhere.internal:1', { code: 'dns_error' })
    assert.deepEqual(await site.json(), {
      order: ['closed', 'opened'],
      messages: ['ProxyError: dns_error', 'ProxyError: dns_error'],
      same: false,
      reading: 'Stream was cancelled.',
      writing: 'jsg.Error: proxy request failed, cannot connect to the specified address',
    })
  },
)

test('a failure that nobody awaits is no unhandled rejection', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    const ignored = env.PRIVATE.connect('nowhere.internal:1')
    await attempt(() => env.PRIVATE.connect('nowhere.internal:2'))
    await ignored.closed.catch(() => {})
    await scheduler.wait(1)
    return unhandled`,
    `const unhandled = []
     addEventListener('unhandledrejection', (event) => unhandled.push(String(event.reason)))`,
  )
  await using site = await startSite(t, { source })
  assert.deepEqual(await site.json(), [])
})

test('connections opened at once each get their own outcome', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const codes = ['connection_refused', 'dns_error', 'destination_ip_prohibited', 'connection_timeout', 'rate_limited']
  const source = answering(`
    const one = async (n) => {
      const result = await attempt(async () => echo(await env.PRIVATE.connect('host-' + n + '.internal:' + n), 'n' + n))
      return typeof result === 'string' ? result : result.code + ' ' + result.flow
    }
    return Promise.all(Array.from({ length: 60 }, (_, n) => one(n)))`)
  await using site = await startSite(t, { source })
  const expected = Array.from({ length: 60 }, (_, n) => {
    const name = `host-${n}.internal:${n}`
    const code = codes[n % 6]
    site.edge.routes.set(name, code === undefined ? { port: target.port } : { code })
    return code === undefined ? `n${n}` : `${code} flow-${name}`
  })
  assert.deepEqual(await site.json(), expected)
})

test('an address too long to carry the call goes by the unix socket, and still connects or fails', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}:7`
  const source = answering(`
    const name = '${long}'
    const failure = await attempt(() => env.PRIVATE.connect(name.replace('a', 'x')))
    const socket = await env.PRIVATE.connect(name)
    return [await echo(socket, 'long'), (await socket.opened).remoteAddress === name, failure.message]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(long, { port: target.port })
  assert.deepEqual(await site.json(), ['long', true, 'ProxyError: destination_unavailable'])
  assert.deepEqual(
    site.edge.calls.map(({ door }) => door),
    ['unix', 'unix'],
  )
})

test('bad addresses and options are refused at once, before anything is sent', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(`
    const refused = (...args) => { try { env.PRIVATE.connect(...args); return 'accepted' } catch (error) { return error.name + ': ' + error.message } }
    return [
      refused('no-port'), refused('http://h:1'), refused({ hostname: 'h' }), refused({ hostname: 'h h', port: 1 }), refused(),
      refused('h:1', { secureTransport: 'use' }), refused('h:1', null), refused('h:1', 'on'),
    ]`)
  await using site = await startSite(t, { source })
  assert.deepEqual(await site.json(), [
    'TypeError: Specified address is missing port.',
    'TypeError: Specified address is missing port.',
    'TypeError: The value cannot be converted because it is not an integer.',
    'TypeError: Specified address is empty string, contains unsupported characters or is too long.',
    'TypeError: Cannot initialize SocketAddress with required members from an undefined or null value.',
    'TypeError: Unsupported value in secureTransport socket option: use',
    'TypeError: Cannot initialize SocketOptions with required members from an undefined or null value.',
    "TypeError: Failed to execute 'connect': parameter 2 is not of type 'SocketOptions'.",
  ])
  assert.deepEqual(site.edge.calls, [])
})

test('a starttls socket works in the clear as any other', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(`
    const socket = await env.PRIVATE.connect('${ECHO}', { secureTransport: 'starttls' })
    return [socket.secureTransport, socket.upgraded, await echo(socket, 'clear'), await socket.close(), socket.upgraded]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.deepEqual(await site.json(), ['starttls', false, 'clear', null, false])
})

test('large transfers pass both ways unharmed', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(`
    const socket = await env.PRIVATE.connect('${ECHO}')
    const chunk = new Uint8Array(64 * 1024).map((_, index) => index % 251)
    const writing = (async () => {
      const writer = socket.writable.getWriter()
      for (let n = 0; n < 64; n += 1) await writer.write(chunk)
      await writer.close()
    })()
    let offset = 0
    let wrong = 0
    for await (const part of socket.readable) {
      for (const byte of part) { if (byte !== chunk[offset % chunk.length]) wrong += 1; offset += 1 }
    }
    await writing
    return [offset, wrong]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.deepEqual(await site.json(), [64 * 64 * 1024, 0])
})

test('two bindings are two identities, each with its own doors', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const config = {
    vpc_networks: [
      { binding: 'PRIVATE', tunnel_id: 'one' },
      { binding: 'OTHER', tunnel_id: 'two', remote: false },
    ],
  }
  const source = answering(`
    return [await echo(await env.PRIVATE.connect('${ECHO}'), 'a'), await echo(await env.OTHER.connect('${ECHO}'), 'b')]`)
  await using site = await startSite(t, { source, config })
  site.edge.routes.set(ECHO, { port: target.port })
  assert.deepEqual(await site.json(), ['a', 'b'])
  assert.deepEqual(
    site.edge.calls.map(({ binding }) => binding),
    ['PRIVATE', 'OTHER'],
  )
})
