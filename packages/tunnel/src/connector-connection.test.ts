import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks, memoryPair } from '@hawser/testkit'
import { connectTunnel } from './connect-tunnel.ts'
import { EdgeSide } from './connector-connection.ts'
import { FrameType } from './frame.ts'
import { RawPeer } from './raw-peer.ts'
import { MuxSession } from './session.ts'
import { CONNECTOR, echo, TARGET, tunnelFixture, TUNNEL_ID } from './tunnel-fixture.ts'

const TEST = { timeout: 20_000 } as const

/** The edge's side of a connection whose other side is a script, which by itself answers nothing. */
function edgeSide(): { side: EdgeSide; peer: RawPeer } & AsyncDisposable {
  const [near, far] = memoryPair()
  const session = new MuxSession(near, { role: 'server' })
  const registration = { tunnelId: TUNNEL_ID, connector: CONNECTOR, weight: 7, proof: '' }
  const side = new EdgeSide(session, registration, 'id', '192.0.2.1:1')
  const peer = new RawPeer(far)
  return {
    side,
    peer,
    [Symbol.asyncDispose]: async () => {
      peer.end()
      session.end()
      await session.closed
    },
  }
}

describe('a connection as the edge sees it', () => {
  test('tells its weight, its round trip and that it takes streams', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    await fixture.connect({ weight: 30 })
    const edge = await fixture.accepted()
    assert.equal(edge.weight, 30)
    assert.equal(edge.accepting, true)
    while (edge.roundTripMs === Infinity) await new Promise(setImmediate)
    assert.ok(edge.roundTripMs > 0)
    assert.equal(await edge.answers(), true)
    assert.equal(edge.silent, false)
  })

  test('that is silent is found out, and is silent no more with the next byte', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = edgeSide()
    const { side, peer } = tested
    assert.equal(side.silent, false)
    const asked = side.answers()
    assert.equal(side.answers(), asked, 'one question at a time')
    assert.equal(await asked, false)
    assert.equal(side.silent, true)
    assert.equal(side.roundTripMs, Infinity)
    peer.send(FrameType.Ping, 1, 0)
    while (side.silent) await new Promise(setImmediate)
    peer.send(FrameType.Ping, 1, 0)
    assert.equal(await side.answers().then(() => side.silent), false)
  })

  test('that the edge leaves tells the connector, and serves until it ends', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connector = await fixture.connect()
    const edge = await fixture.accepted()
    fixture.listener.leave()
    await connector.leaving
    assert.equal(edge.accepting, true)
    const { stream } = await edge.dial(TARGET, t.signal)
    stream.destroy()
    await assert.rejects(fixture.connect(), { code: 'edge_unreachable' })
    await fixture.listener.close(0)
    assert.equal(edge.accepting, false)
    assert.equal(await connector.closed, undefined)
  })

  test('that somebody disconnects ends with that reason at the edge, and says so to the connector', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connector = await fixture.connect()
    const edge = await fixture.accepted()
    const reason = new HawserError('tunnel_closed', 'disconnected by an operator')
    edge.disconnect(reason)
    assert.equal(await edge.closed, reason)
    const told = await connector.closed
    assert.equal(told?.code, 'tunnel_closed')
    assert.match(told?.message ?? '', /disconnected by an operator \(3\)/)
  })

  test('that the connector drains takes no streams', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const connector = await fixture.connect()
    const edge = await fixture.accepted()
    const { stream } = await edge.dial(TARGET, t.signal)
    const drained = connector.drain()
    while (edge.accepting) await new Promise(setImmediate)
    stream.destroy()
    await drained
  })
})

describe('the control stream carries', () => {
  const settings = { allow: [], deny: ['10.0.0.0/8'], probes: [] }
  const target = { host: 'db.internal', port: 5432, healthy: false, code: 'connection_refused' } as const
  const report = {
    connections: { up: 1, of: 4 },
    configuration: 0,
    targets: [target, { ...target, port: 1, healthy: true }],
  }

  test('reports to the edge, of which the last one counts', TEST, async (t) => {
    assertNoLeaks(t)
    const seen = Promise.withResolvers<void>()
    await using fixture = await tunnelFixture({
      onReport: ({ report: said }) => said?.connections.up === 4 && seen.resolve(),
    })
    const connector = await fixture.connect()
    const edge = await fixture.accepted()
    assert.equal(edge.report, undefined)
    connector.report(report)
    while (edge.report === undefined) await new Promise(setImmediate)
    assert.deepEqual(edge.report, report)
    assert.deepEqual(edge.failing, [target])
    for (let up = 0; up <= 4; up += 1) connector.report({ connections: { up, of: 4 }, configuration: 0, targets: [] })
    await seen.promise
    assert.deepEqual(edge.failing, [])
  })

  test('configurations to the connector, and its refusal into the log', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    const taken: unknown[] = []
    const onConfigure = (configuration: { version: number }): void => {
      if (configuration.version === 2) throw new HawserError('options_invalid', 'not here')
      taken.push(configuration)
    }
    await fixture.connect({ onConfigure })
    const edge = await fixture.accepted()
    edge.configure({ version: 1, settings })
    edge.configure({ version: 2, settings })
    while (fixture.log.at('warn').length === 0) await new Promise(setImmediate)
    assert.deepEqual(taken, [{ version: 1, settings }])
    assert.partialDeepStrictEqual(fixture.log.at('warn'), [{ fields: { op: 'configure', code: 'options_invalid' } }])
    edge.configure({ version: 3, settings })
    while (taken.length < 2) await new Promise(setImmediate)
  })

  test('nothing that an older connector would stumble over', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    await fixture.connect()
    const edge = await fixture.accepted()
    edge.configure({ version: 1, settings })
    while (fixture.log.at('warn').length === 0) await new Promise(setImmediate)
    assert.equal(await edge.answers(), true)
  })
})

test('300 connections that come, carry a flow and go leave nothing at the listener', { timeout: 60_000 }, async (t) => {
  assertNoLeaks(t)
  await using fixture = await tunnelFixture({ maxConnectors: 1 })
  for (let round = 0; round < 300; round += 1) {
    const connector = await connectTunnel({
      edge: fixture.listener.address,
      token: fixture.token,
      connector: CONNECTOR,
      dial: echo,
      logger: fixture.log,
    })
    const edge = await fixture.accepted()
    const { stream } = await edge.dial(TARGET, t.signal)
    stream.on('error', () => {})
    if (round % 3 === 0) connector.abort(new HawserError('tunnel_closed', 'test'))
    else if (round % 3 === 1) edge.abort(new HawserError('tunnel_closed', 'test'))
    else await connector.close(0)
    await Promise.all([connector.closed, edge.closed])
  }
  // Were any of them still counted, the 65th would have been refused; and another connector takes the only place.
  await fixture.connect({ connector: { ...CONNECTOR, id: 'connector-2' as typeof CONNECTOR.id } })
})

describe('the connectors of a tunnel', () => {
  const named = (at: number): typeof CONNECTOR => ({ ...CONNECTOR, id: `connector-${at}` as typeof CONNECTOR.id })

  test('are 25 at most: the next is refused with a code, a known one is not', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    for (let at = 0; at < 25; at += 1) await fixture.connect({ connector: named(at) })
    await assert.rejects(fixture.connect({ connector: named(25) }), {
      code: 'tunnel_connector_limit',
      message: /25 connectors already/,
    })
    await fixture.connect({ connector: named(24) })
    assert.deepEqual(
      fixture.log.at('warn').map(({ fields }) => fields['code']),
      ['tunnel_connector_limit'],
    )
  })

  test('that leave make room for those that replace them', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture({ maxConnectors: 1 })
    const leaving = await fixture.connect({ connector: named(0) })
    const edge = await fixture.accepted()
    const { stream } = await edge.dial(TARGET, t.signal)
    const drained = leaving.drain()
    while (edge.accepting) await new Promise(setImmediate)
    await fixture.connect({ connector: named(1) })
    await assert.rejects(fixture.connect({ connector: named(2) }), { code: 'tunnel_connector_limit' })
    stream.destroy()
    await drained
  })

  test('have 64 connections each at most', TEST, async (t) => {
    assertNoLeaks(t)
    await using fixture = await tunnelFixture()
    for (let at = 0; at < 64; at += 1) await fixture.connect()
    await assert.rejects(fixture.connect(), { code: 'tunnel_connector_limit', message: /64 connections of this one/ })
  })
})
