import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import { formatHostPort, HawserError, Secret } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { assertNoLeaks, CapturedLog, createAuthority } from '@hawser/testkit'
import type { TestAuthority } from '@hawser/testkit'
import { connectTunnel, EDGE_SERVER_NAME, formatTunnelToken, listenForTunnels } from '@hawser/tunnel'
import type { ConnectorConnection, TunnelListener } from '@hawser/tunnel'
import { systemClock } from './clock.ts'
import { RunningConnector } from './connector.ts'
import { resolveConnectorOptions } from './options.ts'
import { startConnector } from './start-connector.ts'

const limits = { timeout: 60_000 }

/** A listening edge of this test's own, and the connections it was given. */
interface TestEdge {
  readonly listener: TunnelListener
  readonly address: HostPort
  readonly connections: ConnectorConnection[]
  /** Resolves with the n-th connection, counted from 1. */
  readonly connection: (n: number) => Promise<ConnectorConnection>
}

class Site {
  readonly tunnelId: string = randomUUID()
  readonly secret: Secret = new Secret(randomBytes(32).toString('base64'))
  readonly #authority: TestAuthority

  constructor(authority: TestAuthority) {
    this.#authority = authority
  }

  static async create(): Promise<Site> {
    return new Site(await createAuthority())
  }

  token(...edges: readonly HostPort[]): string {
    return formatTunnelToken({
      accountId: 'a'.repeat(32),
      tunnelId: this.tunnelId,
      secret: this.secret,
      edges: edges.map(formatHostPort),
      caPem: this.#authority.caPem,
    })
  }

  async listen(port = 0, accepts: () => boolean = () => true): Promise<TestEdge> {
    const { certPem, keyPem } = await this.#authority.issue({ names: [EDGE_SERVER_NAME] })
    const connections: ConnectorConnection[] = []
    let noticed: () => void = () => {}
    const listener = await listenForTunnels({
      listen: { host: '127.0.0.1', port },
      edgeId: 'edge-1',
      certPem,
      keyPem: new Secret(keyPem),
      secretOf: async () => (accepts() ? this.secret : undefined),
      onConnection: (connection) => {
        connections.push(connection)
        noticed()
      },
      logger: new CapturedLog(),
    })
    const connection = async (n: number): Promise<ConnectorConnection> => {
      for (;;) {
        const found = connections[n - 1]
        if (found !== undefined) return found
        await new Promise<void>((resolve) => {
          noticed = resolve
        })
      }
    }
    return { listener, address: listener.address, connections, connection }
  }
}

async function service(): Promise<{ server: Server; port: number; accepted: Promise<Socket> }> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection').then(([socket]) => socket as Socket)
  return { server, port: (server.address() as AddressInfo).port, accepted }
}

async function dial(connection: ConnectorConnection, host: string, port: number): Promise<Duplex> {
  const target = { host, port, flowId: 'f1', timeoutMs: 5000 }
  const { stream } = await connection.dial(target, new AbortController().signal)
  stream.on('error', () => {})
  return stream
}

test('a flow goes through by name, half-close included, and ends with nothing left open', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  const edge = await site.listen()
  const { server, port, accepted } = await service()
  const log = new CapturedLog()
  const connector = await startConnector({ token: site.token(edge.address), logger: log })
  await connector.ready
  const connection = await edge.connection(1)
  assert.equal(connection.connector.id, connector.id)

  const stream = await dial(connection, 'localhost', port)
  const peer = await accepted
  stream.end('ping')
  assert.equal(await text(peer), 'ping')
  peer.end('pong')
  assert.equal(await text(stream), 'pong')

  await connector.close()
  assert.equal(await connector.closed, undefined)
  assert.deepEqual([...log.at('warn'), ...log.at('error')], [])
  server.close()
  await edge.listener.close(0)
})

test('what may not be dialled comes back to the edge as the same error', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  const edge = await site.listen()
  const token = site.token(edge.address)
  const connector = await startConnector({ token, deny: ['127.0.0.0/8'], logger: new CapturedLog() })
  const connection = await edge.connection(1)
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '::ffff:127.0.0.1']) {
    const outcome = await dial(connection, host, 9).catch((error: unknown) => error)
    assert.ok(HawserError.is(outcome), host)
    // ::1 is not denied and nobody listens there
    assert.equal(outcome.code, host === 'localhost' ? 'connection_refused' : 'destination_ip_prohibited', host)
  }
  await connector.close(0)
  await edge.listener.close(0)
})

test('when the edge goes away and comes back, the connector is there again', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  const first = await site.listen()
  const log = new CapturedLog()
  const connector = await startConnector({ token: site.token(first.address), logger: log })
  await first.connection(1)
  await first.listener.close(0)
  const second = await site.listen(first.address.port)
  const connection = await second.connection(1)
  assert.equal(connection.connector.id, connector.id)
  await connector.close(0)
  await second.listener.close(0)
  assert.ok(log.at('warn').length <= 3, 'an outage is a few lines, not one for each attempt')
})

test('a connection that breaks is replaced', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  const edge = await site.listen()
  const connector = await startConnector({ token: site.token(edge.address), logger: new CapturedLog() })
  const first = await edge.connection(1)
  first.abort(new HawserError('tunnel_closed', 'test'))
  const second = await edge.connection(2)
  assert.notEqual(second.id, first.id)
  await connector.close(0)
  await edge.listener.close(0)
})

test('four connections are spread over two edges; one that is about to go is left without a gap', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  const edges = [await site.listen(), await site.listen()] as const
  const [going, staying] = edges
  const token = site.token(going.address, staying.address)
  const log = new CapturedLog()
  const connector = await startConnector({ token, weight: 40, logger: log })
  const old = [await going.connection(1), await going.connection(2)]
  await staying.connection(2)
  assert.equal(old[0]?.weight, 40)
  const { server, port, accepted } = await service()
  const stream = await dial(await going.connection(1), '127.0.0.1', port)
  const peer = await accepted

  going.listener.leave()
  await staying.connection(4)
  assert.ok(
    old.every((connection) => connection.accepting),
    'those that are left still serve',
  )
  const closing = going.listener.close(30_000)
  stream.end('ping')
  assert.equal(await text(peer), 'ping')
  peer.end('pong')
  assert.equal(await text(stream), 'pong')
  await closing
  assert.deepEqual([...log.at('warn'), ...log.at('error')], [])

  const back = await site.listen(going.address.port)
  await back.connection(2)
  await connector.close(0)
  server.close()
  for (const { listener } of [staying, back]) await listener.close(0)
})

test('a token that the edge does not know ends the connector', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  const edge = await site.listen(0, () => false)
  const connector = await startConnector({ token: site.token(edge.address), logger: new CapturedLog() })
  assert.equal((await connector.closed)?.code, 'tunnel_auth_failed')
  await edge.listener.close(0)
})

test('a token that was accepted, then not, then again, is kept alive', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  let accepts = true
  const edge = await site.listen(0, () => accepts)
  const log = new CapturedLog()
  const token = site.token(edge.address)
  const hurried = { ...systemClock, wait: () => new Promise<void>((resolve) => setImmediate(resolve)) }
  const connector = new RunningConnector(resolveConnectorOptions({ token, logger: log }), log, {
    connectTunnel,
    clock: hurried, // a rejected token is retried after 5 to 10 s
  })
  connector.start()
  const first = await edge.connection(1)
  accepts = false
  first.abort(new HawserError('tunnel_closed', 'test'))
  for await (const status of connector.status()) {
    if (status.type === 'disconnected' && status.error?.code === 'tunnel_auth_failed') break
  }
  accepts = true
  await edge.connection(2)
  assert.equal(log.at('error').length, 1)
  await connector.close(0)
  await edge.listener.close(0)
})

test('an edge of another authority is not trusted', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  const other = await Site.create()
  const edge = await other.listen()
  const connector = await startConnector({ token: site.token(edge.address), logger: new CapturedLog() })
  for await (const status of connector.status()) {
    if (status.type !== 'disconnected') continue
    assert.equal(status.error?.code, 'edge_certificate_error')
    assert.ok(status.retryInMs >= 5000)
    break
  }
  assert.deepEqual(edge.connections, [])
  await connector.close(0)
  await edge.listener.close(0)
})

test('a running flow outlives the start of a close and is cut at the end of its grace', limits, async (t) => {
  assertNoLeaks(t)
  const site = await Site.create()
  const edge = await site.listen()
  const { server, port, accepted } = await service()
  const connector = await startConnector({ token: site.token(edge.address), logger: new CapturedLog() })
  const connection = await edge.connection(1)
  const stream = await dial(connection, '127.0.0.1', port)
  const peer = await accepted
  peer.on('error', () => {})
  assert.equal(connector.activeStreams, 1)

  const closing = connector.close(500)
  stream.write('still there')
  assert.equal(String((await once(peer, 'data'))[0]), 'still there')
  const cut = new Promise((resolve) => stream.once('close', resolve))
  await closing
  await cut
  assert.equal(connector.activeStreams, 0)
  server.close()
  await edge.listener.close(0)
})

test('bad options are the only reason for the start to fail', async () => {
  const logger = new CapturedLog()
  await assert.rejects(startConnector({ token: 'x', logger }), (error) => HawserError.is(error, 'token_invalid'))
})
