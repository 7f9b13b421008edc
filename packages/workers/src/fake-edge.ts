/** An edge for tests: the two doors of a binding, and a private network that is a table of names. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { ERROR_HEADER, FLOWS_HOST, parseAuthority, resetStream, Secret, splice } from '@hawser/core'
import type { BindingDoors, BindingHost, BindingIdentity, HostPort } from '@hawser/core'

/** What the fake network does with one `host:port`: forwards to a loopback port, or fails with a code. */
export type Route = { readonly port: number } | { readonly code: string; readonly message?: string }

export interface Call {
  readonly binding: string
  readonly kind: 'fetch' | 'connect'
  readonly door: 'unix' | 'tcp'
  /** `host:port`, or the URL. */
  readonly target: string
  readonly headers: Readonly<Record<string, unknown>>
}

interface OpenBinding {
  readonly identity: BindingIdentity
  readonly capability: string
}

function listen(
  server: Server,
  where: { readonly path: string } | { readonly port: number; readonly host: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => resolve())
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

export class FakeEdge implements BindingHost, AsyncDisposable {
  /** Filled by the test: `host:port` → where it leads. */
  readonly routes: Map<string, Route> = new Map()
  readonly identities: BindingIdentity[] = []
  readonly calls: Call[] = []
  /** Doors opened and not closed. */
  openDoors = 0
  readonly #folder: string
  readonly #tcp: Server
  readonly #sockets: Set<Duplex> = new Set()
  readonly #bindings: Map<string, OpenBinding> = new Map()
  readonly #outcomes: Map<string, object> = new Map()

  private constructor(folder: string) {
    this.#folder = folder
    this.#tcp = createServer()
    this.#tcp.on('connect', (message: IncomingMessage, socket: Socket) => this.#connectByCapability(message, socket))
  }

  static async start(): Promise<FakeEdge> {
    const edge = new FakeEdge(await mkdtemp(join(tmpdir(), 'hawser-fake-edge-')))
    await listen(edge.#tcp, { host: '127.0.0.1', port: 0 })
    return edge
  }

  async openBinding(identity: BindingIdentity): Promise<BindingDoors> {
    const capability = randomBytes(16).toString('hex')
    const binding = { identity, capability }
    this.identities.push(identity)
    this.#bindings.set(capability, binding)
    const server = createServer({ requireHostHeader: false }, (message, response) =>
      this.#fetch(binding, message, response),
    )
    server.on('connect', (message: IncomingMessage, socket: Socket) =>
      this.#connect(binding, 'unix', message.url ?? '', undefined, socket),
    )
    const path = join(this.#folder, `${this.identities.length}.sock`)
    await listen(server, { path })
    this.openDoors += 1
    return {
      fetchSocket: path,
      connectAddress: `127.0.0.1:${(this.#tcp.address() as AddressInfo).port}`,
      capability: new Secret(capability),
      [Symbol.asyncDispose]: async () => {
        this.#bindings.delete(capability)
        await close(server)
        this.openDoors -= 1
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await close(this.#tcp)
    await rm(this.#folder, { recursive: true, force: true })
  }

  #record(binding: OpenBinding, call: Omit<Call, 'binding'>): void {
    this.calls.push({ binding: binding.identity.binding, ...call })
  }

  #fetch(binding: OpenBinding, message: IncomingMessage, response: ServerResponse): void {
    const url = new URL(message.url ?? '', `http://${message.headers.host ?? 'unknown'}`)
    if (url.hostname === FLOWS_HOST) return this.#answerOutcome(url.pathname.slice(1), response)
    this.#record(binding, { kind: 'fetch', door: 'unix', target: url.href, headers: message.headers })
    const route = this.routes.get(`${url.hostname}:${url.port === '' ? '80' : url.port}`)
    if (route === undefined || 'code' in route) return this.#answerFailure(route, response)
    const forward = request(
      {
        host: '127.0.0.1',
        port: route.port,
        method: message.method,
        path: url.pathname + url.search,
        headers: { host: url.host, ...message.headers },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    forward.once('error', () => this.#answerFailure({ code: 'connection_refused' }, response))
    message.pipe(forward)
    return undefined
  }

  #answerOutcome(id: string, response: ServerResponse): void {
    const outcome = this.#outcomes.get(id)
    response.writeHead(outcome === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(outcome ?? {}))
  }

  #answerFailure(
    route: Extract<Route, { code: string }> = { code: 'destination_not_found' },
    response: ServerResponse,
  ): void {
    const failure = {
      code: route.code,
      message: route.message ?? `no way: ${route.code}`,
      flow: `flow-${this.calls.length}`,
    }
    response.writeHead(502, { [ERROR_HEADER]: route.code, 'content-type': 'application/json' })
    response.end(JSON.stringify(failure))
  }

  #connectByCapability(message: IncomingMessage, socket: Socket): void {
    const authority = parseAuthority(message.url ?? '')
    const binding = authority === undefined ? undefined : this.#bindings.get(authority.capability)
    if (authority === undefined || binding === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
      return
    }
    this.#connect(binding, 'tcp', `${authority.host}:${authority.port}`, authority.id, socket)
  }

  #connect(binding: OpenBinding, door: Call['door'], target: string, id: string | undefined, socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    this.#record(binding, { kind: 'connect', door, target, headers: {} })
    const route = this.routes.get(target) ?? { code: 'destination_not_found' }
    const refuse = ({ code, message = `no way: ${code}` }: Extract<Route, { code: string }>): void => {
      if (id !== undefined) this.#outcomes.set(id, { code, message, flow: `flow-${target}` })
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
    }
    if ('code' in route) return refuse(route)
    return this.#dial({ host: '127.0.0.1', port: route.port }, socket, () => refuse({ code: 'connection_refused' }))
  }

  #dial({ host, port }: HostPort, socket: Socket, refused: () => void): void {
    const origin = connect({ host, port, allowHalfOpen: true })
    this.#sockets.add(origin)
    origin.once('close', () => this.#sockets.delete(origin))
    origin.once('error', refused)
    origin.once('connect', () => {
      origin.off('error', refused)
      socket.allowHalfOpen = true
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      splice(socket, origin, { forward: 0, backward: 0 }).catch(() => {
        resetStream(socket)
        resetStream(origin)
      })
    })
  }
}
