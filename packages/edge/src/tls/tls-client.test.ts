import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { createSecureContext } from 'node:tls'
import type { TLSSocket, TLSSocketOptions } from 'node:tls'
import { HawserError, Secret } from '@hawser/core'
import type { TlsRule } from '@hawser/core'
import { assertNoLeaks, createAuthority, memoryPair, tcpPair } from '@hawser/testkit'
import { authority, client, issue, issueExpired, issueSelfSigned, NAME, PORT, request, serveTls } from './test-peer.ts'
import type { Identity } from './test-peer.ts'
import type { Secured, TlsClient, TlsRequest } from './tls-client.ts'

const TIMEOUT = { timeout: 10_000 }

interface Meeting {
  readonly secured: Secured
  readonly server: TLSSocket
}

interface Meet {
  readonly identity?: Identity
  readonly server?: TLSSocketOptions
  readonly tls?: TlsClient
  readonly request?: Partial<TlsRequest>
}

/** A handshake between the client under test and a server of Node's. `ends` destroys both ends. */
async function meet(ends: DisposableStack, options: Meet = {}): Promise<Meeting> {
  const [near, far] = await tcpPair()
  far.on('error', () => {})
  const server = serveTls(far, options.identity ?? (await issue()), options.server)
  ends.defer(() => near.destroy())
  ends.defer(() => far.destroy())
  const tls = options.tls ?? (await client())
  const secured = await tls.secure(near, request(options.request))
  secured.stream.on('error', () => {})
  return { secured, server }
}

function disposable(stream: Duplex): Disposable {
  return { [Symbol.dispose]: () => void stream.destroy() }
}

function failsWith(code: string, message: RegExp = /./): (error: unknown) => boolean {
  return (error) => HawserError.is(error) && error.code === code && message.test(error.message)
}

async function ruled(rule: Partial<TlsRule>): Promise<TlsClient> {
  return client({ trust: createSecureContext(), rules: [{ host: NAME, caPem: (await authority()).caPem, ...rule }] })
}

test('TLS client: a certificate of a trusted authority for the name is accepted', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const { secured, server } = await meet(ends)
  assert.deepEqual(secured.tls, { protocol: 'TLSv1.3', authorized: true })
  secured.stream.write('question')
  assert.equal((await once(server, 'data')).toString(), 'question')
  assert.equal((server as unknown as { servername: string }).servername, NAME)
  assert.equal(server.alpnProtocol, false)
})

const REFUSED: readonly (readonly [what: string, identity: () => Promise<Identity>])[] = [
  ['a certificate for another name', () => issue({ names: ['other.internal'] })],
  ['an expired certificate', issueExpired],
  ['a certificate that is not valid yet', () => issue({ notBefore: new Date(Date.now() + 3_600_000) })],
  ['a self-signed certificate', issueSelfSigned],
  ['a certificate for clients', () => issue({ usage: 'client' })],
  [
    'a certificate of another authority',
    async () => {
      const { certPem, keyPem } = await (await createAuthority()).issue({ names: [NAME] })
      return { cert: certPem, key: keyPem }
    },
  ],
]

for (const [what, identity] of REFUSED) {
  test(`TLS client: ${what} is tls_certificate_error, and the connection is gone`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    const [near, far] = await tcpPair()
    using _far = disposable(far)
    serveTls(far, await identity())
    await assert.rejects(
      (await client()).secure(near, request()),
      failsWith('tls_certificate_error', /^db\.internal: /),
    )
    assert.equal(near.destroyed, true)
  })
}

test('TLS client: the public authorities alone do not vouch for a private one', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const tls = await client({ trust: createSecureContext() })
  await assert.rejects(meet(ends, { tls }), failsWith('tls_certificate_error'))
})

test('TLS client: what does not speak TLS is tls_protocol_error', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const [near, far] = await tcpPair()
  using _far = disposable(far)
  far.on('error', () => {})
  far.write('220 mail.internal ESMTP\r\n')
  await assert.rejects((await client()).secure(near, request()), failsWith('tls_protocol_error'))
})

for (const [what, leave] of [
  ['hangs up', (far: Duplex): void => void far.end()],
  ['resets', (far: Duplex): void => (far as unknown as { resetAndDestroy(): void }).resetAndDestroy()],
] as const) {
  test(`TLS client: a target that ${what} in the handshake is tls_protocol_error`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    const [near, far] = await tcpPair()
    using _far = disposable(far)
    far.once('data', () => leave(far))
    await assert.rejects((await client()).secure(near, request()), failsWith('tls_protocol_error'))
    assert.equal(near.destroyed, true)
  })
}

test('TLS client: a target that says nothing is tls_protocol_error after a while', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const [near, far] = await tcpPair()
  using _far = disposable(far)
  far.resume()
  const securing = (await client()).secure(near, request({ timeoutMs: 20 }))
  await assert.rejects(securing, failsWith('tls_protocol_error', /no TLS handshake in 20 ms/))
  assert.equal(near.destroyed, true)
})

test('TLS client: a caller that gives up ends the handshake, before it or in it', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  for (const early of [true, false]) {
    const [near, far] = await tcpPair()
    using _far = disposable(far)
    far.on('error', () => {})
    const controller = new AbortController()
    const reason = new HawserError('connection_aborted', 'enough')
    if (early) controller.abort(reason)
    else far.once('data', () => controller.abort(reason))
    await assert.rejects((await client()).secure(near, request({ signal: controller.signal })), reason)
    assert.equal(near.destroyed, true)
  }
})

test('TLS client: a connection that is gone already is an error, not a wait', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const [near, far] = memoryPair()
  near.on('error', () => {})
  far.destroy()
  near.destroy()
  await assert.rejects((await client()).secure(near, request()), failsWith('tls_protocol_error'))
})

test('TLS client: TLS 1.1 is not spoken', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const server = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await assert.rejects(meet(ends, { server }), failsWith('tls_protocol_error'))
})

test('TLS client: TLS 1.2 is, unless the rule wants more', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const server = { maxVersion: 'TLSv1.2' } as const
  assert.equal((await meet(ends, { server })).secured.tls.protocol, 'TLSv1.2')
  await assert.rejects(
    meet(ends, { server, tls: await ruled({ minVersion: 'TLSv1.3' }) }),
    failsWith('tls_protocol_error'),
  )
})

test('TLS client: the CA of a rule takes the place of the public ones, for its targets alone', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const tls = await ruled({})
  assert.deepEqual((await meet(ends, { tls })).secured.tls, { protocol: 'TLSv1.3', authorized: true, rule: NAME })
  const identity = await issue({ names: ['other.internal'] })
  await assert.rejects(
    meet(ends, { tls, identity, request: { host: 'other.internal' } }),
    failsWith('tls_certificate_error'),
  )
})

test('TLS client: verify_ca looks at the chain alone', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const tls = await ruled({ verify: 'verify_ca' })
  const identity = await issue({ names: ['other.internal'] })
  assert.equal((await meet(ends, { tls, identity })).secured.tls.authorized, true)
  await assert.rejects(meet(ends, { tls, identity: await issueSelfSigned() }), failsWith('tls_certificate_error'))
  await assert.rejects(meet(ends, { tls, identity: await issueExpired() }), failsWith('tls_certificate_error'))
})

test('TLS client: disabled believes anybody, and the record says that nothing was proved', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const tls = await ruled({ verify: 'disabled' })
  const { secured } = await meet(ends, { tls, identity: await issueSelfSigned() })
  assert.deepEqual(secured.tls, { protocol: 'TLSv1.3', authorized: false, rule: NAME })
})

test('TLS client: the server name of a rule is sent and checked in place of the one used', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const tls = await ruled({ serverName: 'primary.internal' })
  const identity = await issue({ names: ['primary.internal'] })
  const { server } = await meet(ends, { tls, identity })
  assert.equal((server as unknown as { servername: string }).servername, 'primary.internal')
  await assert.rejects(meet(ends, { tls }), failsWith('tls_certificate_error', /primary\.internal/))
  await meet(ends, { tls, identity, request: { name: 'upgrade.internal' } })
})

test('TLS client: a name that the caller expects takes the place of the host', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const identity = await issue({ names: ['expected.internal'] })
  await meet(ends, { identity, request: { name: 'expected.internal' } })
  await assert.rejects(meet(ends, { request: { name: 'expected.internal' } }), failsWith('tls_certificate_error'))
})

for (const host of ['10.0.0.7', 'fd00::7']) {
  test(`TLS client: ${host} is looked for among the addresses of the certificate, without SNI`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    using ends = new DisposableStack()
    const { secured, server } = await meet(ends, { identity: await issue({ names: [host] }), request: { host } })
    secured.stream.write('x')
    await once(server, 'data') // by now it knows
    assert.equal(typeof (server as unknown as { servername: unknown }).servername === 'string', false)
    const identity = await issue({ names: ['db.internal', '10.0.0.8'] })
    await assert.rejects(meet(ends, { identity, request: { host } }), failsWith('tls_certificate_error'))
  })
}

test('TLS client: a client certificate is shown to who asks for one', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const { certPem, keyPem } = await (await authority()).issue({ names: ['edge.internal'], usage: 'client' })
  const server = { requestCert: true, rejectUnauthorized: true, ca: (await authority()).caPem }
  const tls = await ruled({ certPem, keyPem: new Secret(keyPem) })
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const meeting = await meet(ends, { tls, server: { ...server, maxVersion } })
    meeting.secured.stream.write('x')
    await once(meeting.server, 'data')
    assert.equal(meeting.server.getPeerCertificate().subject.CN, 'edge.internal')
  }
})

test(
  'TLS client: in TLS 1.2, a server that wants a client certificate refuses in the handshake',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    using ends = new DisposableStack()
    const server = {
      requestCert: true,
      rejectUnauthorized: true,
      ca: (await authority()).caPem,
      maxVersion: 'TLSv1.2',
    } as const
    await assert.rejects(meet(ends, { server }), failsWith('tls_protocol_error'))
  },
)

test('TLS client: in TLS 1.3 it does so afterwards, and the stream fails with what it says', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const server = { requestCert: true, rejectUnauthorized: true, ca: (await authority()).caPem }
  const { secured } = await meet(ends, { server })
  secured.stream.resume()
  const [error] = await once(secured.stream, 'error')
  assert.equal((error as { code: string }).code, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
})

test('TLS client: a session is resumed with the same target, and with no other', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const tls = await client()
    const secureContext = createSecureContext({ ...(await issue()), maxVersion }) // its ticket keys last
    const again = async (options: Partial<TlsRequest> = {}): Promise<boolean> => {
      const { secured, server } = await meet(ends, { tls, server: { secureContext }, request: options })
      server.end('farewell') // and the tickets before it
      await once(secured.stream.resume(), 'end')
      return secured.tls.resumed === true
    }
    assert.equal(await again(), false)
    assert.equal(await again(), true)
    assert.equal(await again({ port: PORT + 1 }), false)
    assert.equal(await again({ alpn: ['http/1.1'] }), false)
    assert.equal(await again(), true)
  }
})

test('TLS client: sessions can be switched off', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const tls = await client({ sessions: false })
  const secureContext = createSecureContext(await issue())
  for (let call = 0; call < 3; call += 1) {
    const { secured, server } = await meet(ends, { tls, server: { secureContext } })
    server.end('farewell')
    await once(secured.stream.resume(), 'end')
    assert.equal(secured.tls.resumed, undefined)
  }
})

test('TLS client: a session of one name does not vouch for another', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using ends = new DisposableStack()
  const tls = await client()
  const secureContext = createSecureContext(await issue())
  const { secured, server } = await meet(ends, { tls, server: { secureContext } })
  server.end('farewell')
  await once(secured.stream.resume(), 'end')
  const other = meet(ends, { tls, server: { secureContext }, request: { name: 'other.internal' } })
  await assert.rejects(other, failsWith('tls_certificate_error'))
})
