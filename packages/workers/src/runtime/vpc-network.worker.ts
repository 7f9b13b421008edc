/** The module behind a `vpc_networks` binding: what a Worker sees as `env.MY_VPC`. */
import { parseAddress } from './address.ts'
import { dial, failureOf } from './doors.ts'
import type { Doors, FlowFailure } from './doors.ts'
import { parseConnectOptions } from './socket-options.ts'
import { awaitableSocket, follow } from './socket.ts'
import type { OpeningSocket } from './socket.ts'

/** An error whose text reads `ProxyError: <code>` (V-039), with the code and the flow's id as properties. */
function proxyError({ code, message, flow }: FlowFailure): Error {
  return Object.assign(new Error(`ProxyError: ${code}`, { cause: new Error(message) }), { code, flow })
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
  connect(address: SocketAddress | string, options?: SocketOptions): OpeningSocket {
    const destination = parseAddress(address)
    const { secureTransport, native } = parseConnectOptions(options)
    return awaitableSocket(follow(dial(this.#doors, destination, native), destination, secureTransport, proxyError))
  }

  get [Symbol.toStringTag](): string {
    return 'Fetcher' // the type that wrangler generates for the binding (V-023)
  }
}

/** What workerd calls to make the value of the binding. */
export default function vpcNetwork(doors: Doors): VpcNetwork {
  return new VpcNetwork(doors)
}
