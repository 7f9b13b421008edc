/** One open binding on real sockets, and a private network that is a table of names, for tests. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createSecureContext } from 'node:tls'
import { formatHostPort, HawserError } from '@hawser/core'
import type {
  AuthorityOperation,
  BindingIdentity,
  Dialed,
  Dialer,
  DialTarget,
  ErrorCode,
  FlowRecord,
  StopSignal,
} from '@hawser/core'
import { publicEgress } from '@hawser/policy'
import { CapturedLog } from '@hawser/testkit'
import { directDialer } from './direct-dialer.ts'
import { ConnectListener } from './doors/connect-listener.ts'
import { IntruderLog } from './doors/intruder-log.ts'
import { listen } from './doors/listen.ts'
import { OpenBinding } from './doors/open-binding.ts'
import { SocketDir } from './doors/socket-dir.ts'
import type { FlowLimits, FlowServices } from './flow/context.ts'
import { InvocationLimiter } from './flow/invocation-limiter.ts'
import { FlowRecorder } from './flow/record.ts'

export const TUNNEL_ID = '6d1ff0c5-9f3d-4a1e-8f6a-0d6ad0f8c1aa'

export const TEST_LIMITS: FlowLimits = {
  maxOpenFlows: 1_000,
  resolveTimeoutMs: 2_000,
  dialTimeoutMs: 2_000,
  handshakeTimeoutMs: 2_000,
}

/** Where one `host:port` of the fake network leads: a loopback port, or a failure. */
export type FakeRoute = number | ErrorCode

/** Dials what its table says, as a connector would. */
export class FakeNetwork implements Dialer {
  readonly routes: Map<string, FakeRoute> = new Map()
  readonly dialed: DialTarget[] = []
  readonly connector = { id: 'connector-1' }

  async dial(target: DialTarget, signal: StopSignal): Promise<Dialed> {
    this.dialed.push(target)
    const route = this.routes.get(formatHostPort(target))
    if (typeof route === 'string') throw new HawserError(route, 'as the test asked for')
    if (route === undefined) throw new HawserError('dns_error', `${target.host} is not in the table`)
    const { stream } = await directDialer(['127.0.0.1']).dial({ ...target, port: route }, signal)
    return { stream, remoteAddress: `10.0.0.1:${target.port}`, connectorId: this.connector.id }
  }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface TestSiteOptions {
  readonly identity?: Partial<BindingIdentity> | undefined
  readonly services?: Partial<FlowServices> | undefined
}

/** `await using` it, so that all is gone before leaks are looked for. */
export class TestSite implements AsyncDisposable {
  readonly network: FakeNetwork = new FakeNetwork()
  readonly log: CapturedLog
  readonly flows: FlowRecord[] = []
  readonly services: FlowServices
  readonly listener: ConnectListener
  readonly #sockets: SocketDir
  readonly #servers: Server[] = []
  readonly #clients = new Set<Socket>()
  readonly #waiting: (() => void)[] = []
  #binding: OpenBinding | undefined

  private constructor(
    log: CapturedLog,
    listener: ConnectListener,
    sockets: SocketDir,
    services: Partial<FlowServices>,
  ) {
    this.log = log
    this.listener = listener
    this.#sockets = sockets
    const onFlow = (flow: FlowRecord): void => {
      this.flows.push(flow)
      for (const wake of this.#waiting.splice(0)) wake()
    }
    this.services = {
      logger: this.log,
      egress: publicEgress({ ownListeners: () => [listener.address] }),
      resolve: () => Promise.reject(new HawserError('dns_error', 'no resolver in this test')),
      tunnels: {
        pick: (_tunnelId, except) => (except?.has(this.network) === true ? undefined : this.network),
        explain: () => Promise.reject(new Error('unused')),
      },
      directDialer,
      trust: createSecureContext(),
      invocations: new InvocationLimiter(),
      recorder: new FlowRecorder(this.log, onFlow),
      limits: TEST_LIMITS,
      ...services,
    }
  }

  static async open(options: TestSiteOptions = {}): Promise<TestSite> {
    const log = new CapturedLog()
    const listener = await ConnectListener.open(new IntruderLog(log))
    const sockets = await SocketDir.create()
    const site = new TestSite(log, listener, sockets, options.services ?? {})
    site.#binding = await site.openBinding(options.identity)
    return site
  }

  get binding(): OpenBinding {
    if (this.#binding === undefined) throw new Error('not open')
    return this.#binding
  }

  openBinding(identity: Partial<BindingIdentity> = {}): Promise<OpenBinding> {
    return OpenBinding.open({
      identity: { worker: 'shop', binding: 'PRIVATE', network: { kind: 'tunnel', tunnelId: TUNNEL_ID }, ...identity },
      services: this.services,
      listener: this.listener,
      intruders: new IntruderLog(this.log),
      socketPath: this.#sockets.next(),
      onClosed: () => {},
    })
  }

  /** A server on loopback that the fake network reaches as `name:port`. */
  async serve(name: string, onConnection: (socket: Socket) => unknown): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#clients.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => this.#clients.delete(socket))
      void onConnection(socket)
    })
    await this.attach(name, server)
    return server
  }

  /** Gives a server of any kind the name `name:port` in the fake network. */
  async attach(name: string, server: Server): Promise<number> {
    await listen(server, { host: '127.0.0.1', port: 0 }, name)
    this.#servers.push(server)
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    this.network.routes.set(name, port)
    return port
  }

  /** A request as workerd makes it: absolute form over the unix socket, no Host. */
  async fetch(
    method: string,
    url: string,
    headers: Record<string, string> = {},
    body?: Buffer | string,
  ): Promise<Reply> {
    const outgoing = request({ socketPath: this.binding.fetchSocket, method, path: url, headers, setHost: false })
    outgoing.end(body)
    const [incoming] = await once(outgoing, 'response')
    return { status: incoming.statusCode, headers: incoming.headers, body: await buffer(incoming) }
  }

  /** A raw connection to the unix socket, or to the CONNECT listener. */
  async knock(door: 'unix' | 'tcp', binding: OpenBinding = this.binding): Promise<Socket> {
    const where = door === 'unix' ? { path: binding.fetchSocket } : this.listener.address
    const socket = connect({ ...where, allowHalfOpen: true })
    this.#clients.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#clients.delete(socket))
    await once(socket, 'connect')
    return socket
  }

  /** A CONNECT with this binding's capability, up to its answer. The socket is paused. */
  async connect(
    address: string,
    id = 'call1',
    operation: AuthorityOperation = 'c',
  ): Promise<{ readonly status: number; readonly socket: Socket }> {
    const socket = await this.knock('tcp')
    socket.write(`CONNECT ${this.authority(address, id, operation)} HTTP/1.1\r\n\r\n`)
    return { status: await readStatus(socket), socket }
  }

  authority(address: string, id = 'call1', operation: AuthorityOperation = 'c'): string {
    const colon = address.lastIndexOf(':')
    return `${address.slice(0, colon)}.${operation}-${id}-${this.binding.capability.reveal()}.hawser${address.slice(colon)}`
  }

  /** Waits until so many flows have ended. */
  async flowsEnded(count: number): Promise<readonly FlowRecord[]> {
    while (this.flows.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.flows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#clients) socket.destroy()
    await this.#binding?.close(0)
    const listening = this.listener.close()
    this.listener.abort()
    await listening
    for (const server of this.#servers) await new Promise((resolve) => server.close(resolve))
    await this.#sockets[Symbol.asyncDispose]()
  }
}

/** Reads the head of an answer, byte-exactly, and its status; what follows stays in the socket, which is left paused. */
export async function readStatus(socket: Socket): Promise<number> {
  let text = ''
  for (;;) {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`no answer, only ${JSON.stringify(text)}`)
      await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')])
      continue
    }
    text += chunk.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) continue
    const rest = text.slice(end + 4)
    if (rest !== '') socket.unshift(Buffer.from(rest, 'latin1'))
    return Number(text.slice(9, 12))
  }
}
