import process from 'node:process'
import { Duplex } from 'node:stream'
import { openConnection } from 'hawser:runtime'
import type { OpenConnection } from 'hawser:runtime'
import { codedError, invalidType, notImplemented } from './node-errors.ts'
import { checkIdentity, SecureContext, VerifiedPeer } from './secure-context.ts'
import type { TlsOptions } from './secure-context.ts'
import { Socket } from './shared-socket.ts'
import { checkTlsOptions, servernameOf } from './tls-options.ts'

/** Refused, not tolerated: workerd's own would report such a connection as authorized and send in clear (S-291). */
function checkWrapped(stream: unknown): Socket | undefined {
  if (stream === undefined || stream === null) return undefined
  if (stream instanceof Socket) return stream
  if (stream instanceof Duplex) {
    throw notImplemented('socket', ' for streams other than those of net.connect(): TLS is done by the host')
  }
  throw invalidType('"duplex" argument', 'an stream.Duplex', stream)
}

function missing(method: string): Error {
  return codedError(Error, 'ERR_METHOD_NOT_IMPLEMENTED', `The ${method} method is not implemented`)
}

/**
 * `tls.TLSSocket` of a connection that the host encrypts, from its start or from an upgrade on (S-285 to S-290). What it
 * says of itself is true only once the handshake is over, and then the certificate has been verified.
 */
export class TLSSocket extends Socket {
  readonly encrypted = true
  /** Whether the edge has verified the certificate; without that there is no `secureConnect`. */
  authorized = false
  /** What it, or the driver's own check, had against it. */
  authorizationError: Error | null = null
  /** Nothing is ever negotiated. */
  readonly alpnProtocol = false
  /** Until the handshake is over. */
  secureConnecting = true
  /** As it was given; what is verified without it is the host. */
  servername: string | undefined
  /** All that was asked for, that of the secure context included. */
  readonly _tlsOptions: TlsOptions
  readonly #plain: Socket | undefined
  /** Made over a socket that had connected before, which is nothing to announce once more. */
  readonly #late: boolean
  /** What the edge was told to verify. */
  #verifiedName: string | undefined
  #started = false

  /** @throws {TypeError} and others, with Node's codes */
  constructor(socket?: unknown, options: TlsOptions = {}) {
    const plain = checkWrapped(socket)
    const merged = SecureContext.merge(options)
    checkTlsOptions(merged)
    super({
      allowHalfOpen: plain?.allowHalfOpen ?? options['allowHalfOpen'],
      signal: options['signal'],
      highWaterMark: options['highWaterMark'],
    })
    this._tlsOptions = merged
    this.servername = servernameOf(merged)
    this.#plain = plain
    this.#late = plain !== undefined && !plain.pending
    if (plain === undefined) return
    this.connecting = true
    // Either ends with the other, as in Node.js.
    plain.once('close', () => this.destroy())
    this.once('close', () => plain.destroy())
  }

  /** Starts the upgrade of the socket that this one was made of. */
  _start(): void {
    const plain = this.#plain
    if (plain === undefined || this.#started) return
    this.#started = true
    const { servername, _tlsOptions: options } = this
    const { host } = options
    const name = servername ?? (typeof host === 'string' ? host : undefined)
    this._host = plain._host
    this.#verifiedName = name ?? plain._host
    plain._handOver(name).then(
      (connection) => {
        if (this.destroyed) connection.abort(new Error('the socket was destroyed'))
        else this._adopt(connection, plain._host, plain.remotePort, plain.localPort)
      },
      // A connection that failed has said so itself, and this socket ends with it.
      (error: Error) => this.destroy(error),
    )
  }

  /** The handshake is done by the edge, before it says that the connection stands. */
  override _openConnection(hostname: string, port: number): OpenConnection {
    const { servername } = this
    this.#verifiedName = servername ?? this._host
    if (servername === undefined ? hostname === this._host : servername === hostname) {
      return openConnection({ hostname, port }, { secureTransport: 'on', allowHalfOpen: true })
    }
    // The name to verify is not the one to dial: an upgrade is what can tell them apart.
    const clear = openConnection({ hostname, port }, { secureTransport: 'starttls', allowHalfOpen: true })
    const [reader, writer] = [clear.readable.getReader(), clear.writable.getWriter()]
    const options = { expectedServerHostname: servername ?? this._host }
    return clear.startTls(options, { nextRead: () => reader.read(), writer })
  }

  /** Nobody has been told of the connection before this, and nothing has been sent. */
  override _announce(): void {
    const error = checkIdentity(this._tlsOptions, this.#verifiedName ?? '')
    if (error !== undefined) {
      this.destroy(error)
      return
    }
    this.authorized = true
    this.secureConnecting = false
    const events = ['secure', 'secureConnect']
    for (const event of this.#late ? events : ['connect', ...events, 'ready']) if (!this.destroyed) this.emit(event)
  }

  /** As in Node.js, a handshake that failed leaves its reason behind. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.secureConnecting && error !== null) this.authorizationError = error
    super._destroy(error, done)
  }

  /** Which certificate it was, the edge alone knows; that it was verified is all there is to say. */
  getPeerCertificate(): object {
    return this.authorized ? new VerifiedPeer(this.#verifiedName ?? '') : {}
  }

  /** Too late for the handshake, as in Node.js unless called at once. */
  setServername(name: unknown): void {
    if (typeof name !== 'string') throw invalidType('"name" argument', 'of type string', name)
    this.servername = name
  }

  // S-290: not to be had, and an empty answer could be taken for a good one.
  getCertificate(): never {
    throw missing('getCertificate')
  }

  getPeerX509Certificate(): never {
    throw missing('getPeerX509Certificate')
  }

  getX509Certificate(): never {
    throw missing('getX509Certificate')
  }

  setKeyCert(): never {
    throw missing('setKeyCert')
  }

  exportKeyingMaterial(): never {
    throw missing('exportKeyingMaterial')
  }

  enableTrace(): never {
    throw missing('enableTrace')
  }

  // S-290: known to be unknown.
  getProtocol(): null {
    return null
  }

  getCipher(): null {
    return null
  }

  getSession(): null {
    return null
  }

  getFinished(): null {
    return null
  }

  getPeerFinished(): null {
    return null
  }

  getTLSTicket(): null {
    return null
  }

  getEphemeralKeyInfo(): null {
    return null
  }

  getSharedSigalgs(): [] {
    return []
  }

  isSessionReused(): null {
    return null
  }

  // Resumption is between the edge and the target.
  setSession(): void {}

  // It never happens: TLS 1.3 has none, and the edge asks for none.
  disableRenegotiation(): void {}

  renegotiate(_options: unknown, callback?: (error: Error | null) => void): boolean {
    if (callback !== undefined) process.nextTick(callback, missing('renegotiate'))
    return false
  }

  setMaxSendFragment(): boolean {
    return false
  }
}
