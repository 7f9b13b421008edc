import { randomBytes } from 'node:crypto'
import type { Target } from '../address.ts'
import type { SecureTransport } from '../options.ts'
import type { Route } from '../route.ts'
import type { EdgeLink } from './edge-link.ts'
import { EdgeUpgrade } from './edge-upgrade.ts'
import { EdgeWire } from './edge-wire.ts'
import { FlowFailed, proxyError } from './proxy-error.ts'

/** By which the edge is asked to open a connection: as it is, under TLS, or such that it can go over to TLS. */
const OPERATIONS = { off: 'c', on: 's', starttls: 'u' } as const satisfies Record<SecureTransport, string>
const ID_BYTES = 8
/** What a name to verify may consist of: it travels in a request line. */
const NAME = /^[A-Za-z0-9._:[\]-]{1,255}$/

/** Through an edge: TCP from a connector, and TLS by the edge, which trusts what its operator says. */
export function edgeRoute(link: EdgeLink): Route {
  const ids = new WeakMap<object, string>()
  const upgradeFailure = (cause: unknown): Error => proxyError(failureOf(cause, 'tls_protocol_error'))
  const failure = (_target: Target, cause: unknown): Error => proxyError(failureOf(cause, 'edge_unreachable'))
  return {
    dial(target, secureTransport, events) {
      const id = randomBytes(ID_BYTES).toString('hex')
      const request = connectRequest(target.written, OPERATIONS[secureTransport], id, target.port)
      const wire = new EdgeWire(link, request, events)
      ids.set(wire, id)
      return wire
    },
    upgrade(carrier, target, expectedName, events) {
      const id = ids.get(carrier)
      if (!(carrier instanceof EdgeWire) || id === undefined) throw new TypeError('not a connection of this edge')
      const name = expectedName ?? target.written
      if (!NAME.test(name)) {
        process.nextTick(() => events.wireFailed(unsendable()))
        carrier.reset()
        return carrier
      }
      const mark = `POST http://flows.hawser/${id}/upgrade HTTP/1.1\r\nContent-Length: 0\r\n\r\n`
      const requests = { mark, successor: connectRequest(name, 't', id, target.port) }
      return new EdgeUpgrade(link, carrier, requests, events)
    },
    failure,
    writeFailure: failure,
    upgradeFailure,
    timeout: (timeoutMs) =>
      proxyError({ code: 'connection_timeout', message: `the connection was not open within ${timeoutMs} ms` }),
  }
}

function connectRequest(host: string, operation: string, id: string, port: number): string {
  return `CONNECT ${host}.${operation}-${id}.hawser:${port} HTTP/1.1\r\n\r\n`
}

function failureOf(cause: unknown, code: string): FlowFailed {
  if (cause instanceof FlowFailed) return cause
  return new FlowFailed({ code, message: cause instanceof Error ? cause.message : String(cause), cause })
}

function unsendable(): FlowFailed {
  const message = 'no certificate bears the name to verify: it has characters that no host name has'
  return new FlowFailed({ code: 'tls_certificate_error', message })
}
