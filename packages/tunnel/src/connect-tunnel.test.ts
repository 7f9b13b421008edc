import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { Secret } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { CONNECTOR, TARGET, tunnelFixture, TUNNEL_ID } from './tunnel-fixture.ts'
import { EDGE_SERVER_NAME, TUNNEL_ALPN } from './transport.ts'

const TEST = { timeout: 20_000 } as const
const DAY_MS = 86_400_000

interface FakeEdge extends AsyncDisposable {
  readonly address: HostPort
  readonly sockets: Set<Socket>
}

/** Something that listens where an edge should. */
async function listenAs(server: Server): Promise<FakeEdge> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    sockets.add(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function fakeTlsEdge(options: TlsOptions): Promise<FakeEdge> {
  const server = createTlsServer({ ALPNProtocols: [TUNNEL_ALPN], ...options })
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket) => socket.on('error', () => {}).resume())
  return listenAs(server)
}

describe('connectTunnel', () => {
  test('registers, and the edge learns who has come', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connection = await fixture.connect()
    const accepted = await fixture.accepted()
    assert.equal(connection.edgeId, 'edge-1')
    assert.equal(accepted.tunnelId, TUNNEL_ID)
    assert.deepEqual(accepted.connector, CONNECTOR)
    assert.match(accepted.remoteAddress, /^127\.0\.0\.1:\d+$/)
    assert.ok(Math.abs(accepted.openedAt - Date.now()) < 60_000)
    assert.equal(connection.activeStreams, 0)
    assert.deepEqual(fixture.log.at('warn'), [])
  })

  test('an edge that nobody has heard of is edge_unreachable', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const { address } = await (async () => {
      await using gone = await listenAs(createTcpServer())
      return gone
    })()
    await assert.rejects(fixture.connect({ edge: address }), { code: 'edge_unreachable', message: /ECONNREFUSED/ })
  })

  test('an edge that hangs up is edge_unreachable', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    await using edge = await listenAs(createTcpServer((socket) => socket.destroy()))
    await assert.rejects(fixture.connect({ edge: edge.address }), { code: 'edge_unreachable' })
  })

  test('an edge that never answers is given up when the caller says so', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    await using edge = await listenAs(createTcpServer())
    const giveUp = new AbortController()
    const connecting = fixture.connect({ edge: edge.address, signal: giveUp.signal })
    while (edge.sockets.size === 0) await new Promise(setImmediate)
    giveUp.abort()
    await assert.rejects(connecting, { code: 'connection_aborted' })
    await assert.rejects(fixture.connect({ signal: AbortSignal.abort() }), { code: 'connection_aborted' })
  })

  test('an edge that does not register within ten seconds is edge_unreachable', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    await using edge = await fakeTlsEdge({ cert: fixture.certificate.certPem, key: fixture.certificate.keyPem })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const connecting = fixture.connect({ edge: edge.address })
    const rejected = assert.rejects(connecting, { code: 'edge_unreachable', message: /within 10 s/ })
    while (edge.sockets.size === 0) await new Promise(setImmediate)
    t.mock.timers.tick(10_000)
    await rejected
    t.mock.timers.reset()
  })

  test('a signal that aborts later does not touch a connection that is up', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const giveUp = new AbortController()
    const connection = await fixture.connect({ signal: giveUp.signal })
    const accepted = await fixture.accepted()
    giveUp.abort()
    const { stream } = await accepted.dial(TARGET, t.signal)
    stream.destroy()
    assert.equal(connection.edgeId, 'edge-1')
  })

  for (const [name, certificate] of [
    ['has expired', { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) }],
    ['is not valid yet', { notBefore: new Date(Date.now() + DAY_MS / 2) }],
    ['is for another name', { names: ['localhost'] }],
  ] as const) {
    test(`an edge whose certificate ${name} is refused: edge_certificate_error`, TEST, async (t) => {
      assertNoLeaks(t)
      await using fixture = await tunnelFixture()
      const wrong = await fixture.authority.issue({ names: [EDGE_SERVER_NAME], ...certificate })
      await using edge = await fakeTlsEdge({ cert: wrong.certPem, key: wrong.keyPem })
      await assert.rejects(fixture.connect({ edge: edge.address }), { code: 'edge_certificate_error' })
    })
  }

  test('an edge whose certificate another CA has signed is refused', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const { caPem } = await createAuthority()
    await assert.rejects(fixture.connect({ token: { ...fixture.token, caPem } }), { code: 'edge_certificate_error' })
  })

  test('a server that does not speak the protocol is tunnel_protocol_error', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const { certPem: cert, keyPem: key } = fixture.certificate
    await using web = await fakeTlsEdge({ cert, key, ALPNProtocols: ['http/1.1'] })
    await assert.rejects(fixture.connect({ edge: web.address }), { code: 'tunnel_protocol_error' })
    await using silent = await fakeTlsEdge({ cert, key, ALPNProtocols: [] })
    await assert.rejects(fixture.connect({ edge: silent.address }), { code: 'tunnel_protocol_error' })
    await using plain = await listenAs(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    await assert.rejects(fixture.connect({ edge: plain.address }), { code: 'tunnel_protocol_error' })
  })

  test('a server that speaks TLS 1.2 at most is refused', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const { certPem: cert, keyPem: key } = fixture.certificate
    await using old = await fakeTlsEdge({ cert, key, maxVersion: 'TLSv1.2' })
    await assert.rejects(fixture.connect({ edge: old.address }), { code: 'tunnel_protocol_error' })
  })

  test('a wrong secret and an unknown tunnel are told the same, and logged once each', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const secret = new Secret(Buffer.alloc(32, 3).toString('base64'))
    const told: unknown[] = []
    for (const token of [
      { ...fixture.token, secret },
      { ...fixture.token, tunnelId: TUNNEL_ID.replace(/1$/, '2') },
    ]) {
      await assert.rejects(fixture.connect({ token }), (error: { code: string; message: string }) => {
        told.push([error.code, error.message])
        return error.code === 'tunnel_auth_failed'
      })
    }
    assert.deepEqual(told[0], told[1])
    const lines = fixture.log.at('warn')
    assert.equal(lines.length, 2)
    assert.ok(lines.every(({ fields }) => fields['code'] === 'tunnel_auth_failed'))
    assert.ok(!JSON.stringify(lines).includes(fixture.token.secret.reveal()))
  })
})
