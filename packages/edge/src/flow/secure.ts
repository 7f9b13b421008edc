import type { Duplex } from 'node:stream'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { HawserError } from '@hawser/core'
import { Upstream } from '../http/upstream.ts'
import type { FlowContext } from './context.ts'
import { originKey } from './target.ts'

/**
 * Step 7, secure: TLS to the target, for `https:` URLs, with the name of the URL as SNI and as the name the certificate
 * must bear (V-036). What was dialled becomes an HTTP connection here, if the call is a fetch.
 *
 * @throws {HawserError} `tls_certificate_error`, `tls_protocol_error`, `connection_aborted`
 */
export function secure(context: FlowContext): void | Promise<void> {
  if (context.upstream !== undefined) {
    const { tls } = context.upstream.facts
    if (tls !== undefined) context.flow.tls = tls
    return undefined
  }
  if (context.target.tls) return handshake(context)
  makeUpstream(context)
  return undefined
}

/** A fetch speaks HTTP over what was dialled, and may keep it for the next one. */
function makeUpstream(context: FlowContext): void {
  const { call, flow, dialed, target } = context
  if (call.kind !== 'fetch' || dialed === undefined || flow.route === undefined) return
  const origin = originKey(target.tls, target.host, target.port)
  context.upstream = new Upstream(dialed.stream, { origin, route: flow.route, tls: flow.tls })
  context.dialed = undefined
}

async function handshake(context: FlowContext): Promise<void> {
  const { dialed, flow, target } = context
  if (dialed === undefined) throw new HawserError('proxy_internal_error', 'a step ran before the target was dialled')
  const { handshakeTimeoutMs } = context.services.limits
  const secured = await secureStream(dialed.stream, target.host, context, handshakeTimeoutMs)
  context.dialed = { ...dialed, stream: secured }
  flow.tls = { protocol: secured.getProtocol() ?? 'unknown', authorized: secured.authorized }
  makeUpstream(context)
}

/** Ends with a verified TLS connection over `stream`, or destroys it. */
function secureStream(stream: Duplex, host: string, context: FlowContext, timeoutMs: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: stream,
      host, // the name to verify; nothing is looked up where a socket is given
      servername: isIP(host) === 0 ? host : '', // RFC 6066 section 3: no addresses
      ALPNProtocols: ['http/1.1'],
      secureContext: context.services.trust,
    })
    const settle = (error?: HawserError): void => {
      clearTimeout(timer)
      context.signal.removeEventListener('abort', onAbort)
      socket.off('secureConnect', onSecure)
      if (error === undefined) return resolve(socket)
      socket.destroy()
      stream.destroy()
      return reject(error)
    }
    const onSecure = (): void => settle()
    const onAbort = (): void => settle(HawserError.from(context.signal.reason, 'connection_aborted'))
    const timer = setTimeout(() => {
      settle(new HawserError('tls_protocol_error', `${host}: no TLS handshake in ${timeoutMs} ms`))
    }, timeoutMs)
    context.signal.addEventListener('abort', onAbort, { once: true })
    socket.once('secureConnect', onSecure)
    socket.once('close', () =>
      settle(new HawserError('tls_protocol_error', `${host}: the target hung up in the TLS handshake`)),
    )
    socket.on('error', (error) => settle(tlsError(error, socket, host))) // stays: an error must never go uncaught
  })
}

/** Node has judged the certificate by the time it destroys the socket, and says so there. */
function tlsError(error: Error, socket: TLSSocket, host: string): HawserError {
  const rejected: unknown = socket.authorizationError
  const code = rejected === null || rejected === undefined ? 'tls_protocol_error' : 'tls_certificate_error'
  return new HawserError(code, `${host}: ${error.message}`, { cause: error })
}
