/** `node:tls` inside a Worker, on real workerd. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { startNodeSite } from './test-node-sockets.ts'
import { startTarget, startWhenEmpty } from './test-site.ts'
import type { Site } from './test-site.ts'
import { startTlsTarget, starttlsServer } from './test-tls.ts'
import type { TlsTarget, TlsTargetOptions } from './test-tls.ts'

const LIMIT = { timeout: 30_000 }
const CERTIFICATE = { names: ['echo.internal', '10.1.2.3'] }

/** `agree()` gives a plain socket whose server awaits a handshake. */
const AGREE = `
  const readText = (socket, end) => new Promise((resolve, reject) => {
    let text = ''
    const onData = (chunk) => { text += chunk; if (text.endsWith(end)) { socket.off('data', onData); resolve(text) } }
    socket.on('data', onData).once('error', reject)
  })
  const agree = async (connect = () => net.connect(ECHO)) => {
    const socket = connect()
    await readText(socket, 'ready\\r\\n')
    socket.write('STARTTLS\\r\\n')
    await readText(socket, 'ahead\\r\\n')
    return socket
  }
  const talk = async (socket, text) => { socket.write(text); return String(await once(socket, 'data')) }`

interface Scene extends AsyncDisposable {
  readonly site: Site
  readonly target: TlsTarget
}

interface SceneOptions extends TlsTargetOptions {
  /** Whether the edge knows the CA. @default true */
  readonly trust?: boolean
}

/** A Worker that runs `body` against an echo server that speaks TLS, at once or when asked to. */
async function startScene(t: TestContext, body: string, options: SceneOptions = {}): Promise<Scene> {
  await using opening = new AsyncDisposableStack()
  const target = opening.use(
    await startTlsTarget((socket) => socket.pipe(socket), { certificate: CERTIFICATE, ...options }),
  )
  const site = opening.use(await startNodeSite(t, `${AGREE}\n${body}`))
  const route = { port: target.port, ...(options.trust === false ? {} : { ca: target.ca }) }
  for (const host of ['echo.internal', '10.1.2.3', 'alias.internal']) site.edge.routes.set(`${host}:7`, route)
  const owned = opening.move()
  return { site, target, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const startTls = (before: TlsTargetOptions['before'] = starttlsServer()): SceneOptions => ({ before })

test('tls.connect() opens a connection that the edge encrypts, with the events of Node.js', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const socket = tls.connect({ ...ECHO, servername: ECHO.host }, () => events.push('callback'))
    const events = record(socket)
    const before = [socket.connecting, socket.secureConnecting, socket.authorized, socket.encrypted]
    const answer = await talk(socket, 'secret')
    const during = [
      socket.connecting, socket.secureConnecting, socket.authorized, socket.authorizationError, socket.alpnProtocol, socket.servername,
      socket.remoteAddress, socket.remotePort, socket instanceof net.Socket, socket instanceof tls.TLSSocket,
    ]
    socket.end()
    await once(socket, 'close')
    return { before, answer, during, events }`
  await using scene = await startScene(t, body)
  assert.deepEqual(await scene.site.json(), {
    before: [true, true, false, true],
    answer: 'secret',
    during: [false, false, true, null, false, 'echo.internal', 'echo.internal', 7, true, true],
    events: [
      'connectionAttempt echo.internal 7 0',
      'connect',
      'secure',
      'secureConnect',
      'callback',
      'ready',
      'data bytes 6',
      'finish',
      'end',
      'close false',
    ],
  })
  assert.deepEqual(scene.target.names, ['echo.internal'])
  assert.deepEqual(
    scene.site.edge.calls.map(({ binding, operation }) => [binding, operation]),
    [['egress', 's']],
  )
})

test('every form of arguments is understood, addresses too', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const { port, host } = ECHO
    const ways = [
      (done) => tls.connect(port, host, done), (done) => tls.connect(port, host, {}, done), (done) => tls.connect(String(port), { host }, done),
      (done) => tls.connect({ port, host }, done), (done) => tls.connect({ port, host: '10.1.2.3' }, done), 
      (done) => new tls.TLSSocket(undefined, {}).connect(port, host).once('secureConnect', done),
      (done) => tls.connect({ port, host, secureContext: tls.createSecureContext({}) }, done),
      (done) => tls.connect({ port, host, lookup: (name, options, found) => found(null, '10.1.2.3', 4) }, done),
    ]
    const results = []
    for (const way of ways) {
      const socket = await new Promise((resolve, reject) => { const made = way(() => resolve(made)); made.once('error', reject) })
      results.push([socket.remoteAddress, await talk(socket, 'x')])
      socket.destroy()
    }
    return results`
  await using scene = await startScene(t, body)
  const named = Array.from({ length: 4 }, () => ['echo.internal', 'x'])
  assert.deepEqual(await scene.site.json(), [
    ...named,
    ['10.1.2.3', 'x'],
    ['echo.internal', 'x'],
    ['echo.internal', 'x'],
    ['10.1.2.3', 'x'],
  ])
})

test('servername is the name that is sent and verified, whatever host is dialled', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const outcome = (options) => new Promise((resolve) => {
      const socket = tls.connect({ port: 7, ...options }, () => { resolve(['verified', socket.getPeerCertificate() instanceof Object]); socket.destroy() })
      socket.once('error', (error) => resolve([error.code, socket.authorized]))
    })
    return [
      await outcome({ host: 'alias.internal', servername: 'echo.internal' }), await outcome({ host: 'alias.internal' }),
      await outcome({ host: 'echo.internal', servername: 'alias.internal' }), await outcome({ host: 'echo.internal', servername: '' }),
    ]`
  await using scene = await startScene(t, body)
  const wrong = ['ERR_TLS_CERT_ALTNAME_INVALID', false]
  assert.deepEqual(await scene.site.json(), [['verified', true], wrong, wrong, ['verified', true]])
  assert.deepEqual(scene.target.clear, [])
})

test('a plain socket is upgraded: in a listener, later, and before anything of it was read', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const upgrade = async (plain, options) => {
      const secure = tls.connect({ socket: plain, ...options })
      const events = record(secure)
      const answer = await talk(secure, 'secret')
      const state = [secure.authorized, plain.destroyed, secure.remoteAddress, secure.remotePort, secure.localPort === plain.localPort]
      secure.end()
      await once(secure, 'close')
      return [answer, state, events, plain.destroyed]
    }
    const ended = tls.connect({ socket: await agree() })
    ended.end().resume()
    await once(ended, 'close')
    const later = async () => { const plain = await agree(); await scheduler.wait(20); return plain }
    return [
      await upgrade(await agree()), await upgrade(await later(), { servername: 'echo.internal', rejectUnauthorized: true }),
      await upgrade(await agree(() => new net.Socket().connect(7, '10.1.2.3')), { host: 'echo.internal' }),
    ]`
  await using scene = await startScene(t, body, startTls())
  const events = ['secure', 'secureConnect', 'data bytes 6', 'finish', 'end', 'close false']
  const expected = (host: string): unknown => ['secret', [true, false, host, 7, true], events, true]
  assert.deepEqual(await scene.site.json(), [
    expected('echo.internal'),
    expected('echo.internal'),
    expected('10.1.2.3'),
  ])
  assert.deepEqual(scene.target.clear.join(''), 'STARTTLS\r\n'.repeat(4))
  assert.deepEqual(
    scene.target.names,
    Array.from({ length: 4 }, () => 'echo.internal'),
  )
})

test('an upgrade asked for while the plain socket connects and writes comes after both', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const plain = net.connect(ECHO)
    plain.write('STARTTLS\\r\\n')
    const secure = new tls.TLSSocket(plain, { servername: 'echo.internal' })
    const events = record(secure)
    secure.write('early ')
    secure._start()
    secure._start()
    const answer = await talk(secure, 'late')
    secure.destroy()
    await once(plain, 'close')
    return [answer.startsWith('early '), events.filter((name) => name.startsWith('connect'))]`
  const silent: TlsTargetOptions['before'] = (socket, upgrade) => socket.once('data', upgrade)
  await using scene = await startScene(t, body, startTls(silent))
  assert.deepEqual(await scene.site.json(), [true, ['connect']])
  assert.deepEqual(scene.target.clear, ['STARTTLS\r\n'])
})

/** Agrees on TLS, leaving unread what comes behind the agreement, and sends a password at once, as drivers do. */
const FAILING = `
  const plain = net.connect(ECHO)
  const take = async (length) => { while (plain.read(length) === null) await once(plain, 'readable') }
  await take(11)
  plain.write('STARTTLS\\r\\n')
  await take(14)
  const secure = tls.connect({ socket: plain, servername: 'echo.internal' })
  const events = record(secure)
  secure.write('password', (error) => events.push('written ' + (error?.code ?? 'ok')))
  await once(secure, 'close')
  await scheduler.wait(1)
  return [secure.authorized, plain.destroyed, events.filter((event) => !event.startsWith('connectionAttempt'))]`

const BAD: Readonly<Record<string, [options: SceneOptions, code: string]>> = {
  'a certificate of an unknown CA': [{ trust: false }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  'a certificate for another name': [{ certificate: { names: ['expired.internal'] } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  'an expired certificate': [
    { certificate: { ...CERTIFICATE, notBefore: new Date('2020-01-01'), notAfter: new Date('2020-02-01') } },
    'CERT_HAS_EXPIRED',
  ],
  'an answer in clear': [{ before: goOnInClear }, 'EPROTO'],
  'the end of the connection': [{ before: hangUp }, 'EPROTO'],
  'clear bytes behind the agreement': [{ before: starttlsServer('250 injected\r\n') }, 'EPROTO'],
}

for (const [title, [options, code]] of Object.entries(BAD)) {
  test(`${title} fails the upgrade with ${code}, and nothing more goes out in clear`, LIMIT, async (t) => {
    assertNoLeaks(t)
    await using scene = await startScene(t, FAILING, { ...startTls(), ...options })
    const events = [`error ${code}`, 'close true', 'written ERR_SOCKET_CLOSED_BEFORE_CONNECTION']
    assert.deepEqual(await scene.site.json(), [false, true, events])
    assert.ok(!scene.target.clear.join('').includes('password'))
  })
}

test('clear bytes that come while the upgrade waits for its turn fail it, read or not', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const plain = net.connect(ECHO)
    plain.write(Buffer.alloc(16 << 20))
    plain.resume()
    const secure = tls.connect({ socket: plain })
    const error = await once(secure, 'error')
    return [error.code, error.message]`
  const injecting: TlsTargetOptions['before'] = (socket) => {
    socket.write('250 injected\r\n')
    socket.pause()
    setTimeout(() => socket.resume(), 50)
  }
  await using scene = await startScene(t, body, startTls(injecting))
  const message = 'the server sent bytes in clear before the TLS handshake, and nobody had read them'
  assert.deepEqual(await scene.site.json(), ['EPROTO', message])
})

test('a certificate that is not accepted fails tls.connect() too, with what the edge says of it', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const socket = tls.connect(ECHO)
    const events = record(socket)
    const [error] = [await once(socket, 'error')]
    return [error.code, error.host, error.cause.code, error.message.includes(error.cause.cause.message), socket.authorizationError === error, events.includes('secureConnect')]`
  await using scene = await startScene(t, body, { trust: false })
  const rest = ['echo.internal', 'tls_certificate_error', true, true, false]
  assert.deepEqual(await scene.site.json(), ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', ...rest])
})

test('what a driver says of trust makes verification no weaker, and is warned of once', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const outcome = (options) => new Promise((resolve) => {
      const socket = tls.connect({ ...ECHO, ...options }, () => resolve('connected'))
      socket.once('error', (error) => resolve(error.code))
    })
    const lax = { rejectUnauthorized: false, ca: 'any', minVersion: 'TLSv1', checkServerIdentity: () => undefined }
    return [await outcome(lax), await outcome(lax), await outcome({ secureContext: tls.createSecureContext(lax) })]`
  await using scene = await startScene(t, body, { trust: false })
  assert.deepEqual(
    await scene.site.json(),
    Array.from({ length: 3 }, () => 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  )
  await scene.site.worker.close()
  const warnings = scene.site.log.at('warn').filter(({ message }) => message.includes('node:tls'))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]?.message ?? '', /"ca", "minVersion", "rejectUnauthorized: false" in code/)
})

test('a check of its own is asked, and may be stricter than the edge', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const asked = []
    const outcome = (checkServerIdentity) => new Promise((resolve) => {
      const socket = tls.connect({ ...ECHO, checkServerIdentity, rejectUnauthorized: false }, () => { resolve('connected'); socket.destroy() })
      socket.once('error', (error) => resolve(error.code ?? error.message))
    })
    const pinned = (name, certificate) => certificate.fingerprint256 === 'AA:BB' ? undefined : new Error('not the pinned one')
    return [
      await outcome((name, certificate) => { asked.push(name); return undefined }), asked, await outcome(tls.checkServerIdentity),
      await outcome((name, certificate) => tls.checkServerIdentity('ECHO.internal', certificate)),
      await outcome((name, certificate) => tls.checkServerIdentity('other.internal', certificate)),
      await outcome(pinned), await outcome((name, certificate) => certificate.subject.CN.length),
    ]`
  await using scene = await startScene(t, body)
  const [first, asked, ...rest] = (await scene.site.json()) as [string, string[], ...string[]]
  assert.deepEqual([first, asked], ['connected', ['echo.internal']])
  assert.deepEqual(rest.slice(0, 4), ['connected', 'connected', 'ERR_TLS_CERT_ALTNAME_INVALID', 'not the pinned one'])
  assert.match(rest[4] ?? '', /undefined/)
})

test('drivers that check the certificate afterwards get the verdict of the edge', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const socket = tls.connect(ECHO)
    const early = Object.keys(socket.getPeerCertificate()).length
    await once(socket, 'secureConnect')
    const certificate = socket.getPeerCertificate(true)
    const verdict = (name, of = certificate) => tls.checkServerIdentity(name, of)?.code ?? 'fine'
    socket.destroy()
    const real = { subject: { CN: 'a.example' }, subjectaltname: 'DNS:a.example, DNS:*.b.example' }
    return [
      early, verdict('echo.internal'), verdict('Echo.Internal'), verdict('other.internal'), verdict('echo.internal', {}),
      verdict('a.example', real), verdict('x.b.example', real), verdict('b.example', real),
    ]`
  await using scene = await startScene(t, body)
  const invalid = 'ERR_TLS_CERT_ALTNAME_INVALID'
  const expected = [0, 'fine', 'fine', invalid, invalid, 'fine', 'fine', invalid]
  assert.deepEqual(await scene.site.json(), expected)
})

test('TLS over a stream that is no socket of ours is refused, and the stream is left alone', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const touched = []
    const duplex = new Duplex({ read() { touched.push('read') }, write(chunk, encoding, done) { touched.push('write'); done() } })
    const attempts = [
      () => tls.connect({ socket: duplex }), () => tls.connect({ socket: duplex, host: 'echo.internal', port: 7 }), () => new tls.TLSSocket(duplex),
      () => tls.connect({ socket: {} }), () => tls.connect({ socket: new Duplex({}), rejectUnauthorized: false }),
    ].map(refused)
    await scheduler.wait(5)
    const nested = tls.connect({ socket: await new Promise((resolve) => { const socket = tls.connect(ECHO, () => resolve(socket)) }) })
    const failed = await once(nested, 'error')
    return [attempts, touched, duplex.destroyed, failed.message]`
  await using scene = await startScene(t, body)
  const foreign =
    'Error ERR_OPTION_NOT_IMPLEMENTED: The socket option is not implemented for streams other than those of net.connect(): TLS is done by the host'
  const type = 'TypeError ERR_INVALID_ARG_TYPE: The "duplex" argument must be an stream.Duplex. Received an object'
  assert.deepEqual(await scene.site.json(), [
    [foreign, foreign, foreign, type, foreign],
    [],
    false,
    'Cannot startTls on a TLS socket.',
  ])
})

test('options that would make it another connection are refused', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const options = [
      { ALPNProtocols: ['h2'] }, { pskCallback() {} }, { minDHSize: 2048 }, { enableTrace: true }, { requestOCSP: true }, { SNICallback() {} },
      { isServer: true }, { checkServerIdentity: 5 }, { secureContext: {} }, { secureContext: tls.createSecureContext({ ALPNProtocols: ['h2'] }) },
    ]
    return [...options.map((more) => refused(() => tls.connect({ ...ECHO, ...more }))), refused(() => tls.connect({ path: '/run/x' })), refused(() => tls.connect())]`
  await using scene = await startScene(t, body)
  const missing = (name: string): string =>
    `Error ERR_OPTION_NOT_IMPLEMENTED: The options.${name} option is not implemented`
  const names = ['ALPNProtocols', 'pskCallback', 'minDHSize', 'enableTrace', 'requestOCSP', 'SNICallback', 'isServer']
  assert.deepEqual(await scene.site.json(), [
    ...names.map(missing),
    'TypeError ERR_INVALID_ARG_TYPE: The "options.checkServerIdentity" property must be of type function. Received type number (5)',
    'TypeError ERR_TLS_INVALID_CONTEXT: options.secureContext must be a SecureContext',
    missing('ALPNProtocols'),
    'TypeError ERR_INVALID_ARG_VALUE: The argument \'path\' is not supported. Received "/run/x"',
    'TypeError ERR_MISSING_ARGS: The "options" or "port" or "path" argument must be specified',
  ])
  assert.deepEqual(scene.site.edge.calls, [])
})

test(
  'megabytes pass, half-close works, and a socket destroyed in its handshake frees the connection',
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    const body = `
    const data = Buffer.alloc(2 << 20, 'abcdefghijklm')
    const socket = tls.connect(ECHO)
    const received = []
    socket.on('data', (chunk) => received.push(chunk))
    socket.end(data)
    await once(socket, 'close')
    const silent = tls.connect({ host: 'silent.internal', port: 1 })
    const events = record(silent)
    await scheduler.wait(5)
    silent.destroy()
    await once(silent, 'close')
    await env.PRIVATE.fetch('http://edge.internal/')
    return [Buffer.concat(received).equals(data), events.slice(1)]`
    await using silent = await startTarget(() => {})
    await using scene = await startScene(t, body)
    await using release = await startWhenEmpty(scene.site.edge)
    scene.site.edge.routes.set('silent.internal:1', { port: silent.port })
    scene.site.edge.routes.set('edge.internal:80', { port: release.port })
    assert.deepEqual(await scene.site.json(), [true, ['close false']])
  },
)

test('the module has every name of workerd’s own, and says what it does not know', LIMIT, async (t) => {
  assertNoLeaks(t)
  const body = `
    const native = process.getBuiltinModule('node:tls')
    const namespace = await import('node:tls')
    const socket = new tls.TLSSocket(undefined)
    const nothing = ['getProtocol', 'getCipher', 'getSession', 'isSessionReused', 'getFinished', 'getPeerFinished', 'getTLSTicket', 'getEphemeralKeyInfo']
    const missing = ['getCertificate', 'getPeerX509Certificate', 'getX509Certificate', 'setKeyCert', 'exportKeyingMaterial', 'enableTrace']
    const renegotiated = await new Promise((resolve) => socket.renegotiate({}, resolve))
    return [
      Object.keys(native).filter((name) => !(name in tls) || !(name in namespace)), Object.keys(tls).filter((name) => !(name in native)),
      Object.getOwnPropertyNames(native.TLSSocket.prototype).filter((name) => !name.startsWith('_') && !(name in tls.TLSSocket.prototype) && !(name in socket)),
      nothing.map((name) => socket[name]()), missing.map((name) => refused(() => socket[name]()).split(':')[0]), renegotiated.code, socket.setMaxSendFragment(5),
    ]`
  await using scene = await startScene(t, body)
  const missing = Array.from({ length: 6 }, () => 'Error ERR_METHOD_NOT_IMPLEMENTED')
  const nothing = Array.from({ length: 8 }, () => null)
  assert.deepEqual(await scene.site.json(), [[], [], [], nothing, missing, 'ERR_METHOD_NOT_IMPLEMENTED', false])
})

test('TLS with a Hyperdrive host is refused: it would be none', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.end('a database'))
  const body = `
    const direct = tls.connect({ host: env.DB.host, port: env.DB.port })
    const first = await once(direct, 'error')
    const plain = net.connect(env.DB.port, env.DB.host)
    await once(plain, 'connect')
    const upgraded = await once(tls.connect({ socket: plain }), 'error')
    return [first.message, upgraded.message]`
  const localConnectionString = `postgres://user:secret@127.0.0.1:${target.port}/db`
  await using site = await startNodeSite(t, body, { hyperdrive: [{ binding: 'DB', id: 'x', localConnectionString }] })
  const message = 'a connection to Hyperdrive takes no TLS: Hyperdrive itself speaks TLS with the database'
  assert.deepEqual(await site.json(), [message, message])
})

function goOnInClear(socket: Socket): void {
  socket.write('220 ready\r\n')
  socket.once('data', () => {
    socket.write('220 go ahead\r\n')
    socket.on('data', () => socket.write('220 go on\r\n'))
  })
}

function hangUp(socket: Socket): void {
  socket.write('220 ready\r\n')
  socket.once('data', () => socket.end('220 go ahead\r\n'))
}
