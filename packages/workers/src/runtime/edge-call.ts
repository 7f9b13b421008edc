import { FLOWS_HOST, formatAuthority } from '@hawser/core/authority'
import type { AuthorityOperation } from '@hawser/core/authority'
import { hasAddressCharacters } from './address.ts'
import type { Destination } from './address.ts'
import { deadSocket } from './dead-socket.ts'
import type { NativeSocket } from './dead-socket.ts'
import { readFailure } from './doors.ts'
import type { Doors, FlowFailure } from './doors.ts'
import type { NativeOptions } from './socket-options.ts'

/** For a call of which the edge knows nothing, or that could not be asked about. */
const UNKNOWN_FAILURE: FlowFailure = {
  code: 'destination_unavailable',
  message: 'the connection could not be opened, and the edge does not say why',
}

/** A plain connection to such a host is possible, but what asks for TLS has no room beside it. */
const TOO_LONG_FOR_TLS: FlowFailure = { code: 'address_invalid', message: 'the host is too long for TLS' }

const NAME_UNSENDABLE: FlowFailure = {
  code: 'tls_certificate_error',
  message: 'no certificate bears the name to verify: it has characters that no host name has',
}

/** Undefined where the authority would be too long. */
function dial(
  doors: Doors,
  id: string,
  operation: AuthorityOperation,
  { host, port }: Destination,
  options: NativeOptions,
): NativeSocket | undefined {
  const authority = formatAuthority({ host, port, operation, id, capability: doors.CAPABILITY })
  if (authority === undefined) return undefined
  // As an object: in text form the native function would parse the authority as a URL, which not every host survives.
  return doors.EDGE_CONNECT.connect({ hostname: authority.slice(0, authority.lastIndexOf(':')), port }, options)
}

/**
 * One call to the edge. Its id and the binding's capability travel in the authority of the CONNECT; by the id the edge can
 * be asked and told about it afterwards, for a failed CONNECT tells nothing.
 */
export class EdgeCall {
  readonly native: NativeSocket
  /** Known from the start for a call that leads nowhere; else the edge knows. */
  readonly failure: FlowFailure | undefined
  readonly #doors: Doors
  /** Undefined for a call that the edge cannot be asked about. */
  readonly #id: string | undefined

  private constructor(doors: Doors, native: NativeSocket, id: string | undefined, failure?: FlowFailure) {
    this.native = native
    this.failure = failure
    this.#doors = doors
    this.#id = id
  }

  /** Starts a connection. `s` is answered after the handshake; `u` can be upgraded later. */
  static open(doors: Doors, operation: 'c' | 's' | 'u', destination: Destination, options: NativeOptions): EdgeCall {
    const id = doors.INVOCATIONS.newCallId()
    const native = dial(doors, id, operation, destination, options)
    if (native !== undefined) return new EdgeCall(doors, native, id)
    if (operation === 's') return EdgeCall.#impossible(doors, TOO_LONG_FOR_TLS)
    // The unix socket identifies the binding too; there a call can neither be named nor carry a reset.
    const { host, port } = destination
    return new EdgeCall(doors, doors.EDGE_FETCH.connect({ hostname: host, port }, options), undefined)
  }

  /** A call that leads nowhere: all its streams do is fail with `reason`. */
  static dead(doors: Doors, reason: unknown, failure = UNKNOWN_FAILURE): EdgeCall {
    return new EdgeCall(doors, deadSocket(reason), undefined, failure)
  }

  static #impossible(doors: Doors, failure: FlowFailure): EdgeCall {
    return EdgeCall.dead(doors, new Error(failure.message), failure)
  }

  /** Starts the second half of `startTls()`: the edge answers once `host` has proved to be at the other end. */
  openUpgrade(destination: Destination, options: NativeOptions): EdgeCall {
    const id = this.#id
    if (!hasAddressCharacters(destination.host)) return EdgeCall.#impossible(this.#doors, NAME_UNSENDABLE)
    const native = id === undefined ? undefined : dial(this.#doors, id, 't', destination, options)
    return native === undefined
      ? EdgeCall.#impossible(this.#doors, TOO_LONG_FOR_TLS)
      : new EdgeCall(this.#doors, native, id)
  }

  /** What became of a connection that was not opened. Never rejects. */
  async explain(): Promise<FlowFailure> {
    if (this.failure !== undefined) return this.failure
    const response = await this.#ask('')
    return response === undefined ? UNKNOWN_FAILURE : readFailure(response, UNKNOWN_FAILURE)
  }

  /** Tells the edge that an upgrade of this connection is under way; undefined once it has agreed. Never rejects. */
  async announceUpgrade(): Promise<FlowFailure | undefined> {
    return (await this.#ask('/upgrade', 'POST')) === undefined ? this.explain() : undefined
  }

  /**
   * Has the edge end the connection at once, whatever state it and its upgrade are in. A native socket that is still opening
   * cannot be let go from this side: its `close()` waits until it has opened (S-132). Never rejects.
   */
  async abandon(): Promise<void> {
    await this.#ask('/abort', 'POST')
  }

  /** Undefined unless the edge said yes. */
  async #ask(path: string, method = 'GET'): Promise<Response | undefined> {
    if (this.#id === undefined) return undefined
    try {
      const response = await this.#doors.EDGE_FETCH.fetch(`http://${FLOWS_HOST}/${this.#id}${path}`, { method })
      if (response.ok) return response
      await response.body?.cancel()
    } catch {
      // An edge that is gone has nothing to say.
    }
    return undefined
  }
}
