import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { before, test } from 'node:test'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { NodeHarness } from './conformance/node-harness.ts'
import { makeCertificates } from './conformance/peer.ts'
import type { PeerCertificates } from './conformance/peer.ts'
import { createConnect } from './connect.ts'
import type { Connect } from './connect.ts'
import type { Socket } from './socket.ts'

let certificates: PeerCertificates
let connect: Connect

before(async () => {
  const { caPem, ...made } = await makeCertificates(createAuthority)
  certificates = made
  connect = createConnect({ tls: [{ match: '*', ca: caPem }] })
})

interface NodeError extends Error {
  readonly code?: string
  readonly cause?: { readonly code?: string }
}

function reasonOf(promise: Promise<unknown>): Promise<NodeError> {
  return promise.then(
    () => assert.fail('it was expected to reject'),
    (error: unknown) => error as NodeError,
  )
}

test('a refused connection says why in code and cause, on opened, closed and the writes', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const socket = connect(`127.0.0.1:${await harness.refused()}`)
  const write = reasonOf(socket.writable.getWriter().write('x'))
  for (const error of await Promise.all([reasonOf(socket.opened), reasonOf(socket.closed), write])) {
    assert.equal(error.code, 'ECONNREFUSED')
    assert.equal(error.cause?.code, 'ECONNREFUSED')
  }
})

test('neither code nor cause is enumerable, and the cause is printed', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const error = await reasonOf(connect(`127.0.0.1:${await harness.refused()}`).opened)
  assert.deepEqual(Object.keys(error), [])
  assert.match(inspect(error), /\[cause\].*ECONNREFUSED/s)
})

test('a name that does not exist is ENOTFOUND or what the resolver says instead', async (t) => {
  assertNoLeaks(t)
  const error = await reasonOf(connect('nobody.invalid:1').opened)
  assert.match(String(error.code), /^(ENOTFOUND|EAI_AGAIN)$/)
})

test('an address that names nothing is ENOTFOUND', async (t) => {
  assertNoLeaks(t)
  assert.equal((await reasonOf(connect({ hostname: '::1', port: 9 }).opened)).code, 'ENOTFOUND')
})

test('when every address of a name refuses, the code is that of the refusals', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const error = await reasonOf(connect(`localhost:${await harness.refused()}`).opened)
  assert.equal(error.code, 'ECONNREFUSED')
})

for (const [certificate, code] of [
  ['expired', 'CERT_HAS_EXPIRED'],
  ['wrongName', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['untrusted', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
] as const) {
  test(`a certificate (${certificate}) that does not verify is ${code}, at once and after startTls()`, async (t) => {
    assertNoLeaks(t)
    await using harness = new NodeHarness(certificates, connect)
    const peers = [await harness.peer({ tls: certificate }), await harness.peer({ tls: certificate })]
    const [first, second] = peers.map(({ port }) => `localhost:${port}`)
    const sockets: Socket[] = [
      connect(first ?? '', { secureTransport: 'on' }),
      connect(second ?? '', { secureTransport: 'starttls' }).startTls(),
    ]
    for (const { opened, closed } of sockets) {
      assert.equal((await reasonOf(opened)).code, code)
      assert.equal((await reasonOf(closed)).code, code)
    }
  })
}

test('a peer that does not speak TLS leaves the code of OpenSSL', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const socket = connect(peer.address, { secureTransport: 'on' })
  await peer.received(1)
  await peer.send('220 this is not TLS\r\n')
  assert.match(String((await reasonOf(socket.opened)).code), /^(ERR_SSL_|EPROTO)/)
})

for (const secureTransport of ['off', 'on'] as const) {
  test(`a connection that breaks says how, TLS being ${secureTransport}`, async (t) => {
    assertNoLeaks(t)
    await using harness = new NodeHarness(certificates, connect)
    const peer = await harness.peer(secureTransport === 'on' ? { tls: 'good' } : {})
    const socket = connect(`localhost:${peer.port}`, { secureTransport })
    await socket.opened
    await peer.accepted()
    const read = reasonOf(socket.readable.getReader().read())
    await peer.reset()
    const error = await read
    assert.equal(error.code, 'ECONNRESET')
    assert.deepEqual(Object.keys(error), ['retryable'])
  })
}

test('bytes injected before the handshake are named as such, and the connection is gone', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const old = connect(peer.address, { secureTransport: 'starttls' })
  await old.opened
  const reader = old.readable.getReader({ mode: 'byob' })
  await peer.send('220 go\r\n250 injected\r\n')
  await reader.read(new Uint8Array(8), { min: 8 })
  reader.releaseLock()
  const socket = old.startTls()
  assert.equal((await reasonOf(socket.opened)).code, 'ERR_STARTTLS_INJECTION')
  await peer.ended()
  assert.equal(await peer.received(0), '', 'not even a ClientHello was sent')
})

test('a peer that ended before the handshake is ECONNRESET', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const old = connect(peer.address, { secureTransport: 'starttls', allowHalfOpen: true })
  await old.opened
  await peer.end()
  const reader = old.readable.getReader()
  await reader.read()
  reader.releaseLock()
  assert.equal((await reasonOf(old.startTls().opened)).code, 'ECONNRESET')
})
