import { parseAddress } from '../address.ts'
import type { SocketAddress } from '../address.ts'
import { planFor } from '../connect.ts'
import type { SocketOptions } from '../options.ts'
import type { Route } from '../route.ts'
import { openAwaitableSocket } from '../socket.ts'
import type { AwaitableSocket } from '../socket.ts'
import { parseClientToken } from './client-token.ts'
import { EdgeAgent } from './edge-agent.ts'
import { EdgeDispatcher } from './edge-dispatcher.ts'
import { EdgeLink } from './edge-link.ts'
import type { LinkTarget } from './edge-link.ts'
import { edgeRoute } from './edge-route.ts'
import { vpcFetch } from './vpc-fetch.ts'
import type { VpcRequestInit } from './vpc-fetch.ts'

/** Which edge, and as whom. */
export interface EdgeAccess {
  /** `host:port` of the edge's listener for clients. @default the first that the token names */
  readonly edge?: string | undefined
  /** What `hawser client token` prints. It proves who calls, and holds what the edge is known by. */
  readonly token: string
}

export interface VpcNetworkOptions extends EdgeAccess {
  /** Id or name of the tunnel whose network is meant. */
  readonly network: string
}

export interface VpcServiceOptions extends EdgeAccess {
  /** Id or name of the VPC Service. */
  readonly service: string
}

/** What a `vpc_networks` or `vpc_services` binding is in a Worker. */
export interface VpcBinding extends AsyncDisposable {
  /**
   * As the global `fetch()`, into the private network. What the edge could not deliver is thrown as `ProxyError: <code>`, with
   * `code`, `cause` and `flow`; what the target answers is a Response.
   */
  fetch(input: string | URL | Request, init?: VpcRequestInit): Promise<Response>
  /**
   * As `connect()`, into the private network. The socket can be awaited too.
   *
   * @throws {TypeError} for a wrong address or option; all else shows in `opened`
   */
  connect(address: string | SocketAddress, options?: SocketOptions): AwaitableSocket
  /** Closes the idle connections that requests have left. Requests and sockets under way are not touched. */
  close(): Promise<void>
}

/**
 * All that the connectors of one tunnel reach, through an edge.
 *
 * @throws {TypeError} naming the option; `token_invalid` as the code of a token that is none
 */
export function vpcNetwork(options: VpcNetworkOptions): VpcBinding {
  return bindingOf(options, 'network', options.network)
}

/**
 * One VPC Service, through an edge: the registered host and port are where every call goes, whatever address it names.
 *
 * @throws {TypeError} as {@link vpcNetwork}
 */
export function vpcService(options: VpcServiceOptions): VpcBinding {
  return bindingOf(options, 'service', options.service)
}

class EdgeBinding implements VpcBinding {
  readonly #route: Route
  readonly #agent: EdgeAgent
  readonly #dispatcher: EdgeDispatcher

  constructor(link: EdgeLink) {
    this.#route = edgeRoute(link)
    this.#agent = new EdgeAgent(link)
    this.#dispatcher = new EdgeDispatcher(this.#agent, link.edge)
  }

  fetch(input: string | URL | Request, init?: VpcRequestInit): Promise<Response> {
    return vpcFetch(this.#dispatcher, input, init)
  }

  connect(address: string | SocketAddress, options?: SocketOptions): AwaitableSocket {
    return openAwaitableSocket(planFor(this.#route, address, options))
  }

  async close(): Promise<void> {
    for (const sockets of Object.values(this.#agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function bindingOf(options: EdgeAccess, kind: LinkTarget['kind'], name: unknown): VpcBinding {
  const unknown = Object.keys(options).find((key) => key !== 'edge' && key !== 'token' && key !== kind)
  if (unknown !== undefined) throw new TypeError(`${unknown}: no such option; there are edge, token, ${kind}`)
  if (typeof name !== 'string' || name === '')
    throw new TypeError(`${kind}: expected an id or a name, got ${String(name)}`)
  const token = parseClientToken(options.token)
  const text = options.edge ?? token.edges[0]
  if (text === undefined) throw new TypeError('edge: required, for the token names none')
  return new EdgeBinding(new EdgeLink(edgeAddress(text), token, { kind, name }))
}

function edgeAddress(text: string): { text: string; host: string; port: number } {
  try {
    const { host, port } = parseAddress(text)
    if (host !== undefined && port > 0) return { text, host, port }
  } catch {
    // Said below, naming the option.
  }
  throw new TypeError(`edge: expected host:port, got ${JSON.stringify(text)}`)
}
