/** An edge for tests: the two doors of a binding, and a private network that is a table of names. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import type { Duplex } from 'node:stream'
import { ERROR_HEADER, FLOWS_HOST, parseAuthority, resetStream, Secret } from '@hawser/core'
import type { AuthorityOperation, BindingDoors, BindingHost, BindingIdentity } from '@hawser/core'
import { FakeUpgrade, join, secure } from './fake-upgrade.ts'

/** What the fake network does with one `host:port`: forwards to a loopback port, fails with a code, or never answers. */
export type Route =
  | { readonly port: number; readonly ca?: string }
  | { readonly code: string; readonly message?: string }
  | { readonly hold: true }

export interface Call {
  readonly binding: string
  readonly kind: 'fetch' | 'connect'
  readonly door: 'unix' | 'tcp'
  /** `host:port`, or the URL. */
  readonly target: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly operation?: AuthorityOperation | undefined
  readonly id?: string | undefined
}

interface OpenBinding {
  readonly identity: BindingIdentity
  readonly capability: string
}

/** One CONNECT. */
interface Attempt {
  readonly door: Call['door']
  readonly host: string
  readonly port: number
  readonly operation?: AuthorityOperation
  readonly id?: string
  readonly socket: Socket
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
  /** What modules asked about their calls, and told of them: `POST /<id>/upgrade`. */
  readonly asked: string[] = []
  /** CONNECTs that were not answered, or were accepted and have not ended. */
  readonly connects: Set<Duplex> = new Set()
  /** Doors opened and not closed. */
  openDoors = 0
  readonly #folder: string
  readonly #tcp: Server
  readonly #sockets: Set<Duplex> = new Set()
  readonly #bindings: Map<string, OpenBinding> = new Map()
  readonly #outcomes: Map<string, object> = new Map()
  readonly #upgrades: Map<string, FakeUpgrade> = new Map()
  readonly #byId: Map<string, Socket[]> = new Map()

  private constructor(folder: string) {
    this.#folder = folder
    this.#tcp = createServer()
    this.#tcp.on('connect', (message: IncomingMessage, socket: Socket) => this.#connectByCapability(message, socket))
  }

  static async start(): Promise<FakeEdge> {
    const edge = new FakeEdge(await mkdtemp(joinPath(tmpdir(), 'hawser-fake-edge-')))
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
    server.on('connect', (message: IncomingMessage, socket: Socket) => {
      const url = message.url ?? ''
      const colon = url.lastIndexOf(':')
      this.#connect(binding, { door: 'unix', host: url.slice(0, colon), port: Number(url.slice(colon + 1)), socket })
    })
    const path = joinPath(this.#folder, `${this.identities.length}.sock`)
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

  #fetch(binding: OpenBinding, message: IncomingMessage, response: ServerResponse): void {
    const url = new URL(message.url ?? '', `http://${message.headers.host ?? 'unknown'}`)
    if (url.hostname === FLOWS_HOST) return this.#answerModule(`${message.method} ${url.pathname}`, response)
    const { identity } = binding
    this.calls.push({
      binding: identity.binding,
      kind: 'fetch',
      door: 'unix',
      target: url.href,
      headers: message.headers,
    })
    const route = this.routes.get(`${url.hostname}:${url.port === '' ? '80' : url.port}`)
    if (route === undefined || !('port' in route)) return this.#answerFailure(route, response)
    const { method } = message
    const path = url.pathname + url.search
    const headers = { host: url.host, ...message.headers }
    const forward = request({ host: '127.0.0.1', port: route.port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    forward.once('error', () => this.#answerFailure({ code: 'connection_refused' }, response))
    message.pipe(forward)
    return undefined
  }

  /** `GET /<id>`, `POST /<id>/upgrade`, `POST /<id>/abort`. */
  #answerModule(asked: string, response: ServerResponse): void {
    this.asked.push(asked)
    const [, id = '', verb] = asked.split('/')
    if (verb === undefined) {
      const outcome = this.#outcomes.get(id)
      response.writeHead(outcome === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(outcome ?? {}))
      return
    }
    const done = verb === 'abort' ? this.#abort(id) : this.#upgrades.get(id)?.announce()
    response.writeHead(done === undefined ? 404 : done ? 204 : 409)
    response.end()
  }

  #abort(id: string): boolean | undefined {
    const sockets = this.#byId.get(id)
    this.#upgrades.get(id)?.abort()
    // One that has been refused a moment ago is ending; the system takes no reset of those.
    for (const socket of sockets ?? []) if (!socket.writableEnded) resetStream(socket)
    return sockets === undefined ? undefined : true
  }

  #answerFailure(route: Route = { code: 'destination_not_found' }, response: ServerResponse): void {
    const code = 'code' in route ? route.code : 'proxy_internal_error'
    const message = ('message' in route ? route.message : undefined) ?? `no way: ${code}`
    response.writeHead(502, { [ERROR_HEADER]: code, 'content-type': 'application/json' })
    response.end(JSON.stringify({ code, message, flow: `flow-${this.calls.length}` }))
  }

  #connectByCapability(message: IncomingMessage, socket: Socket): void {
    const authority = parseAuthority(message.url ?? '')
    const binding = authority === undefined ? undefined : this.#bindings.get(authority.capability)
    if (authority === undefined || binding === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const { host, port, operation, id } = authority
    this.#connect(binding, { door: 'tcp', host, port, operation, id, socket })
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
  }

  #connect({ identity: { binding } }: OpenBinding, attempt: Attempt): void {
    const { door, host, port, operation, id, socket } = attempt
    const target = `${host}:${port}`
    this.#own(socket)
    this.connects.add(socket)
    socket.once('close', () => this.connects.delete(socket))
    this.calls.push({ binding, kind: 'connect', door, target, headers: {}, operation, id })
    if (id !== undefined) this.#byId.set(id, [...(this.#byId.get(id) ?? []), socket])
    const refuse = ({ code, message = `no way: ${code}` }: { code: string; message?: string }): void => {
      if (id !== undefined && !this.#outcomes.has(id)) {
        this.#outcomes.set(id, { code, message, flow: `flow-${target}` })
      }
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
      socket.destroySoon()
      if (operation === 'u') this.#upgradeOf(id).fail({ code, message })
    }
    if (operation === 't') {
      socket.allowHalfOpen = true
      this.#upgradeOf(id).take({ socket, host, refuse })
      return undefined
    }
    const route = this.routes.get(target) ?? { code: 'destination_not_found' }
    if ('code' in route) return refuse(route)
    if ('hold' in route) return undefined
    return this.#dial(attempt, route, refuse)
  }

  /** The two CONNECTs of an upgrade may arrive in either order. */
  #upgradeOf(id = ''): FakeUpgrade {
    const upgrade = this.#upgrades.get(id) ?? new FakeUpgrade()
    this.#upgrades.set(id, upgrade)
    return upgrade
  }

  #dial(
    { operation, id, host, socket }: Attempt,
    { port, ca }: Extract<Route, { port: number }>,
    refuse: (failure: { code: string }) => void,
  ): void {
    const origin = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const refused = (): void => refuse({ code: 'connection_refused' })
    this.#own(origin)
    origin.once('error', refused)
    const accept = (): void => {
      socket.allowHalfOpen = true
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
    }
    origin.once('connect', () => {
      origin.off('error', refused)
      if (operation === 's') {
        secure(origin, host, ca).then((tls) => {
          accept()
          join(socket, tls)
        }, refuse)
        return
      }
      accept()
      if (operation === 'u') this.#upgradeOf(id).start(socket, origin, ca)
      else join(socket, origin)
    })
  }
}
