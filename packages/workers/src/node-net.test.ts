/** `node:net` inside a Worker, on real workerd. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { resetStream } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { HELPERS, startNodeSite as start } from './test-node-sockets.ts'
import { answering, startSite, startTarget, startWhenEmpty } from './test-site.ts'

const LIMIT = { timeout: 30_000 }
async function startEcho(): ReturnType<typeof startTarget> {
  return startTarget((socket) => socket.pipe(socket))
}

test('events come in the order of workerd, and the socket says where it leads', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startEcho()
  const body = `
    const socket = new net.Socket()
    const events = record(socket)
    const before = [socket.pending, socket.connecting, socket.readyState, socket.remoteAddress]
    const same = socket.connect(ECHO.port, ECHO.host, () => events.push('callback')) === socket
    const during = [socket.pending, socket.connecting, socket.readyState]
    socket.write('hello')
    await once(socket, 'data')
    const open = [
      socket.readyState, socket.pending, socket.connecting, socket.remoteAddress, socket.remotePort, socket.remoteFamily,
      socket.bytesRead, socket.bytesWritten, net.isIP(socket.localAddress), socket.localPort > 0, socket.address().family,
    ]
    socket.end('!')
    await once(socket, 'close')
    return { before, same, during, open, events, after: [socket.readyState, socket.destroyed, socket.remoteAddress] }`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  assert.deepEqual(await site.json(), {
    before: [true, false, 'open', null],
    same: true,
    during: [true, true, 'opening'],
    open: ['open', false, false, 'echo.internal', 7, null, 5, 5, 4, true, 'IPv4'],
    events: [
      'connectionAttempt echo.internal 7 0',
      'connect',
      'callback',
      'ready',
      'data bytes 5',
      'finish',
      'data bytes 1',
      'end',
      'close false',
    ],
    after: ['closed', true, null],
  })
  const [call] = site.edge.calls
  assert.deepEqual([call?.binding, call?.door, call?.operation], ['egress', 'tcp', 'u'])
})

test('every form of arguments leads to the same place', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startEcho()
  const body = `
    const { host, port } = ECHO
    const ways = [
      (done) => net.connect(port, host, done), (done) => net.connect(String(port), host, done),
      (done) => net.createConnection({ port, host }, done), (done) => net.connect({ port: '7', host: host }, done),
      (done) => new net.Socket().connect(port, host, done), (done) => new net.Stream({}).connect({ port, host }, done),
      (done) => net.connect(port, done), (done) => net.connect({ port, host: '[::1]' }, done), (done) => net.connect({ port, host: '::1', family: 6 }, done),
    ]
    const results = []
    for (const way of ways) {
      const socket = await new Promise((resolve) => { const made = way(() => resolve(made)) })
      results.push([socket.remoteAddress, socket.remoteFamily])
      socket.destroy()
    }
    return results`
  await using site = await start(t, body)
  for (const host of ['echo.internal', 'localhost', '[::1]']) site.edge.routes.set(`${host}:7`, { port: target.port })
  const named = Array.from({ length: 6 }, () => ['echo.internal', null])
  assert.deepEqual(await site.json(), [...named, ['localhost', null], ['::1', 'IPv6'], ['::1', 'IPv6']])
})

test('failures carry the codes of Node.js, with what the edge knows as their cause', LIMIT, async (t) => {
  assertNoLeaks(t)
  const cases = {
    connection_refused: 'ECONNREFUSED',
    connection_timeout: 'ETIMEDOUT',
    connection_terminated: 'ECONNRESET',
    connection_limit_reached: 'EAGAIN',
    destination_unavailable: 'EHOSTUNREACH',
    destination_ip_prohibited: 'EACCES',
    dns_error: 'ENOTFOUND',
    dns_timeout: 'EAI_AGAIN',
    proxy_internal_error: 'EIO',
  }
  const body = `
    const outcome = async (host) => {
      const socket = new net.Socket()
      const events = record(socket)
      const failure = once(socket, 'error')
      socket.connect(1, host)
      const written = new Promise((resolve) => socket.write('x', (error) => resolve(error?.code)))
      const closed = once(socket, 'close')
      const { code, errno, syscall, address, hostname, port, message, cause, flow } = await failure
      await closed
      return { code, errno: typeof errno, syscall, at: address ?? hostname, port, message, cause: cause.message, flow, events, written: await written }
    }
    return Promise.all((await request.json()).map(outcome))`
  await using site = await start(t, body)
  const hosts = Object.keys(cases).map((code) => `${code.replaceAll('_', '-')}.internal`)
  for (const [index, code] of Object.keys(cases).entries()) {
    site.edge.routes.set(`${hosts[index]}:1`, { code, message: 'because' })
  }
  const answer = await (await site.worker.fetch('/', { method: 'POST', body: JSON.stringify(hosts) })).json()
  const expected = Object.entries(cases).map(([edgeCode, code], index) => {
    const host = hosts[index]
    const isDns = edgeCode.startsWith('dns')
    const failed = isDns ? `lookup ${code}   ${host}` : `connectionAttemptFailed ${host} 1 0 ${code}`
    return {
      code,
      errno: 'number',
      syscall: isDns ? 'getaddrinfo' : 'connect',
      at: host,
      ...(isDns ? {} : { port: 1 }),
      message: `${isDns ? `getaddrinfo ${code} ${host}` : `connect ${code} ${host}:1`} (because)`,
      cause: `ProxyError: ${edgeCode}`,
      flow: `flow-${host}:1`,
      events: [`connectionAttempt ${host} 1 0`, failed, `error ${code}`, 'close true'],
      written: 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
    }
  })
  assert.deepEqual(answer, expected)
})

test('a reset is ECONNRESET, and writing to a peer that has ended is EPIPE', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket: Socket) => {
    socket.once('data', (chunk) => (String(chunk) === 'reset' ? resetStream(socket) : socket.end('bye')))
  })
  const body = `
    const talk = async (text) => {
      const socket = net.connect(ECHO)
      const events = record(socket)
      socket.resume()
      socket.write(text)
      await once(socket, 'close')
      const returned = socket.write('late', (error) => events.push('callback ' + error.code))
      await scheduler.wait(1)
      return [returned, ...events]
    }
    return [await talk('reset'), await talk('end')]`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  const opening = ['connectionAttempt echo.internal 7 0', 'connect', 'ready']
  assert.deepEqual(await site.json(), [
    [false, ...opening, 'error ECONNRESET', 'close true', 'callback ERR_STREAM_DESTROYED'],
    [false, ...opening, 'data bytes 3', 'end', 'finish', 'close false', 'callback EPIPE'],
  ])
})

test('half-open is as it was asked for, and an end is noticed although nobody reads', LIMIT, async (t) => {
  assertNoLeaks(t)
  const received: string[] = []
  await using target = await startTarget((socket) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('end', () => received.push(text))
    socket.end('bye')
  })
  const body = `
    const half = net.connect({ ...ECHO, allowHalfOpen: true })
    half.resume()
    await once(half, 'end')
    const state = [half.readyState, half.write('still here')]
    half.end()
    await once(half, 'close')
    const silent = net.connect(ECHO)
    await once(silent, 'connect')
    silent.resume()
    await once(silent, 'close')
    return state`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  assert.deepEqual(await site.json(), ['writeOnly', true])
  await site.worker.close()
  assert.deepEqual(received, ['still here', ''])
})

test('destroy() while connecting frees the connection at once, and so does an aborted signal', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const outcome = async (end) => {
      const controller = new AbortController()
      const socket = new net.Socket({ signal: controller.signal })
      const events = record(socket)
      socket.connect(1, 'held.internal')
      await scheduler.wait(5)
      end(socket, controller)
      await once(socket, 'close')
      return events.slice(1)
    }
    const results = [await outcome((socket) => socket.destroy()), await outcome((socket) => socket.destroy(new Error('mine'))), await outcome((_, controller) => controller.abort())]
    await env.PRIVATE.fetch('http://edge.internal/')
    return results`
  await using site = await start(t, body)
  await using release = await startWhenEmpty(site.edge)
  site.edge.routes.set('held.internal:1', { hold: true })
  site.edge.routes.set('edge.internal:80', { port: release.port })
  assert.deepEqual(await site.json(), [
    ['close false'],
    ['error mine', 'close true'],
    ['error ABORT_ERR', 'close true'],
  ])
})

test('what was written before destroy() and destroySoon() arrives, and a reset is one', LIMIT, async (t) => {
  assertNoLeaks(t)
  const received: string[] = []
  await using target = await startTarget((socket) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('error', (error: NodeJS.ErrnoException) => received.push(`${text} ${error.code}`))
    socket.on('end', () => {
      received.push(`${text} end`)
      socket.end()
    })
  })
  const body = `
    for (const end of ['destroy', 'destroySoon', 'resetAndDestroy']) {
      const socket = net.connect(ECHO)
      socket.on('error', () => {})
      await once(socket, 'connect')
      if (end === 'resetAndDestroy') await new Promise((resolve) => socket.write(end, resolve))
      else socket.write(end)
      socket[end]()
      if (!socket.destroyed) await once(socket, 'close')
      await scheduler.wait(20)
    }
    return null`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  assert.equal(await site.json(), null)
  while (received.length < 3) await new Promise(setImmediate)
  assert.deepEqual(received.toSorted(), ['destroy end', 'destroySoon end', 'resetAndDestroy ECONNRESET'])
})

test('megabytes pass unharmed in chunks of every size, with backpressure, cork and pause', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startEcho()
  const body = `
    const socket = net.connect(ECHO)
    const data = Buffer.alloc(4 << 20, 'abcdefghijklm')
    const received = []
    let length = 0
    socket.on('data', (chunk) => {
      received.push(chunk); length += chunk.length
      if (received.length % 20 === 0) { socket.pause(); setTimeout(() => socket.resume(), 1) }
    })
    let drains = 0
    for (let offset = 0, n = 0; offset < data.length; n += 1) {
      const chunk = data.subarray(offset, offset + [1, 100, 5_000, 70_000, 300_000][n % 5])
      offset += chunk.length
      if (n % 7 === 0) { socket.cork(); process.nextTick(() => socket.uncork()) }
      if (!socket.write(chunk)) { drains += 1; await once(socket, 'drain') }
    }
    socket.write(new Uint16Array([1, 2])); socket.write('é', 'latin1')
    socket.end()
    await once(socket, 'close')
    const all = Buffer.concat(received)
    return [all.subarray(0, data.length).equals(data), all.length - data.length, length === socket.bytesRead, socket.bytesWritten - data.length, drains > 0]`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  assert.deepEqual(await site.json(), [true, 5, true, 5, true])
})

test('a timeout comes after silence, once, also while connecting, and can be taken back', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startEcho()
  const body = `
    const held = net.connect({ host: 'held.internal', port: 1, timeout: 20 })
    held.on('error', () => {})
    await once(held, 'timeout')
    held.destroy()
    const socket = net.connect(ECHO)
    let count = 0
    const count1 = () => { count += 1 }
    socket.setTimeout(30, count1)
    for (let n = 0; n < 4; n += 1) { await scheduler.wait(15); socket.write('x') }
    const early = count
    await once(socket, 'timeout')
    await scheduler.wait(60)
    const after = [count, socket.timeout]
    socket.setTimeout(0, count1)
    socket.write('y')
    await scheduler.wait(50)
    const results = [early, after, count, socket.timeout ?? null]
    socket.destroy()
    return [...results, refused(() => new net.Socket().setTimeout(-1)), refused(() => new net.Socket().setTimeout('5'))]`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  site.edge.routes.set('held.internal:1', { hold: true })
  assert.deepEqual(await site.json(), [
    0,
    [1, 30],
    1,
    null,
    'RangeError ERR_OUT_OF_RANGE: The value of "msecs" is out of range. It must be a non-negative finite number. Received -1',
    'TypeError ERR_INVALID_ARG_TYPE: The "msecs" argument must be of type number. Received type string (\'5\')',
  ])
})

test('a lookup of the caller’s own is asked, and its failure is the connection’s', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startEcho()
  const body = `
    const one = net.connect({ host: 'name.internal', port: 7, lookup: (name, options, done) => done(null, '10.0.0.5', 4) })
    const events = record(one)
    await once(one, 'ready')
    const address = one.remoteAddress
    one.destroy()
    const many = net.connect({ host: 'name.internal', port: 7, lookup: (name, options, done) => setTimeout(() => done(null, [{ address: '10.0.0.5', family: 4 }]), 1) })
    await once(many, 'ready')
    many.destroy()
    const failing = net.connect({ host: 'name.internal', port: 7, lookup: (name, options, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) })
    const error = await once(failing, 'error')
    return [address, events.slice(0, 2), error.code]`
  await using site = await start(t, body)
  site.edge.routes.set('10.0.0.5:7', { port: target.port })
  assert.deepEqual(await site.json(), ['10.0.0.5', ['connectionAttempt 10.0.0.5 7 4', 'connect'], 'ENOTFOUND'])
})

test('a socket can connect again once it is closed, and not before', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startEcho()
  const body = `
    const socket = new net.Socket()
    socket.on('error', () => {})
    const talk = async () => { socket.write('again'); const data = await once(socket, 'data'); return String(data) }
    socket.connect(1, 'gone.internal')
    await once(socket, 'close')
    socket.connect(ECHO)
    const first = await talk()
    socket.end()
    await once(socket, 'close')
    socket.connect(ECHO)
    const second = await talk()
    const read = socket.bytesRead
    const error = once(socket, 'error')
    socket.connect(ECHO)
    return [first, second, read, (await error).code, socket.destroyed]`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  assert.deepEqual(await site.json(), ['again', 'again', 5, 'EISCONN', true])
})

test('onread puts everything into the buffer it was given', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startEcho()
  const body = `
    let text = ''
    const onread = { buffer: Buffer.alloc(4), callback: (length, buffer) => { text += buffer.toString('latin1', 0, length); return text.length < 6 } }
    const socket = net.connect({ ...ECHO, onread })
    socket.write('hello world')
    await once(socket, 'pause')
    const paused = socket.isPaused()
    socket.resume()
    socket.end()
    await once(socket, 'close')
    return [text, paused, socket.bytesRead]`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  assert.deepEqual(await site.json(), ['hello world', true, 11])
})

test('what cannot be is refused as workerd refuses it', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const bad = net.connect(5, 'a b')
    const error = await once(bad, 'error')
    return [
      () => net.connect(), () => net.connect({}), () => net.connect('/run/x.sock'), () => net.connect({ path: '/x' }), () => net.connect(70_000, 'h'),
      () => net.connect({ port: 'abc' }), () => net.connect({ port: 1.5 }), () => new net.Socket({ fd: 3 }), () => new net.Socket({ objectMode: true }),
      () => net.connect({ port: 1, localAddress: 'x' }), () => net.connect({ port: 1, localPort: 'x' }), () => net.connect({ port: 1, lookup: 5 }), () => new net.Socket({ signal: 5 }),
    ].map(refused).concat(error.name + ': ' + error.message)`
  await using site = await start(t, body)
  const missing = 'TypeError ERR_MISSING_ARGS: The "options" or "port" or "path" argument must be specified'
  const port = 'RangeError ERR_SOCKET_BAD_PORT: Port should be >= 0 and < 65536. Received'
  assert.deepEqual(await site.json(), [
    missing,
    missing,
    'TypeError ERR_INVALID_ARG_VALUE: The argument \'path\' is not supported. Received "/run/x.sock"',
    'TypeError ERR_INVALID_ARG_VALUE: The argument \'path\' is not supported. Received "/x"',
    `${port} 70000.`,
    `${port} abc.`,
    `${port} 1.5.`,
    'Error ERR_OPTION_NOT_IMPLEMENTED: The options.fd option is not implemented',
    "TypeError ERR_INVALID_ARG_VALUE: The property 'options.objectMode' is not supported. Received true",
    'TypeError ERR_INVALID_IP_ADDRESS: Invalid IP address: x',
    'TypeError ERR_INVALID_ARG_TYPE: The "options.localPort" property must be of type number. Received type string (\'x\')',
    'TypeError ERR_INVALID_ARG_TYPE: The "options.lookup" property must be of type function. Received type number (5)',
    'TypeError ERR_INVALID_ARG_TYPE: The "signal" argument must be an instance of AbortSignal. Received type number (5)',
    'TypeError: Specified address could not be parsed.',
  ])
  assert.deepEqual(site.edge.calls, [])
})

for (const date of ['2024-01-01', '2026-07-01']) {
  test(`the module has every name of workerd's own, and is found by each of its names (${date})`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const body = `
      const native = process.getBuiltinModule('node:net')
      const namespace = await import('node:net')
      const list = new net.BlockList()
      list.addSubnet('10.0.0.0', 8)
      const socket = new net.Socket()
      const chained = [socket.setNoDelay(true), socket.setKeepAlive(true, 5), socket.ref(), socket.unref(), socket.setTimeout(0)].every((value) => value === socket)
      return [
        Object.keys(native).filter((name) => !(name in net) || !(name in namespace)), Object.keys(net).filter((name) => !(name in native)),
        net !== native, namespace.Socket === net.Socket, list.check('10.1.1.1'), net.isIP('::1'), net.isIPv4('1.2.3.4'), chained, net.Stream === net.Socket,
        socket instanceof net.Socket, socket instanceof (await import('node:stream')).Duplex, net._normalizeArgs([5, 'h'])[0],
      ]`
    const source = answering(`${HELPERS}\n${body}`, `import net from 'node:net'\nimport process from 'node:process'`)
    const config = { compatibility_flags: ['nodejs_compat'], compatibility_date: date }
    await using site = await startSite(t, { source, config })
    const rest = [true, true, true, 6, true, true, true, true, true, { port: 5, host: 'h' }]
    assert.deepEqual(await site.json(), [[], [], ...rest])
  })
}

test('imported or required as net, in a library or not, it is the same module', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `return [net === prefixed, required === net, (await import('net')).default === net]`,
    `import net from 'net'\nimport prefixed from 'node:net'\nimport required from './library.cjs'`,
  )
  const files = { 'library.cjs': `module.exports = require('net')` }
  await using site = await startSite(t, { source, files, config: { compatibility_flags: ['nodejs_compat'] } })
  assert.deepEqual(await site.json(), [true, true, true])
})

test('a Hyperdrive host leads to its own database, not to the edge', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.end('a database'))
  const body = `
    const socket = net.connect(env.DB.port, env.DB.host)
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    await once(socket, 'close')
    return text`
  const localConnectionString = `postgres://user:secret@127.0.0.1:${target.port}/db`
  await using site = await start(t, body, { hyperdrive: [{ binding: 'DB', id: 'x', localConnectionString }] })
  assert.equal(await site.json(), 'a database')
  assert.deepEqual(site.edge.calls, [])
})
