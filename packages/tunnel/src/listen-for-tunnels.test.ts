import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { HawserError } from '@hawser/core'
import type { Dialed } from '@hawser/core'
import { assertNoLeaks, memoryPair } from '@hawser/testkit'
import { Flag, FrameType, GoAwayCode } from './frame.ts'
import { encodeMessage } from './messages.ts'
import { channelBinding, proofOf } from './proof.ts'
import { RawPeer } from './raw-peer.ts'
import { encodeRegistration } from './register.ts'
import { CONNECTOR, echo, TARGET, tunnelFixture, TUNNEL_ID } from './tunnel-fixture.ts'
import type { TunnelFixture } from './tunnel-fixture.ts'
import { EDGE_SERVER_NAME, TUNNEL_ALPN } from './transport.ts'

const TEST = { timeout: 20_000 } as const
const { Data, GoAway, WindowUpdate } = FrameType

/** A TLS connection with the right ALPN, and nothing said on it yet. */
async function stranger(fixture: TunnelFixture): Promise<{ socket: TLSSocket; peer: RawPeer }> {
  const { host, port } = fixture.listener.address
  const socket = connectTls({
    host,
    port,
    servername: EDGE_SERVER_NAME,
    ca: fixture.token.caPem,
    ALPNProtocols: [TUNNEL_ALPN],
  })
  await once(socket, 'secureConnect')
  return { socket, peer: new RawPeer(socket) }
}

async function refusals(fixture: TunnelFixture, count: number): Promise<string[]> {
  while (fixture.log.at('warn').length < count) await new Promise(setImmediate)
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate) // a second line would come now
  return fixture.log.at('warn').map(({ fields }) => String(fields['code']))
}

describe('listenForTunnels: connections that have registered', () => {
  test('carry dials, in parallel and over several connections of one connector', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    await fixture.connect()
    await fixture.connect()
    const connections = [await fixture.accepted(), await fixture.accepted()]
    assert.notEqual(connections[0]?.id, connections[1]?.id)
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const dialed = await connections[index % 2]?.dial(TARGET, t.signal)
        assert.equal(dialed?.remoteAddress, '10.0.0.7:5432')
        assert.equal(dialed?.connectorId, CONNECTOR.id)
        dialed?.stream.end(`flow ${index}`)
        assert.equal(dialed === undefined ? '' : await text(dialed.stream), `flow ${index}`)
      }),
    )
    assert.deepEqual(
      connections.map((connection) => connection?.activeStreams),
      [0, 0],
    )
  })

  test('drained by the edge, finish what is open, take nothing new, and end without an error', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connector = await fixture.connect()
    const edge = await fixture.accepted()
    const { stream } = await edge.dial(TARGET, t.signal)
    const drained = edge.drain()
    assert.equal(edge.drain(), drained)
    await assert.rejects(edge.dial(TARGET, t.signal), { code: 'tunnel_closed' })
    stream.end('last')
    assert.equal(await text(stream), 'last')
    await drained
    assert.equal(await edge.closed, undefined)
    assert.equal(await connector.closed, undefined)
  })

  test('drained by the connector, finish what is open and end without an error', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connector = await fixture.connect()
    const edge = await fixture.accepted()
    const { stream } = await edge.dial(TARGET, t.signal)
    assert.equal(connector.activeStreams, 1)
    const drained = connector.drain()
    await assert.rejects(
      async () => {
        for (;;) (await edge.dial(TARGET, t.signal)).stream.destroy()
      },
      { code: 'tunnel_closed' },
    )
    stream.end('last')
    assert.equal(await text(stream), 'last')
    await drained
    assert.equal(connector.activeStreams, 0)
    assert.equal(await edge.closed, undefined)
    assert.equal(await connector.closed, undefined)
  })

  test('closed with a limit, cut what is still open when it has passed', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connector = await fixture.connect()
    const edge = await fixture.accepted()
    const { stream } = await edge.dial(TARGET, t.signal)
    const failed = once(stream, 'error')
    await connector.close(20)
    const [error] = (await failed) as [HawserError]
    assert.equal(error.code, 'tunnel_closed')
    assert.equal(await edge.closed, undefined)
  })

  test('aborted, fail at once with the reason on this side and tunnel_closed on the other', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connector = await fixture.connect()
    const edge = await fixture.accepted()
    const { stream } = await edge.dial(TARGET, t.signal)
    const failed = once(stream, 'error')
    edge.abort(new HawserError('tunnel_auth_failed', 'the tunnel was deleted'))
    edge.abort(new HawserError('proxy_internal_error', 'too late'))
    assert.equal(((await failed) as [HawserError])[0].code, 'tunnel_auth_failed')
    assert.equal((await edge.closed)?.code, 'tunnel_auth_failed')
    assert.equal((await connector.closed)?.code, 'tunnel_closed')
    await assert.rejects(edge.dial(TARGET, t.signal), { code: 'tunnel_auth_failed' })
    await edge.drain()
    await edge.close()
  })

  test('that are disposed of are closed', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    {
      await using connector = await fixture.connect()
      assert.equal(connector.edgeId, 'edge-1')
    }
    assert.equal(await (await fixture.accepted()).closed, undefined)
  })

  test('a slow target does not hold up the others', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    let count = 0
    const silent: Dialed = { stream: memoryPair()[0], remoteAddress: '10.0.0.8:1' }
    await fixture.connect({ dial: () => ((count += 1) === 1 ? Promise.resolve(silent) : echo()) })
    const edge = await fixture.accepted()
    const { stream: stuck } = await edge.dial(TARGET, t.signal)
    stuck.write(Buffer.alloc(2_000_000))
    const { stream } = await edge.dial(TARGET, t.signal)
    const bytes = randomBytes(3_000_000)
    stream.end(bytes)
    const parts: Buffer[] = []
    for await (const part of stream) parts.push(part as Buffer)
    assert.ok(Buffer.concat(parts).equals(bytes))
    assert.equal(stuck.writableNeedDrain, true)
    stuck.destroy()
  })

  test('live as long as their control stream', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const { socket, peer } = await stranger(fixture)
    const { token } = fixture
    const proof = proofOf(token.secret, channelBinding(socket), TUNNEL_ID, CONNECTOR.id)
    peer.send(Data, Flag.Syn, 1, encodeRegistration({ tunnelId: TUNNEL_ID, connector: CONNECTOR, weight: 100, proof }))
    const edge = await fixture.accepted()
    peer.send(Data, 0, 1, encodeMessage({ op: 'from-the-future' }))
    const answer = await peer.frame(({ payload }) => payload.includes('unknown operation'))
    assert.equal(answer.streamId, 1)
    peer.send(WindowUpdate, Flag.Fin, 1)
    assert.equal((await edge.closed)?.code, 'tunnel_protocol_error')
    assert.deepEqual(fixture.log.at('warn'), [])
  })
})

describe('listenForTunnels: connections that do not register', () => {
  test('a proof made for another connection is refused: it cannot be replayed', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const first = await stranger(fixture)
    const proof = proofOf(fixture.token.secret, channelBinding(first.socket), TUNNEL_ID, CONNECTOR.id)
    const registration = encodeRegistration({ tunnelId: TUNNEL_ID, connector: CONNECTOR, weight: 100, proof })
    const second = await stranger(fixture)
    second.peer.send(Data, Flag.Syn, 1, registration)
    await second.peer.frame(({ payload }) => payload.includes('tunnel_auth_failed'))
    await second.peer.goAway()
    first.peer.send(Data, Flag.Syn, 1, registration)
    await fixture.accepted()
    assert.deepEqual(await refusals(fixture, 1), ['tunnel_auth_failed'])
    first.socket.destroy()
  })

  for (const [name, send, code] of [
    ['garbage', (peer: RawPeer) => peer.sendBytes(randomBytes(100)), 'tunnel_protocol_error'],
    [
      'a message that is none',
      (peer: RawPeer) => peer.send(Data, Flag.Syn, 1, Buffer.from('GET / HTTP/1.1')),
      'tunnel_protocol_error',
    ],
    [
      'a dial before the registration',
      (peer: RawPeer) => peer.send(Data, Flag.Syn, 1, encodeMessage({ op: 'dial' })),
      'tunnel_protocol_error',
    ],
    [
      'a registration without a proof',
      (peer: RawPeer) =>
        peer.send(Data, Flag.Syn, 1, encodeMessage({ op: 'register', tunnel: TUNNEL_ID, connector: CONNECTOR })),
      'tunnel_protocol_error',
    ],
    [
      'a control stream that ends at once',
      (peer: RawPeer) => peer.send(Data, Flag.Syn | Flag.Fin, 1),
      'connection_terminated',
    ],
    ['nothing, and hanging up', (peer: RawPeer) => peer.end(), 'tunnel_closed'],
  ] as const) {
    test(`${name}: refused, logged once with the address, nothing left`, TEST, async (t) => {
      assertNoLeaks(t)
      await using fixture = await tunnelFixture()
      const { socket, peer } = await stranger(fixture)
      send(peer)
      if (!peer.ended) await new Promise((resolve) => socket.once('close', resolve))
      assert.deepEqual(await refusals(fixture, 1), [code])
      assert.match(String(fixture.log.at('warn')[0]?.fields['remoteAddress']), /^127\.0\.0\.1:\d+$/)
      socket.destroy()
    })
  }

  test('silence beyond the time limit', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture({ registerTimeoutMs: 200 })
    const { socket, peer } = await stranger(fixture)
    assert.equal((await peer.goAway()).length, GoAwayCode.InternalError)
    await new Promise((resolve) => socket.once('close', resolve))
    assert.deepEqual(await refusals(fixture, 1), ['tunnel_timeout'])
  })

  test('a second stream before the registration is reset', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const { socket, peer } = await stranger(fixture)
    peer.send(WindowUpdate, Flag.Syn, 1)
    peer.send(WindowUpdate, Flag.Syn, 3)
    await peer.frame(({ streamId, flags }) => streamId === 3 && (flags & Flag.Rst) !== 0)
    socket.destroy()
    assert.deepEqual(await refusals(fixture, 1), ['tunnel_closed'])
  })

  test('a directory that fails refuses, logs what failed, and tells the stranger nothing of it', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture({ secretOf: () => Promise.reject(new Error('/var/lib/db is locked')) })
    await assert.rejects(fixture.connect(), (error: HawserError) => {
      assert.equal(error.code, 'proxy_internal_error')
      assert.ok(!error.message.includes('locked'))
      return true
    })
    assert.match(String(fixture.log.at('error')[0]?.fields['reason']), /locked/)
    assert.deepEqual(await refusals(fixture, 1), ['proxy_internal_error'])
  })

  test('a connector that leaves while its token is looked up', TEST, async (t) => {
    assertNoLeaks(t)
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<undefined>()
    await using fixture = await tunnelFixture({
      secretOf: () => {
        asked.resolve()
        return answer.promise
      },
    })
    const { socket, peer } = await stranger(fixture)
    const registration = { tunnelId: TUNNEL_ID, connector: CONNECTOR, weight: 100, proof: 'x' }
    peer.send(Data, Flag.Syn, 1, encodeRegistration(registration))
    await asked.promise
    socket.destroy()
    assert.deepEqual(await refusals(fixture, 1), ['tunnel_closed'])
    answer.resolve(undefined)
    assert.deepEqual(await refusals(fixture, 1), ['tunnel_closed'])
  })
})

describe('listenForTunnels: closing', () => {
  test('drains every connection within the limit, drops strangers, and may be asked twice', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connectors = [await fixture.connect(), await fixture.connect()]
    const edge = await fixture.accepted()
    const { stream } = await edge.dial(TARGET, t.signal)
    const failed = once(stream, 'error')
    const { peer } = await stranger(fixture)
    const closing = fixture.listener.close(50)
    assert.equal(fixture.listener.close(), closing)
    await closing
    assert.equal(((await failed) as [HawserError])[0].code, 'tunnel_closed')
    for (const { closed } of connectors) assert.equal(await closed, undefined)
    while (!peer.ended) await new Promise(setImmediate)
    assert.deepEqual(fixture.log.at('warn'), [])
    await assert.rejects(fixture.connect(), { code: 'edge_unreachable' })
  })

  test('tells connectors with a go-away for no fault', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const { socket, peer } = await stranger(fixture)
    const proof = proofOf(fixture.token.secret, channelBinding(socket), TUNNEL_ID, CONNECTOR.id)
    peer.send(Data, Flag.Syn, 1, encodeRegistration({ tunnelId: TUNNEL_ID, connector: CONNECTOR, weight: 100, proof }))
    await fixture.accepted()
    const closing = fixture.listener.close()
    const frame = await peer.frame(({ type }) => type === GoAway)
    assert.equal(frame.length, GoAwayCode.Normal)
    await closing
  })
})
