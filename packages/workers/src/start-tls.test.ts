/** `startTls()` on real workerd, through both `connect()` functions. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { answering, startSite, startWhenEmpty } from './test-site.ts'
import type { Site } from './test-site.ts'
import { AGREE, startTlsTarget, starttlsServer } from './test-tls.ts'
import type { TlsTarget, TlsTargetOptions } from './test-tls.ts'

const LIMIT = { timeout: 30_000 }
const MAIL = 'mail.internal:2525'
const CERTIFICATE = { names: ['mail.internal'] }
/** Either way to connect: `open()` starts a connection that can be upgraded. */
const OPENERS = {
  binding: `const open = (options) => env.PRIVATE.connect('${MAIL}', { secureTransport: 'starttls', ...options })`,
  global: `const open = (options) => connect('${MAIL}', { secureTransport: 'starttls', ...options })`,
} as const

interface Scene extends AsyncDisposable {
  readonly site: Site
  readonly target: TlsTarget
}

/** A Worker that runs `body` against an echo server with STARTTLS. */
async function startScene(
  t: TestContext,
  opener: keyof typeof OPENERS,
  body: string,
  options: TlsTargetOptions & { readonly trust?: boolean } = {},
): Promise<Scene> {
  await using opening = new AsyncDisposableStack()
  const target = opening.use(
    await startTlsTarget((socket) => socket.pipe(socket), {
      certificate: CERTIFICATE,
      before: starttlsServer(),
      ...options,
    }),
  )
  const source = answering(`${AGREE}\n${OPENERS[opener]}\n${body}`, `import { connect } from 'cloudflare:sockets'`)
  const site = opening.use(await startSite(t, { source }))
  site.edge.routes.set(MAIL, { port: target.port, ...(options.trust === false ? {} : { ca: target.ca }) })
  const owned = opening.move()
  return { site, target, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

for (const opener of ['binding', 'global'] as const) {
  test(`${opener}: the new socket is there at once, and carries data encrypted`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const body = `
      const plain = await agree(open())
      const secure = plain.startTls()
      const state = [secure.secureTransport, secure.upgraded, plain.secureTransport, typeof secure.then]
      return [state, await secure.opened, await echo(secure, 'secret')]`
    await using scene = await startScene(t, opener, body)
    assert.deepEqual(await scene.site.json(), [
      ['on', false, 'starttls', 'undefined'],
      { remoteAddress: MAIL },
      'secret',
    ])
    assert.deepEqual(scene.target.clear, ['STARTTLS\r\n'])
    assert.deepEqual(scene.target.names, ['mail.internal'])
    const [clear, upgrade] = scene.site.edge.calls
    assert.deepEqual([clear?.operation, upgrade?.operation], ['u', 't'])
    assert.equal(clear?.id, upgrade?.id)
    assert.deepEqual(scene.site.edge.asked, [`POST /${clear?.id}/upgrade`])
  })

  test(`${opener}: the new stream may be the answer, with nothing of the upgrade awaited`, LIMIT, async (t) => {
    assertNoLeaks(t)
    await using target = await startTlsTarget((socket) => setImmediate(() => socket.end('encrypted')), {
      certificate: CERTIFICATE,
      before: (_socket, upgrade) => upgrade(),
    })
    const source = `
      import { connect } from 'cloudflare:sockets'
      export default {
        async fetch(request, env) {
          ${OPENERS[opener]}
          return new Response(open().startTls().readable)
        },
      }`
    await using site = await startSite(t, { source })
    site.edge.routes.set(MAIL, { port: target.port, ca: target.ca })
    assert.equal(await (await fetch(site.worker.url)).text(), 'encrypted')
  })

  test(`${opener}: the order is new writer.ready, old closed with upgraded, new opened`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const body = `
      const plain = await agree(open())
      const secure = plain.startTls()
      const order = [plain.upgraded]
      await Promise.all([
        secure.opened.then(() => order.push('new opened')),
        plain.closed.then(() => order.push('old closed', plain.upgraded)),
        secure.writable.getWriter().ready.then(() => order.push('new ready')),
      ])
      return order`
    await using scene = await startScene(t, opener, body)
    assert.deepEqual(await scene.site.json(), [false, 'new ready', 'old closed', true, 'new opened'])
  })

  test(`${opener}: written but not awaited, the request for TLS leaves in clear before it`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const body = `
      const plain = open()
      await readText(plain, 11)
      const writer = plain.writable.getWriter()
      writer.write(bytes('STARTTLS\\r\\n'))
      writer.releaseLock()
      await readText(plain, 14)
      return echo(plain.startTls(), 'secret')`
    await using scene = await startScene(t, opener, body)
    assert.equal(await scene.site.json(), 'secret')
    assert.deepEqual(scene.target.clear, ['STARTTLS\r\n'])
  })

  test(
    `${opener}: the old streams stay locked, and closing the old socket leaves the new one alone`,
    LIMIT,
    async (t) => {
      assertNoLeaks(t)
      const body = `
      const plain = await agree(open())
      const secure = plain.startTls()
      const locked = [plain.readable.locked, plain.writable.locked]
      const closing = plain.close()
      await secure.opened
      const tries = await Promise.all([
        () => plain.readable.getReader(), () => plain.readable.cancel(), () => plain.writable.getWriter(),
        () => plain.writable.close(), () => plain.writable.abort(), () => new Response(plain.readable),
      ].map(async (use) => (await attempt(use)).message))
      return [locked, tries, await closing, await plain.close(), await plain.closed, await echo(secure, 'still here')]`
      await using scene = await startScene(t, opener, body)
      const reader = 'This ReadableStream is currently locked to a reader.'
      const writer = 'This WritableStream is currently locked to a writer.'
      const body_ = 'This ReadableStream is disturbed (has already been read from), and cannot be used as a body.'
      assert.deepEqual(await scene.site.json(), [
        [true, true],
        [reader, reader, writer, writer, writer, body_],
        null,
        null,
        null,
        'still here',
      ])
    },
  )

  test(`${opener}: what cannot be upgraded says so at once, in the native words and order`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const body = `
      const refused = (socket, ...args) => { try { socket.startTls(...args); return 'upgraded' } catch (error) { return error.name + ': ' + error.message } }
      const on = open({ secureTransport: 'on' })
      const off = open({ secureTransport: 'off' })
      const gone = open()
      await gone.opened
      await gone.close()
      const plain = await agree(open())
      const argument = ['x', 5, true].map((value) => refused(plain, value))
      const secure = plain.startTls(null)
      const results = [...argument, refused(on), refused(off), refused(gone), refused(plain), refused(secure)]
      await secure.opened
      results.push(refused(plain))
      await off.close()
      results.push(refused(off))
      return results`
    await using scene = await startScene(t, opener, body)
    const type = "TypeError: Failed to execute 'startTls' on 'Socket': parameter 1 is not of type 'TlsOptions'."
    const isTls = 'TypeError: Cannot startTls on a TLS socket.'
    const closed = 'TypeError: The connection was closed before startTls could be started.'
    const again = 'TypeError: startTls has already been called on this socket, or the socket was transferred over RPC.'
    const off = "TypeError: The `secureTransport` socket option must be set to 'starttls' for startTls to be used."
    const expected = [type, type, type, isTls, off, closed, again, isTls, closed, closed]
    assert.deepEqual(await scene.site.json(), expected)
  })

  test(
    `${opener}: with a reader or a writer still there, the new socket fails and the old one lives on`,
    LIMIT,
    async (t) => {
      assertNoLeaks(t)
      const body = `
      const outcome = async (take) => {
        const plain = await agree(open())
        const release = take(plain)
        const secure = plain.startTls()
        const state = await Promise.race([secure.opened.catch(() => 'rejected'), scheduler.wait(20).then(() => 'pending')])
        const closed = (await attempt(() => secure.closed)).message
        const used = await attempt(() => secure.readable.getReader().read())
        const written = await attempt(() => secure.writable.getWriter().write(bytes('x')))
        release()
        const second = await attempt(() => plain.startTls())
        await plain.close()
        return [state, closed, used.message === closed, written.message === closed, plain.upgraded, second.message.slice(0, 20)]
      }
      const reader = (socket) => { const lock = socket.readable.getReader(); return () => lock.releaseLock() }
      const writer = (socket) => { const lock = socket.writable.getWriter(); return () => lock.releaseLock() }
      return [await outcome(reader), await outcome(writer)]`
      await using scene = await startScene(t, opener, body)
      const rest = [true, true, false, 'startTls has already']
      assert.deepEqual(await scene.site.json(), [
        ['pending', 'The ReadableStream has been locked to a reader.', ...rest],
        ['pending', 'This WritableStream is currently locked to a writer.', ...rest],
      ])
      assert.ok(scene.site.edge.calls.every(({ operation }) => operation === 'u'))
    },
  )

  test(`${opener}: expectedServerHostname is the name that is verified`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const body = `
      const names = ['mail.internal', '', undefined, 'other.internal', null, 'not a name', 'x'.repeat(200)]
      const results = []
      for (const expectedServerHostname of names) {
        const secure = (await agree(open())).startTls({ expectedServerHostname, ignored: true })
        const outcome = await attempt(async () => { await secure.opened; return 'verified' })
        results.push(outcome.message === undefined ? outcome : outcome.code ?? 'failed')
        if (outcome === 'verified') await secure.close()
      }
      return results`
    await using scene = await startScene(t, opener, body)
    const [name, untold, long] =
      opener === 'binding'
        ? ['tls_certificate_error', 'tls_certificate_error', 'address_invalid']
        : ['failed', 'failed', 'failed']
    assert.deepEqual(await scene.site.json(), ['verified', 'verified', 'verified', name, name, untold, long])
  })
}

test('a bad certificate rejects opened and closed, by the binding with code, cause and flow', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const plain = await agree(open())
    const secure = plain.startTls()
    const writing = attempt(() => secure.writable.getWriter().write(bytes('password')))
    const errors = await Promise.all([secure.opened, secure.closed].map((promise) => promise.catch((error) => error)))
    await writing
    return [errors[0] === errors[1], errors.map(({ message, code, flow, cause }) => [message, code, flow, typeof cause.message]), await plain.closed, plain.upgraded]`
  await using scene = await startScene(t, 'binding', body, { trust: false })
  const error = ['ProxyError: tls_certificate_error', 'tls_certificate_error', 'flow-mail.internal:2525', 'string']
  assert.deepEqual(await scene.site.json(), [false, [error, error], null, true])
  assert.deepEqual(scene.target.clear, ['STARTTLS\r\n'])
})

test('a bad certificate is an internal error to the global connect(), with the flow to look for', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const secure = (await agree(open())).startTls()
    return Promise.all([attempt(() => secure.opened), attempt(() => secure.closed)])`
  await using scene = await startScene(t, 'global', body, { trust: false })
  const error = { error: 'Error', message: 'internal error; reference = flow-mail.internal:2525' }
  assert.deepEqual(await scene.site.json(), [error, error])
})

for (const [title, before] of [
  ['goes on in clear', starttlsInClear],
  ['hangs up', hangUp],
] as const) {
  test(`a server that agrees and ${title} fails the upgrade, and is sent nothing more in clear`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const body = `
      const secure = (await agree(open())).startTls()
      const writing = attempt(() => secure.writable.getWriter().write(bytes('password')))
      const failed = await attempt(() => secure.opened)
      await writing
      return failed.code`
    await using scene = await startScene(t, 'binding', body, { before })
    assert.equal(await scene.site.json(), 'tls_protocol_error')
    assert.ok(!scene.target.clear.join('').includes('password'))
  })
}

function starttlsInClear(socket: Socket): void {
  socket.write('220 ready\r\n')
  socket.on('data', () => socket.write('220 go ahead\r\n'))
}

function hangUp(socket: Socket): void {
  socket.write('220 ready\r\n')
  socket.on('data', () => socket.end('220 go ahead\r\n'))
}

for (const unread of ['behind the reply', 'of the reply itself']) {
  test(
    `bytes in clear ${unread}, not read, fail the upgrade: nothing is sent, and nothing is left open`,
    LIMIT,
    async (t) => {
      assertNoLeaks(t)
      const body = `
      const plain = open()
      await readText(plain, 11)
      const writer = plain.writable.getWriter()
      await writer.write(bytes('STARTTLS\\r\\n'))
      writer.releaseLock()
      await readText(plain, ${unread.startsWith('behind') ? 14 : 4})
      await scheduler.wait(20)
      const secure = plain.startTls()
      const writing = attempt(() => secure.writable.getWriter().write(bytes('password')))
      const failed = await attempt(() => secure.opened)
      await writing
      await env.PRIVATE.fetch('http://edge.internal/empty')
      return [failed.code, await plain.closed, plain.upgraded]`
      const before = starttlsServer(unread.startsWith('behind') ? 'INJECTED\r\n' : '')
      await using scene = await startScene(t, 'binding', body, { before })
      await using empty = await startWhenEmpty(scene.site.edge)
      scene.site.edge.routes.set('edge.internal:80', { port: empty.port })
      assert.deepEqual(await scene.site.json(), ['tls_protocol_error', null, true])
      assert.deepEqual(scene.target.clear, ['STARTTLS\r\n'])
      assert.deepEqual(scene.target.names, [])
      assert.ok(scene.site.edge.asked.some((asked) => asked.endsWith('/abort')))
    },
  )
}

test('an upgrade asked for before the connection has opened waits for it', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `return echo(open().startTls(), 'early')`
  const before: TlsTargetOptions['before'] = (_socket, upgrade) => upgrade()
  await using scene = await startScene(t, 'global', body, { before })
  assert.equal(await scene.site.json(), 'early')
})

test(
  'where there is no connection to upgrade, closed rejects, and opened too but for the global connect()',
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    const body = `
    const outcome = async (open, wait) => {
      const plain = open({ hostname: 'gone.internal', port: 1 })
      if (wait) await attempt(() => plain.opened)
      const secure = plain.startTls()
      const opened = attempt(() => secure.opened)
      const closed = await attempt(() => secure.closed)
      const state = await Promise.race([opened.then((error) => error.message), scheduler.wait(20).then(() => 'pending')])
      return [state, closed.message, (await attempt(() => plain.opened)).message, plain.upgraded]
    }
    const options = { secureTransport: 'starttls' }
    const ways = [(address) => env.PRIVATE.connect(address, options), (address) => connect(address, options)]
    return Promise.all(ways.flatMap((way) => [outcome(way, false), outcome(way, true)]))`
    await using scene = await startScene(t, 'global', body)
    const binding = 'ProxyError: destination_not_found'
    const native = 'proxy request failed, cannot connect to the specified address'
    assert.deepEqual(await scene.site.json(), [
      [binding, binding, binding, false],
      [binding, binding, binding, false],
      ['pending', native, native, false],
      ['pending', native, native, false],
    ])
  },
)

test('half-open, megabytes and the end of the server work on an upgraded socket as on any', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const secure = (await agree(open({ allowHalfOpen: true }))).startTls()
    const chunk = new Uint8Array(64 * 1024).map((_, index) => index % 251)
    const writing = (async () => {
      const writer = secure.writable.getWriter()
      for (let n = 0; n < 32; n += 1) await writer.write(chunk)
      await writer.close()
    })()
    let [offset, wrong] = [0, 0]
    for await (const part of secure.readable) for (const byte of part) { if (byte !== chunk[offset % chunk.length]) wrong += 1; offset += 1 }
    await writing
    const ended = (await agree(open())).startTls()
    const last = ended.writable.getWriter()
    await last.write(bytes('bye'))
    await last.close()
    for await (const _ of ended.readable);
    await ended.closed
    return [offset, wrong]`
  await using scene = await startScene(t, 'binding', body)
  assert.deepEqual(await scene.site.json(), [32 * 64 * 1024, 0])
})
