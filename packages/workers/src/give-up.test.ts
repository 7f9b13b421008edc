/** `{ signal, timeoutMs }` of a binding's `connect()`, on real workerd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { answering, startSite, startTarget, startWhenEmpty } from './test-site.ts'
import type { Site } from './test-site.ts'
import { AGREE, startTlsTarget, starttlsServer } from './test-tls.ts'

const LIMIT = { timeout: 30_000 }
const HELD = 'held.internal:1'

/** A Worker on a network where one address never answers, and `http://edge.internal/` waits until nothing is open. */
async function start(t: Parameters<typeof startSite>[0], body: string): Promise<Site> {
  const site = await startSite(t, { source: answering(`${AGREE}\n${body}`) })
  site.edge.routes.set(HELD, { hold: true })
  return site
}

/** Lets the Worker wait until the edge has let go of all its connections, its request still running. */
const RELEASED = `await env.PRIVATE.fetch('http://edge.internal/')`

async function serveRelease(site: Site): Promise<AsyncDisposable> {
  const server = await startWhenEmpty(site.edge)
  site.edge.routes.set('edge.internal:80', { port: server.port })
  return server
}

test('an aborted signal rejects everything with its reason and frees the connection at once', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const controller = new AbortController()
    const socket = env.PRIVATE.connect('${HELD}', { signal: controller.signal })
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 10)
    const seen = await Promise.all([socket, socket.opened, socket.closed].map((promise) => promise.then(() => 'settled', (error) => error === reason)))
    ${RELEASED}
    return seen`
  await using site = await start(t, body)
  await using _release = await serveRelease(site)
  assert.deepEqual(await site.json(), [true, true, true])
  assert.equal(site.edge.asked.length, 1)
  assert.match(site.edge.asked[0] ?? '', /^POST \/[a-z0-9]{13,}\/abort$/)
})

test('a connection that takes too long is given up with a coded error', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const socket = env.PRIVATE.connect('${HELD}', { timeoutMs: 15, secureTransport: 'on' })
    const reading = attempt(() => socket.readable.getReader().read())
    const error = await socket.opened.catch((error) => error)
    const closed = await socket.closed.catch((error) => error)
    await reading
    ${RELEASED}
    return [String(error), error.code, error.cause.message, closed === error, socket.secureTransport]`
  await using site = await start(t, body)
  await using _release = await serveRelease(site)
  const why = 'the connection was not open within 15 ms'
  assert.deepEqual(await site.json(), ['Error: ProxyError: connection_timeout', 'connection_timeout', why, true, 'on'])
})

test('with a signal that is aborted already nothing is sent', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const socket = env.PRIVATE.connect('${HELD}', { signal: AbortSignal.abort('no') })
    const all = [socket, socket.opened, socket.closed, socket.readable.getReader().read(), socket.writable.getWriter().write(bytes('x'))]
    return [await Promise.all(all.map((promise) => promise.then(() => 'ok', (error) => error.message ?? error))), await socket.close()]`
  await using site = await start(t, body)
  assert.deepEqual(await site.json(), [['no', 'no', 'no', 'no', 'no'], null])
  assert.deepEqual(site.edge.calls, [])
  assert.deepEqual(site.edge.asked, [])
})

test('a time limit ends with the opening, and a failure that comes first is what is reported', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const body = `
    const options = { timeoutMs: 300, signal: new AbortController().signal }
    const socket = await env.PRIVATE.connect('echo.internal:7', options)
    const failed = await attempt(() => env.PRIVATE.connect('gone.internal:7', options))
    await scheduler.wait(400)
    return [await echo(socket, 'still open'), failed.code]`
  await using site = await start(t, body)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  assert.deepEqual(await site.json(), ['still open', 'destination_not_found'])
})

test('after it has opened, an abort ends the connection both ways', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.resume())
  const body = `
    const outcome = async (locked) => {
      const controller = new AbortController()
      const socket = await env.PRIVATE.connect('echo.internal:7', { signal: controller.signal })
      const [reader, writer] = locked ? [socket.readable.getReader(), socket.writable.getWriter()] : []
      const reading = reader && attempt(() => reader.read())
      controller.abort(new Error('enough'))
      const closed = await attempt(() => socket.closed)
      const read = await (reading ?? attempt(() => socket.readable.getReader().read()))
      await attempt(() => (writer ?? socket.writable.getWriter()).write(bytes('x')))
      await attempt(() => socket.close())
      return [closed.message, (await socket.opened).remoteAddress, read.message !== undefined || read.done]
    }
    const results = [await outcome(true), await outcome(false)]
    ${RELEASED}
    return results`
  await using site = await start(t, body)
  await using _release = await serveRelease(site)
  site.edge.routes.set('echo.internal:7', { port: target.port })
  const expected = ['enough', 'echo.internal:7', true]
  assert.deepEqual(await site.json(), [expected, expected])
  while (target.open.size > 0) await new Promise(setImmediate)
})

test('an abort in the middle of an upgrade, or after it, ends the upgraded socket', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTlsTarget((socket) => socket.pipe(socket), {
    certificate: { names: ['mail.internal'] },
    before: starttlsServer(),
  })
  const body = `
    const outcome = async (wait) => {
      const controller = new AbortController()
      const plain = await agree(env.PRIVATE.connect('mail.internal:25', { secureTransport: 'starttls', signal: controller.signal }))
      const secure = plain.startTls()
      if (wait) await secure.opened
      controller.abort('enough')
      return [await secure.opened.then(() => 'open', (error) => error), await secure.closed.catch((error) => error), await (await plain.opened).remoteAddress]
    }
    const results = [await outcome(false), await outcome(true)]
    ${RELEASED}
    return results`
  await using site = await start(t, body)
  await using _release = await serveRelease(site)
  site.edge.routes.set('mail.internal:25', { port: target.port, ca: target.ca })
  assert.deepEqual(await site.json(), [
    ['enough', 'enough', 'mail.internal:25'],
    ['open', 'enough', 'mail.internal:25'],
  ])
})

test('an abort before the connection that is to be upgraded has opened ends both', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const options = { secureTransport: 'starttls', signal: AbortSignal.timeout(15) }
    const plain = env.PRIVATE.connect('${HELD}', options)
    const secure = plain.startTls()
    const all = [plain.opened, plain.closed, secure.opened, secure.closed]
    const reasons = await Promise.all(all.map((promise) => promise.then(() => 'ok', (error) => error.name)))
    ${RELEASED}
    return reasons`
  await using site = await start(t, body)
  await using _release = await serveRelease(site)
  assert.deepEqual(await site.json(), ['TimeoutError', 'TimeoutError', 'TimeoutError', 'TimeoutError'])
})

test('anything but an AbortSignal and a positive number is refused at once', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const bad = [{ signal: 'x' }, { signal: null }, { signal: {} }, { timeoutMs: 0 }, { timeoutMs: -1 }, { timeoutMs: NaN }, { timeoutMs: '5' }, { timeoutMs: 2 ** 31 }, { timeoutMs: null }]
    return bad.map((options) => { try { env.PRIVATE.connect('${HELD}', options); return 'accepted' } catch (error) { return error.name + ': ' + error.message } })`
  await using site = await start(t, body)
  const signal = 'TypeError: connect(): "signal" must be an AbortSignal, got '
  const timeout =
    'TypeError: connect(): "timeoutMs" must be a number of milliseconds above 0 and up to 2147483647, got '
  assert.deepEqual(await site.json(), [
    `${signal}a value of type string`,
    `${signal}null`,
    `${signal}a value of type object`,
    `${timeout}0`,
    `${timeout}-1`,
    `${timeout}NaN`,
    `${timeout}a value of type string`,
    `${timeout}2147483648`,
    `${timeout}null`,
  ])
  assert.deepEqual(site.edge.calls, [])
})
