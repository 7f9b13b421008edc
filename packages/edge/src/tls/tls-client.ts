import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls'
import { HawserError } from '@hawser/core'
import type { FlowTls, TlsRule, TlsVerification, StopSignal } from '@hawser/core'
import { SessionCache } from './session-cache.ts'
import { tlsError } from './tls-error.ts'
import { TlsRules } from './tls-rules.ts'
import type { TlsTerms } from './tls-rules.ts'
import { TlsWire } from './tls-wire.ts'

export interface TlsClientOptions {
  readonly rules?: readonly TlsRule[] | undefined
  /** For targets that no rule is for. */
  readonly trust: SecureContext
  /** Whether sessions are resumed. @default true */
  readonly sessions?: boolean | undefined
}

export interface TlsRequest {
  /** The target, by which a rule is found: lower case or canonical, no brackets. */
  readonly host: string
  readonly port: number
  /** What the certificate must be for, unless the rule says otherwise. @default the host */
  readonly name?: string | undefined
  readonly alpn?: readonly string[] | undefined
  /** Where no rule is for the target. @default 'verify_full' */
  readonly verify?: TlsVerification | undefined
  /** For the whole handshake. */
  readonly timeoutMs: number
  readonly signal: StopSignal
}

/** A connection under TLS. */
export interface Secured {
  /** Half-open allowed. A connection that was cut is an error here, and `resetAndDestroy()` resets what lies beneath. */
  readonly stream: Duplex
  readonly tls: FlowTls
}

/** Speaks TLS to the targets of one binding. Nothing else in the edge does a client's handshake with them. */
export class TlsClient {
  readonly #rules: TlsRules
  readonly #sessions: SessionCache | undefined

  /** @throws {HawserError} `config_invalid`, naming the rule that cannot be used */
  constructor({ rules, trust, sessions }: TlsClientOptions) {
    this.#rules = new TlsRules(rules, trust)
    this.#sessions = sessions === false ? undefined : new SessionCache()
  }

  /**
   * A handshake over `raw`, of which this takes ownership: it ends as a connection that has proved itself, or destroyed.
   * Bytes that lie unread in `raw` are part of the handshake.
   *
   * @throws {HawserError} `tls_certificate_error`, `tls_protocol_error`, the reason of the signal
   */
  secure(raw: Duplex, request: TlsRequest): Promise<Secured> {
    const found = this.#rules.for(request.host, request.port)
    const { verify } = request
    const terms = verify === undefined || found.rule !== undefined ? found : { ...found, verify }
    return new Handshake(raw, request, terms, this.#sessions).run()
  }
}

class Handshake {
  readonly #raw: Duplex
  readonly #request: TlsRequest
  readonly #terms: TlsTerms
  /** What the certificate must be for. */
  readonly #name: string
  readonly #sessions: SessionCache | undefined
  readonly #sessionKey: string

  constructor(raw: Duplex, request: TlsRequest, terms: TlsTerms, sessions: SessionCache | undefined) {
    this.#raw = raw
    this.#request = request
    this.#terms = terms
    this.#name = terms.serverName ?? request.name ?? request.host
    this.#sessions = sessions
    const { host, port, alpn = [] } = request
    this.#sessionKey = [terms.rule ?? '', host, port, this.#name, ...alpn].join(' ')
  }

  run(): Promise<Secured> {
    const { signal, timeoutMs } = this.#request
    return new Promise((resolve, reject) => {
      const socket = this.#start()
      let settled = false
      const settle = (error?: HawserError): void => {
        if (settled) return // what happens to the connection later is its owner's
        settled = true
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        if (error === undefined) return resolve({ stream: socket, tls: this.#describe(socket) })
        this.#sessions?.delete(this.#sessionKey) // should the session be at fault, the next call is spared it
        socket.destroy()
        this.#raw.destroy()
        return reject(error)
      }
      const onAbort = (): void => settle(HawserError.from(signal.reason, 'connection_aborted'))
      const timer = setTimeout(() => settle(this.#failed(`no TLS handshake in ${timeoutMs} ms`)), timeoutMs)
      socket.once('secureConnect', () => settle())
      socket.once('close', () => settle(this.#failed('the target hung up in the TLS handshake')))
      // Stays: an error must never go uncaught. Node has judged the certificate by the time it destroys the socket.
      socket.on('error', (error) => settle(tlsError(error, this.#name, hasRejected(socket))))
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #start(): TLSSocket {
    const now = performance.now()
    const known = this.#sessions?.get(this.#sessionKey, now)
    const wire = new TlsWire(this.#raw)
    let secured = false
    // Before the TLS layer's own listener: what that has read by then is all it will ever read.
    wire.once('end', () => {
      if (secured && !wire.farewell) endInError(socket)
    })
    const socket = connect({ ...this.#options(wire), session: known?.session })
    socket.once('secureConnect', () => (secured = true))
    wire.on('error', (error) => socket.destroy(error))
    watchForFarewell(socket, wire)
    socket.resetAndDestroy = () => {
      wire.resetAndDestroy()
      return socket.destroy()
    }
    const { sessions, sessionKey: key } = { sessions: this.#sessions, sessionKey: this.#sessionKey }
    if (sessions !== undefined) {
      // Node hands sessions out only once the certificate has been accepted.
      socket.on('session', (session: Buffer) => {
        sessions.set(key, session, socket.isSessionReused() && known !== undefined ? known.since : now)
      })
    }
    return socket
  }

  #options(wire: TlsWire): ConnectionOptions {
    const { verify, context } = this.#terms
    const { alpn } = this.#request
    const name = this.#name
    return {
      socket: wire,
      host: name, // the name to verify; nothing is looked up where a socket is given
      servername: isIP(name) === 0 ? name : '', // RFC 6066 section 3: no addresses
      secureContext: context,
      rejectUnauthorized: verify !== 'disabled', // in words, or an environment variable of Node's could turn it off
      ...(verify === 'verify_ca' ? { checkServerIdentity: () => undefined } : {}),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    }
  }

  #describe(socket: TLSSocket): FlowTls {
    const { rule } = this.#terms
    return {
      protocol: socket.getProtocol() ?? 'unknown',
      authorized: socket.authorized,
      ...(socket.isSessionReused() ? { resumed: true } : {}),
      ...(rule === undefined ? {} : { rule }),
    }
  }

  #failed(why: string): HawserError {
    return new HawserError('tls_protocol_error', `${this.#name}: ${why}`)
  }
}

/** Node keeps the reason here, null until there is one; its type says otherwise. */
function hasRejected(socket: TLSSocket): boolean {
  const reason: unknown = socket.authorizationError
  return reason !== null && reason !== undefined
}

/** Node tells a farewell and a cut connection alike, as an end; but a farewell is read before the wire has ended. */
function watchForFarewell(socket: TLSSocket, wire: TlsWire): void {
  const push = socket.push.bind(socket)
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null && !wire.readableEnded) wire.farewell = true
    return push(chunk, encoding)
  }
}

/** In place of its end, once all that came before has been read, the socket fails: bytes are missing, and nobody knows how many. */
function endInError(socket: TLSSocket): void {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...args: unknown[]) => boolean
  socket.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'end') return emit(event, ...args)
    socket.destroy(new Error('the TLS connection was cut off without a farewell'))
    return true
  }
}
