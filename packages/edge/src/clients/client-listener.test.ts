import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { createSecureContext } from 'node:tls'
import { HawserError, Secret } from '@hawser/core'
import type { FlowRecord } from '@hawser/core'
import { openDirectory } from '@hawser/directory'
import type { Directory } from '@hawser/directory'
import { publicEgress } from '@hawser/policy'
import { assertNoLeaks, CapturedLog, createAuthority } from '@hawser/testkit'
import type { FlowServices } from '../flow/context.ts'
import { InvocationLimiter } from '../flow/invocation-limiter.ts'
import { FlowRecorder } from '../flow/record.ts'
import { directDialer } from '../direct-dialer.ts'
import { temporaryFolder } from '../storage/temporary-folder.ts'
import { FakeNetwork, TEST_LIMITS } from '../test-site.ts'
import { ClientListener } from './client-listener.ts'
import type { ClientListenerOptions } from './client-listener.ts'

const TIMEOUT = { timeout: 8_000 }
const ALPN = ['hawser-client/1']

/** A listener over a directory in memory; the private network is a table. */
class Lab implements AsyncDisposable {
  readonly log = new CapturedLog()
  readonly flows: FlowRecord[] = []
  readonly network = new FakeNetwork()
  readonly #sockets = new Set<Socket>()
  readonly #owned: AsyncDisposableStack
  readonly directory: Directory
  readonly caPem: string
  listener: ClientListener
  clientId = ''
  secret = new Secret('')

  private constructor(owned: AsyncDisposableStack, directory: Directory, caPem: string, listener: ClientListener) {
    this.#owned = owned
    this.directory = directory
    this.caPem = caPem
    this.listener = listener
  }

  static async open(t: TestContext, options: Partial<ClientListenerOptions> = {}): Promise<Lab> {
    await using opening = new AsyncDisposableStack()
    const file = join(await temporaryFolder(t), 'directory.sqlite')
    const directory = opening.use(await openDirectory({ file, key: Buffer.alloc(32, 1) }))
    const authority = await createAuthority()
    const { certPem, keyPem } = await authority.issue({ names: ['edge.hawser'] })
    const lab = new Lab(new AsyncDisposableStack(), directory, authority.caPem, undefined as never)
    lab.listener = await ClientListener.open({
      listen: { host: '127.0.0.1', port: 0 },
      certificate: { certPem, keyPem: new Secret(keyPem) },
      directory,
      services: lab.#services(),
      logger: lab.log,
      ...options,
    })
    opening.defer(() => lab.listener.close(0))
    const { id } = await directory.tunnels.create({ name: 'office' })
    lab.clientId = (await directory.clients.create({ name: 'batch', networks: [id] })).id
    lab.secret = (await directory.clients.secretOf(lab.clientId)) ?? lab.secret
    lab.#owned.use(opening.move())
    return lab
  }

  #services(): FlowServices {
    return {
      logger: this.log,
      egress: publicEgress({ ownListeners: () => [] }),
      relaxed: new Set(),
      resolve: () => Promise.reject(new HawserError('dns_error', 'no resolver in this test')),
      tunnels: { pick: () => this.network, explain: () => Promise.reject(new Error('unused')) },
      directDialer,
      trust: createSecureContext(),
      invocations: new InvocationLimiter(),
      recorder: new FlowRecorder(this.log, (flow) => this.flows.push(flow)),
      limits: TEST_LIMITS,
    } as FlowServices
  }

  /** A TCP connection. */
  async knock(): Promise<Socket> {
    return this.#keep(connectTcp(this.listener.address), 'connect')
  }

  /** TLS, up to the end of the handshake. */
  async greet(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const tcp = await this.knock()
    const common = { socket: tcp, ca: this.caPem, servername: 'edge.hawser', ALPNProtocols: ALPN }
    const socket = await this.#keep(connectTls({ ...common, ...options }), 'secureConnect')
    await new Promise(setImmediate) // Node 24 crashes where TLS and TCP are destroyed within that event
    return socket
  }

  /** The hello of the docstring of ClientHello, made without a line of the edge's own code. */
  hello(socket: TLSSocket, network = 'office', secret: string = this.secret.reveal()): string {
    const binding = socket.exportKeyingMaterial(32, 'EXPORTER-hawser-client-1', Buffer.alloc(0))
    const hmac = createHmac('sha256', Buffer.from(secret, 'base64')).update(binding)
    const proof = hmac.update(`\0${this.clientId}\0network\0${network}`).digest('base64')
    return `${JSON.stringify({ client: this.clientId, network, proof })}\n`
  }

  /** The lines about refusals, and what they say. */
  refusals(): string[] {
    const lines = this.log.lines.filter(({ message }) => message === 'refused a connection')
    return lines.map(({ fields }) => String(fields['reason']))
  }

  async #keep<T extends Socket>(socket: T, event: string): Promise<T> {
    this.#sockets.add(socket)
    const failed = once(socket, 'error').then(([error]) => Promise.reject(error as Error))
    failed.catch(() => {})
    socket.on('error', () => {})
    await Promise.race([once(socket, event), failed])
    return socket
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.#owned.disposeAsync()
  }
}

/** By an end or by a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().once('close', () => resolve()))
}

const GET = 'GET http://db:80/ HTTP/1.1\r\n\r\n'

test('what is no TLS, no TLS 1.3, or of another protocol gets nowhere, and one line of the log', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\u0016\u0003\u0001\u0000\u0005hello', randomBytes(500)]) {
    const socket = await lab.knock()
    socket.end(garbage)
    await closed(socket)
  }
  assert.equal(lab.refusals().length, 3)
  for (const options of [{ maxVersion: 'TLSv1.2' }, { ALPNProtocols: ['h2', 'http/1.1'] }] as const) {
    await assert.rejects(lab.greet(options as ConnectionOptions))
  }
  const silent = await lab.greet({ ALPNProtocols: undefined as never })
  await closed(silent)
  assert.equal(lab.refusals().length, 6)
  assert.equal(lab.flows.length, 0)
})

test('a connection without a hello, or with one that is none, is told 403 and closed', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  for (const line of [
    GET,
    '\n',
    'null\n',
    '{"client":5}\n',
    `${'x'.repeat(3_000)}\n`,
    '{"client":"a","network":"b"}\n',
  ]) {
    const socket = await lab.greet()
    socket.write(line)
    assert.match(await text(socket), /^HTTP\/1\.1 403 Forbidden\r\nhawser-error: unauthorized\r\n/, line.slice(0, 30))
  }
  assert.equal(lab.refusals().length, 6)
  assert.ok(!JSON.stringify(lab.log.lines).includes('xxxx'))
})

test('who says nothing is dropped after a while', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t, { helloTimeoutMs: 40 })
  const quiet = await lab.knock()
  await closed(quiet)
  const greeted = await lab.greet()
  assert.match(await text(greeted), /hawser-error: connection_read_timeout/)
})

test('strangers have a limit of their own', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t, { maxStrangers: 1 })
  const first = await lab.greet()
  const second = await lab.knock()
  await closed(second)
  assert.deepEqual(lab.refusals(), ['too many connections without a hello'])
  first.write(lab.hello(first) + GET)
  assert.match(await text(first.on('data', () => first.end())), /^HTTP\/1\.1 502 .*\r\nhawser-error: dns_error/)
  await lab.greet() // the first is a stranger no more
})

test('a proof is worth nothing on another connection, for another target, or of another secret', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const other = await lab.greet()
  const vault = await lab.directory.tunnels.create({ name: 'vault' })
  for (const make of [
    () => lab.hello(other),
    (socket: TLSSocket) => lab.hello(socket, 'office', randomBytes(32).toString('base64')),
    (socket: TLSSocket) => lab.hello(socket).replace('"office"', '"vault"'),
    (socket: TLSSocket) => lab.hello(socket, 'vault'),
    (socket: TLSSocket) => lab.hello(socket, vault.id),
  ]) {
    const socket = await lab.greet()
    socket.write(make(socket) + GET)
    assert.match(await text(socket), /^HTTP\/1\.1 403 Forbidden\r\nhawser-error: unauthorized\r\n/)
  }
  assert.equal(lab.refusals().length, 5)
  assert.equal(lab.network.dialed.length, 0)
})

test('the hello may come in pieces, and what is behind it is taken as HTTP', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const socket = await lab.greet()
  const all = `${lab.hello(socket)}${GET}`
  for (const piece of all.match(/[^]{1,40}/g) ?? []) {
    socket.write(piece)
    await new Promise(setImmediate)
  }
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(String(answer), /^HTTP\/1\.1 502 .*\r\nhawser-error: dns_error/)
  assert.equal(lab.network.dialed[0]?.host, 'db')
})

test('a CONNECT or a URL of an unknown form is refused without a flow', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  for (const request of [
    'CONNECT db:5432 HTTP/1.1\r\n\r\n',
    'CONNECT db.x-1.hawser:5432 HTTP/1.1\r\n\r\n',
    'CONNECT db.c-1.hawser:70000 HTTP/1.1\r\n\r\n',
    'GET /path HTTP/1.1\r\n\r\n',
  ]) {
    const socket = await lab.greet()
    socket.write(lab.hello(socket) + request)
    assert.match(
      await text(socket),
      /^HTTP\/1\.1 502 Bad Gateway\r\nhawser-error: (?:address_invalid|http_request_error)/,
    )
  }
  assert.equal(lab.flows.length, 0)
})

test('a flow that breaks while its end goes out to the client leaves nothing open', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const [near, far] = duplexPair()
  lab.network.dial = () => Promise.resolve({ stream: near, remoteAddress: '10.0.0.1:5432', connectorId: 'one' })
  const socket = await lab.greet()
  socket.write(`${lab.hello(socket)}CONNECT db.c-1.hawser:5432 HTTP/1.1\r\n\r\n`)
  await once(socket, 'data')
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate) // the edge is told that its answer has left
  // In the turn of the end itself: the kernel has been asked for it, and Node not yet told that it is out.
  near.once('end', () => process.nextTick(() => near.destroy(new Error('cut'))))
  far.end()
  await closed(socket)
  assert.equal(lab.flows[0]?.error?.code, 'connection_terminated')
})

test('a closed listener takes nobody, and closes twice', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  const stranger = await lab.greet()
  const gone = closed(stranger)
  await Promise.all([lab.listener.close(0), lab.listener.close(0)])
  await gone
  await assert.rejects(lab.knock(), { code: 'ECONNREFUSED' })
})

test('an address in use is a coded error', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await Lab.open(t)
  await assert.rejects(Lab.open(t, { listen: lab.listener.address }), { code: 'listen_failed' })
})
