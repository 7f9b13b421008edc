import type { Socket as NodeSocket } from 'node:net'
import type { Target } from './address.ts'
import { errorWithCause, internalError, refusedText } from './messages.ts'
import type { SecureTransport } from './options.ts'
import type { TlsPolicy } from './tls-rules.ts'
import { Wire } from './wire.ts'
import type { WireEvents } from './wire.ts'

/** What carries one connection, as far as the connection needs to know. See {@link Wire}. */
export interface Carrier {
  readonly stream: NodeSocket
  release(): NodeSocket
  destroy(unread: boolean): void
  reset(): void
}

/** How connections are opened, upgraded to TLS, and said to have failed: directly, or through an edge. */
export interface Route {
  /** Starts to connect; failures of every kind show in the events only, and not within this call. */
  dial(target: Target, secureTransport: SecureTransport, events: WireEvents): Carrier | undefined
  /** Goes over to TLS on a carrier that {@link dial} made for `starttls`, of which it takes ownership. */
  upgrade(carrier: Carrier, target: Target, expectedName: string | undefined, events: WireEvents): Carrier
  /** What a connection fails with that could not be opened; a new error each time (S-060). */
  failure(target: Target, cause: unknown): Error
  /** The same, for writes that waited. */
  writeFailure(target: Target, cause: unknown): Error
  upgradeFailure(cause: unknown): Error
  /** For one that was not open in time. */
  timeout(timeoutMs: number): unknown
}

/** TCP from this process, and TLS by it. */
export function directRoute(tls: TlsPolicy): Route {
  return {
    dial(target, secureTransport, events) {
      if (target.host === undefined) {
        process.nextTick(() => events.wireFailed(unresolvable(target)))
        return undefined
      }
      return Wire.dial(target.host, target.port, secureTransport === 'on' ? tls(target) : undefined, events)
    },
    upgrade: (carrier, target, name, events) => Wire.upgrade(carrier.release(), tls(target, name), events),
    failure: (target, cause) => errorWithCause(refusedText(target.port), cause),
    writeFailure: (target, cause) => errorWithCause(`jsg.Error: ${refusedText(target.port)}`, cause),
    upgradeFailure: internalError,
    timeout: (timeoutMs) => new DOMException(`The connection did not open within ${timeoutMs} ms`, 'TimeoutError'),
  }
}

function unresolvable(target: Target): Error {
  return Object.assign(new Error(`${target.text} holds no host name and no IP address`), { code: 'ENOTFOUND' })
}
