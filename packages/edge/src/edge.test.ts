import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, request } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError, parseHostPort, silentLogger } from '@hawser/core'
import type { BindingDoors, BindingNetwork, FlowRecord, Secret } from '@hawser/core'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { connectTunnel, parseTunnelToken } from '@hawser/tunnel'
import type { TunnelConnection } from '@hawser/tunnel'
import { directDialer } from './direct-dialer.ts'
import type { Edge } from './edge.ts'
import { startEdge } from './start-edge.ts'
import { temporaryFolder } from './storage/temporary-folder.ts'
import { readStatus } from './test-site.ts'

const TIMEOUT = { timeout: 30_000 }
const ANY = { host: '127.0.0.1', port: 0 }

/** Joins as a connector whose private network is loopback, whatever the host is called. */
async function join1(token: Secret): Promise<TunnelConnection> {
  const parsed = parseTunnelToken(token.reveal())
  return connectTunnel({
    edge: parseHostPort(parsed.edges[0] ?? '', 'token'),
    token: parsed,
    connector: { id: '5f2b1c1e-7a55-4b8e-9f53-0d3a3b1f0c11', version: '1', hostname: 'h', platform: 'p' },
    dial: (target, signal) => directDialer(['127.0.0.1']).dial(target, signal),
    logger: silentLogger,
  })
}

/** An edge, one tunnel with a connector, one binding to it. */
class Lab implements AsyncDisposable {
  readonly edge: Edge
  readonly tunnelId: string
  readonly connector: TunnelConnection
  readonly doors: BindingDoors
  readonly flows: FlowRecord[]
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()

  private constructor(
    edge: Edge,
    tunnelId: string,
    connector: TunnelConnection,
    doors: BindingDoors,
    flows: FlowRecord[],
  ) {
    this.edge = edge
    this.tunnelId = tunnelId
    this.connector = connector
    this.doors = doors
    this.flows = flows
  }

  static async open(t: TestContext, log: CapturedLog = new CapturedLog()): Promise<Lab> {
    const flows: FlowRecord[] = []
    const dataDir = join(await temporaryFolder(t), 'data')
    const edge = await startEdge({ dataDir, tunnel: ANY, logger: log, onFlow: (flow) => void flows.push(flow) })
    const { id } = await edge.directory.tunnels.create({ name: 'lab' })
    const connector = await join1(await edge.tunnelToken(id))
    const doors = await openDoors(edge, { kind: 'tunnel', tunnelId: id })
    return new Lab(edge, id, connector, doors, flows)
  }

  /** A private server; gives its port. */
  async serve(server: Server): Promise<number> {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#servers.push(server)
    return (server.address() as AddressInfo).port
  }

  async fetch(
    url: string,
    method = 'GET',
    body?: Buffer,
  ): Promise<{ status: number; error: string | undefined; body: Buffer }> {
    const outgoing = request({ socketPath: this.doors.fetchSocket, path: url, method, setHost: false })
    outgoing.end(body)
    const [incoming] = await once(outgoing, 'response')
    return { status: incoming.statusCode, error: incoming.headers['hawser-error'], body: await buffer(incoming) }
  }

  async connect(address: string): Promise<{ readonly status: number; readonly socket: Socket }> {
    const socket = connect({ ...parseHostPort(this.doors.connectAddress, 'door'), allowHalfOpen: true })
    this.#sockets.add(socket)
    socket.on('error', () => {})
    await once(socket, 'connect')
    const { host, port } = parseHostPort(address, 'address')
    socket.write(`CONNECT ${host}.c-call1-${this.doors.capability.reveal()}.hawser:${port} HTTP/1.1\r\n\r\n`)
    return { status: await readStatus(socket), socket }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.connector.close(0)
    await this.edge.close(0)
    for (const server of this.#servers) await new Promise((resolve) => server.close(resolve))
  }
}

function openDoors(edge: Edge, network: BindingNetwork): Promise<BindingDoors> {
  return edge.openBinding({ worker: 'shop', binding: 'PRIVATE', network })
}

test('edge: fetch() reaches a private HTTP server through the tunnel, and connections are kept', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  let connections = 0
  const server = createHttpServer((incoming, outgoing) => outgoing.end(`${incoming.headers.host}${incoming.url}`))
  server.on('connection', () => (connections += 1))
  const port = await lab.serve(server)
  for (let call = 0; call < 3; call += 1) {
    const { status, body } = await lab.fetch(`http://api.internal:${port}/rows?id=${call}`)
    assert.deepEqual([status, body.toString()], [200, `api.internal:${port}/rows?id=${call}`])
  }
  assert.equal(connections, 1)
  assert.equal(lab.edge.connections(lab.tunnelId)[0]?.activeStreams, 1)
  assert.ok(
    lab.flows.every(
      (flow) =>
        flow.outcome === 'ok' && flow.route?.connectorId === lab.edge.connections(lab.tunnelId)[0]?.connector.id,
    ),
  )
})

test('edge: big bodies go both ways through the tunnel unharmed', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const port = await lab.serve(createHttpServer((incoming, outgoing) => void incoming.pipe(outgoing)))
  const body = randomBytes(8_000_001)
  const reply = await lab.fetch(`http://api.internal:${port}/`, 'POST', body)
  assert.equal(createHash('sha256').update(reply.body).digest('hex'), createHash('sha256').update(body).digest('hex'))
})

test('edge: connect() reaches a private TCP server, half-closes included', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const echo = createServer(
    { allowHalfOpen: true },
    (socket) => void text(socket).then((all) => socket.end(`got ${all}`)),
  )
  const port = await lab.serve(echo)
  const { status, socket } = await lab.connect(`db.internal:${port}`)
  assert.equal(status, 200)
  socket.end('a question')
  assert.equal(await text(socket), 'got a question')
})

test('edge: a reset at the target is a reset at the Worker', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const port = await lab.serve(createServer((socket) => socket.once('data', () => socket.resetAndDestroy())))
  const { socket } = await lab.connect(`db.internal:${port}`)
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve))
  socket.write('x')
  socket.resume()
  assert.equal((await failed).code, 'ECONNRESET')
})

test('edge: a refused target is told with its code, to fetch() and to connect()', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const { status, error } = await lab.fetch('http://db.internal:1/')
  assert.deepEqual([status, error], [502, 'connection_refused'])
  assert.equal((await lab.connect('db.internal:1')).status, 502)
  const told = await lab.fetch('http://flows.hawser/call1')
  assert.equal(JSON.parse(told.body.toString()).code, 'connection_refused')
})

test('edge: a connector that dies in mid-stream is a coded error, and the next one serves', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const port = await lab.serve(createServer((socket) => void socket.pipe(socket)))
  const { socket } = await lab.connect(`db.internal:${port}`)
  socket.write('x')
  await once(socket, 'data')
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve))
  socket.resume()
  lab.connector.abort(new HawserError('tunnel_closed', 'killed'))
  assert.equal((await failed).code, 'ECONNRESET')
  while (lab.edge.connections(lab.tunnelId).length > 0 || lab.flows.length === 0) await new Promise(setImmediate)
  assert.deepEqual([lab.flows[0]?.error?.code, lab.flows[0]?.error?.step], ['connection_terminated', 'relay'])
  const gone = await lab.fetch(`http://db.internal:${port}/`)
  assert.equal(gone.error, 'destination_unavailable')
  assert.match(gone.body.toString(), /lab .* has no connector now/)

  await using again = await join1(await lab.edge.tunnelToken(lab.tunnelId))
  const second = await lab.connect(`db.internal:${port}`)
  assert.equal(second.status, 200)
  second.socket.destroy()
  await again.close(0)
})

test('edge: a tunnel that never was, or is deleted, says so', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  await assert.rejects(lab.edge.tunnelToken('6d1ff0c5-9f3d-4a1e-8f6a-0d6ad0f8c1aa'), (error) =>
    HawserError.is(error, 'not_found'),
  )
  await lab.edge.directory.tunnels.delete(lab.tunnelId)
  const [connection] = lab.edge.connections(lab.tunnelId)
  connection?.disconnect(new HawserError('tunnel_closed', 'the tunnel was deleted'))
  await lab.connector.closed
  while (lab.edge.connections(lab.tunnelId).length > 0) await new Promise(setImmediate)
  assert.match((await lab.fetch('http://db.internal:1/')).body.toString(), /has been deleted/)
  await assert.rejects(lab.edge.tunnelToken(lab.tunnelId), (error) => HawserError.is(error, 'not_found'))
})

test('edge: public egress refuses every address it listens on, those added later too', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  await using egress = await openDoors(lab.edge, { kind: 'public' })
  const api = { host: '127.0.0.1', port: 8787 }
  const takeBack = lab.edge.registerListener(api)
  const ask = async (port: number): Promise<string> => {
    const outgoing = request({
      socketPath: egress.fetchSocket,
      path: `http://127.0.0.1:${port}/`,
      setHost: false,
    }).end()
    const [incoming] = await once(outgoing, 'response')
    return text(incoming)
  }
  for (const port of [lab.edge.tunnelAddress.port, Number(egress.connectAddress.split(':')[1]), api.port]) {
    assert.match(await ask(port), /ProxyError: proxy_loop_detected/)
  }
  takeBack()
  assert.match(await ask(api.port), /ProxyError: destination_ip_prohibited/)
})

test(
  'edge: connectors are told before it goes, and serve the calls under way until it has gone',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using lab = await Lab.open(t)
    const port = await lab.serve(createServer((socket) => void socket.pipe(socket)))
    const { socket } = await lab.connect(`db.internal:${port}`)
    const drained = lab.edge.drain()
    await lab.connector.leaving
    socket.write('still served')
    assert.equal(String((await once(socket, 'data'))[0]), 'still served')
    assert.equal(lab.edge.connections(lab.tunnelId)[0]?.accepting, true)
    await assert.rejects(join1(await lab.edge.tunnelToken(lab.tunnelId)), (error) =>
      HawserError.is(error, 'edge_unreachable'),
    )
    socket.destroy()
    await drained
    await lab.edge.close(0)
    assert.equal(await lab.connector.closed, undefined)
  },
)

test('edge: what a connector was asked to do reaches it, and when it came and went is kept', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const { tunnelActivity, tunnelConfigurations } = lab.edge.directory
  while ((await tunnelActivity.get(lab.tunnelId)) === undefined) await new Promise(setImmediate)
  await tunnelConfigurations.put(lab.tunnelId, { deny: ['10.0.0.0/8'] })
  await lab.edge.configureTunnel(lab.tunnelId)
  await lab.connector.close(0)
  while ((await tunnelActivity.get(lab.tunnelId))?.inactiveAt === undefined) await new Promise(setImmediate)
})

test('edge: a second start on the same data keeps id and tokens; two at once are refused', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const dataDir = join(await temporaryFolder(t), 'data')
  const options = { dataDir, tunnel: ANY, logger: silentLogger, advertise: ['edge.example.com:7844'] }
  const first = await startEdge(options)
  const { id } = await first.directory.tunnels.create({ name: 'lab' })
  const token = await first.tunnelToken(id)
  await assert.rejects(
    startEdge(options),
    (error) => HawserError.is(error, 'storage_failed') && error.message.includes(dataDir),
  )
  await first.close()
  await using second = await startEdge(options)
  assert.equal(second.id, first.id)
  assert.equal((await second.tunnelToken(id)).reveal(), token.reveal())
  assert.deepEqual(parseTunnelToken(token.reveal()).edges, ['edge.example.com:7844'])
})

test('edge: a start that fails half way leaves nothing behind', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const taken = createServer()
  taken.listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const dataDir = join(await temporaryFolder(t), 'data')
  const start = (tunnel: typeof ANY): Promise<Edge> => startEdge({ dataDir, tunnel, logger: silentLogger })
  await assert.rejects(start({ host: '127.0.0.1', port }), (error) => HawserError.is(error, 'listen_failed'))
  taken.close()
  await (await start(ANY)).close() // the lock is free again
})

test('edge: closing waits for calls, then refuses everything, and may be asked for twice', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const port = await lab.serve(createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket)))
  const { socket } = await lab.connect(`db.internal:${port}`)
  const closing = lab.edge.close(10_000)
  assert.equal(lab.edge.close(), closing)
  await assert.rejects(openDoors(lab.edge, { kind: 'public' }), (error) => HawserError.is(error, 'listen_failed'))
  socket.end('still here')
  assert.equal(await text(socket), 'still here')
  await closing
  assert.equal(lab.flows[0]?.outcome, 'ok')
  await lab.connector.closed
})

test('edge: draining lets calls finish and takes no new ones, while connectors stay', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const port = await lab.serve(createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket)))
  const { socket } = await lab.connect(`db.internal:${port}`)
  const drained = lab.edge.drain()
  await assert.rejects(openDoors(lab.edge, { kind: 'public' }), (error) => HawserError.is(error, 'listen_failed'))
  socket.end('done')
  assert.equal(await text(socket), 'done')
  await drained
  assert.equal(lab.edge.connections(lab.tunnelId).length, 1)
  await lab.edge.close()
  await lab.edge.closed
})

test('edge: abort ends what is under way at once', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const port = await lab.serve(createServer((socket) => socket.resume()))
  const { socket } = await lab.connect(`db.internal:${port}`)
  const failed = new Promise((resolve) => socket.once('error', resolve))
  socket.resume()
  await lab.edge.abort(new HawserError('connection_terminated', 'second signal'))
  await failed
  assert.equal(lab.flows[0]?.error?.message, 'second signal')
})

test('edge: garbage on its listeners is refused and logged, and calls go on', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const log = new CapturedLog()
  await using lab = await Lab.open(t, log)
  const port = await lab.serve(createHttpServer((_incoming, outgoing) => outgoing.end('ok')))
  for (const address of [lab.edge.tunnelAddress, parseHostPort(lab.doors.connectAddress, 'door')]) {
    const socket = connect(address)
    socket.on('error', () => {})
    socket.resume()
    socket.write(Buffer.concat([randomBytes(500), Buffer.from('\r\n\r\n')]))
    await new Promise((resolve) => socket.once('close', resolve))
  }
  while (log.at('warn').length < 2) await new Promise(setImmediate)
  assert.equal(log.at('warn').length, 2)
  assert.equal((await lab.fetch(`http://api.internal:${port}/`)).status, 200)
})

test('edge: what it knows of flows can be read', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  await lab.fetch('http://db.internal:1/')
  const port = await lab.serve(createHttpServer((_incoming, outgoing) => outgoing.end('ok')))
  await lab.fetch(`http://api.internal:${port}/`)
  assert.deepEqual(lab.edge.recentFlows(), lab.flows)
  const { ok, failed, bytesReceived } = lab.edge.counters
  assert.deepEqual([ok, failed, bytesReceived], [1, 1, 2])
})
