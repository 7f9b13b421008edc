/** The module behind a `vpc_networks` binding: what a Worker sees as `env.MY_VPC`. */
import { parseAddress } from './address.ts'
import { failureOf } from './doors.ts'
import type { Doors } from './doors.ts'
import { openLimited } from './give-up.ts'
import { PROXY_FAILURES, proxyError } from './proxy-error.ts'
import { parseBindingOptions } from './socket-options.ts'
import { awaitableSocket } from './socket.ts'
import type { OpeningSocket } from './socket.ts'

/** The options of `connect()`: the native ones, and how to give it up. */
export interface VpcSocketOptions extends Partial<SocketOptions> {
  /** Aborting it ends the connection, before it has opened and after. */
  signal?: AbortSignal
  /** How long it may take to open, the TLS handshake of `secureTransport: 'on'` included. No limit unless given. */
  timeoutMs?: number
}

/** Not a native Fetcher: that one could neither throw what the edge says nor hide the doors behind it. */
class VpcNetwork {
  readonly #doors: Doors

  constructor(doors: Doors) {
    this.#doors = doors
  }

  /**
   * V-080 to V-086. The native `fetch()` does it all, redirects through this same binding included; relative URLs are
   * its own TypeError. What the edge could not deliver is thrown (V-037), what the target answers is a Response (V-083).
   */
  async fetch(resource: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const response = await this.#doors.EDGE_FETCH.fetch(resource, init)
    const failure = await failureOf(response)
    if (failure !== undefined) throw proxyError(failure)
    return response
  }

  /** V-090 to V-096. Bad arguments throw at once; a failed connection rejects (V-094). */
  connect(address: SocketAddress | string, options?: VpcSocketOptions): OpeningSocket {
    const destination = parseAddress(address)
    const checked = parseBindingOptions(options)
    const plan = { doors: this.#doors, destination, options: checked.native, failures: PROXY_FAILURES }
    return awaitableSocket(openLimited(plan, checked))
  }

  get [Symbol.toStringTag](): string {
    return 'Fetcher' // the type that wrangler generates for the binding (V-023)
  }
}

/** What workerd calls to make the value of the binding. */
export default function vpcNetwork(doors: Doors): VpcNetwork {
  return new VpcNetwork(doors)
}
