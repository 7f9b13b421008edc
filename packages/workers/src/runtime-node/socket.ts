import type { Buffer } from 'node:buffer'
import process from 'node:process'
import { addAbortSignal } from 'node:stream'
import { openConnection } from 'hawser:runtime'
import type { OpenConnection } from 'hawser:runtime'
import { checkSocketOptions, normalizeArguments, parseTarget } from './connect-arguments.ts'
import type { ConnectOptions, ConnectTarget } from './connect-arguments.ts'
import { nativeNet } from './native-modules.ts'
import { codedError, connectError, endedByPeerError, lostError } from './node-errors.ts'
import { asOnRead, deliver } from './on-read.ts'
import type { OnRead } from './on-read.ts'
import { TimedDuplex } from './timed-duplex.ts'
import { Transport } from './transport.ts'

type Done = (error?: Error | null) => void

/** A write that waits for the connection. */
interface EarlyWrite {
  readonly send: (transport: Transport) => Promise<void>
  readonly size: number
  readonly done: Done
}

/** Where a connection seems to come from (S-277): there is no such address, and no two have the same port for a while. */
const LOCAL_ADDRESS = '240.1.0.1'
const FIRST_LOCAL_PORT = 49_152
let connections = 0

function nextLocalPort(): number {
  connections += 1
  return FIRST_LOCAL_PORT + (connections % (65_536 - FIRST_LOCAL_PORT))
}

function familyOf(address: string | undefined): 'IPv4' | 'IPv6' | undefined {
  const family = nativeNet.isIP(address ?? '')
  return family === 0 ? undefined : family === 4 ? 'IPv4' : 'IPv6'
}

/**
 * `net.Socket` over a connection through the edge, in the place of workerd's own. Methods, events and their order are those
 * of Node.js, and of workerd where it differs (S-270 to S-279).
 *
 * Names that begin with `_` are for `TLSSocket`, or have that name in Node.js and are used by drivers.
 */
export class Socket extends TimedDuplex {
  /** Until the connection stands, with TLS until the handshake is over. */
  connecting = false
  /** The host that was asked for. */
  _host: string | undefined
  /** Of the last `connect()`; undefined for a socket made by an upgrade. */
  #target: ConnectTarget | undefined
  /** Its host, or what a `lookup` of the caller's made of that. */
  #address: string | undefined
  /** From the start of a connection on, until it is handed over or reset. */
  #transport: Transport | undefined
  #localPort: number | undefined
  #remotePort: number | undefined
  #opened = false
  /** Whether a loop of reads is under way; there is never more than one. */
  #reading = false
  /** The stream has asked for more than it has got. */
  #wantsRead = false
  #early: EarlyWrite | undefined
  #bytesRead = 0
  #bytesDispatched = 0
  /** Told when all that was written has left. */
  #flushed: (() => void) | undefined
  /** What waits until this socket has stopped connecting; events will not do, for whoever uses it may remove listeners. */
  readonly #afterOpening: (() => void)[] = []
  /** From the moment on at which the other end has nothing more to say in clear. */
  #upgrading = false
  /** It had. */
  #clearBytes = false
  readonly #onRead: OnRead | undefined

  /** @throws {TypeError} and others, with Node's codes (S-278) */
  constructor(options: ConnectOptions = {}) {
    checkSocketOptions(options)
    const { allowHalfOpen, signal, onread, readableHighWaterMark, writableHighWaterMark, highWaterMark } = options
    super({
      allowHalfOpen: Boolean(allowHalfOpen),
      emitClose: false, // ours says whether there was an error
      ...(highWaterMark === undefined ? {} : { highWaterMark: highWaterMark as number }),
      ...(readableHighWaterMark === undefined ? {} : { readableHighWaterMark: readableHighWaterMark as number }),
      ...(writableHighWaterMark === undefined ? {} : { writableHighWaterMark: writableHighWaterMark as number }),
    })
    this.#onRead = asOnRead(onread)
    if (signal instanceof AbortSignal) addAbortSignal(signal, this)
    this.on('end', this.#onEnd)
  }

  /** Takes the arguments of `net.connect()`. Emits `connect` and `ready`, or `error` and `close`. */
  connect(...args: unknown[]): this {
    const [options, callback] = normalizeArguments(args)
    const target = parseTarget(options)
    if (this.destroyed) this.#revive()
    else if (this.connecting || this.#transport !== undefined) {
      const message = `connect EISCONN ${target.host}:${target.port}: this socket has been connected`
      process.nextTick(() => this.destroy(codedError(Error, 'EISCONN', message)))
      return this
    }
    if (callback !== undefined) this.once('connect', callback)
    this.#target = target
    this._host = target.host
    this.connecting = true
    this._idle.refresh()
    const { lookup, host } = target
    if (lookup === undefined || nativeNet.isIP(host) !== 0) this.#open(host)
    else this.#resolve(lookup, target)
    return this
  }

  /** Starts the connection itself; another kind of socket opens another kind. */
  _openConnection(hostname: string, port: number): OpenConnection {
    return openConnection({ hostname, port }, { secureTransport: 'starttls', allowHalfOpen: true })
  }

  /** The connection stands. Each listener may end it. */
  _announce(): void {
    for (const event of ['connect', 'ready']) if (!this.destroyed) this.emit(event)
  }

  /**
   * Gives this socket the connection to be one of.
   *
   * @param localPort of the socket that had it before: drivers know an upgraded one by it
   */
  _adopt(connection: OpenConnection, host: string | undefined, port: number | undefined, localPort?: number): void {
    const transport = new Transport(connection)
    this.#transport = transport
    this.#remotePort = port
    this.#localPort = localPort
    this.connecting = true
    connection.opened.then(
      () => this.#onOpen(transport),
      (reason: unknown) => this.#onFailed(transport, connectError(reason, host ?? '', port ?? 0)),
    )
  }

  /**
   * Lets a TLS connection take the place of this one's, after everything written to it has left in clear. Rejects when
   * bytes have arrived that nobody has read: they were sent in clear, and are no part of what comes after.
   */
  async _handOver(servername: string | undefined): Promise<OpenConnection> {
    this.#upgrading = true
    if (this.connecting) await new Promise<void>((resolve) => this.#afterOpening.push(resolve))
    if (this.writableLength > 0) await new Promise<void>((resolve) => (this.#flushed = resolve))
    const transport = this.#transport
    if (transport === undefined || this.destroyed) {
      throw codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed')
    }
    if (this.readableLength > 0 || this.#clearBytes) {
      const message = 'the server sent bytes in clear before the TLS handshake, and nobody had read them'
      throw codedError(Error, 'EPROTO', message)
    }
    const connection = transport.startTls(servername)
    this.#transport = undefined
    this._idle.stop()
    return connection
  }

  /** S-279: the caller knows names that the edge does not. */
  #resolve(lookup: NonNullable<ConnectTarget['lookup']>, { host, family, hints, port }: ConnectTarget): void {
    const options = { family, ...(hints === undefined ? {} : { hints }) }
    lookup(host, options, (error, found, foundFamily) => {
      const address = Array.isArray(found) ? found[0]?.address : found
      this.emit('lookup', error, address, foundFamily, host)
      if (this.destroyed || !this.connecting) return
      if (error === null || error === undefined) this.#open(address ?? host)
      else this.destroy(Object.assign(error, { host, port }))
    })
  }

  #open(address: string): void {
    const { port = 0 } = this.#target ?? {}
    this.#address = address
    process.nextTick(() => {
      if (this.connecting) this.emit('connectionAttempt', address, port, nativeNet.isIP(address))
    })
    const hostname = nativeNet.isIP(address) === 6 ? `[${address}]` : address
    try {
      if (!/^[A-Za-z0-9._:[\]-]+$/.test(hostname)) throw new TypeError('Specified address could not be parsed.')
      this._adopt(this._openConnection(hostname, port), address, port)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      process.nextTick(() => this.destroy(error)) // in Node.js an address that is none is an event (S-278)
    }
  }

  /** A connection that has been given up meanwhile has nothing more to say, here and in {@link #onFailed}. */
  #onOpen(transport: Transport): void {
    if (transport !== this.#transport || this.destroyed) return
    this.connecting = false
    this.#opened = true
    this.#localPort ??= nextLocalPort()
    this._idle.refresh()
    this._announce()
    if (this.destroyed) return
    const early = this.#early
    this.#early = undefined
    if (early !== undefined) this.#send(early)
    this.#endOpening()
    if (this.#wantsRead) void this.#pull()
    else if (!this.isPaused()) this.read(0) // an end is noticed only by reading
  }

  /** Connected, failed or destroyed: whoever waited looks for himself. */
  #endOpening(): void {
    for (const proceed of this.#afterOpening.splice(0)) proceed()
  }

  #onFailed(transport: Transport, error: Error & { readonly syscall?: string; readonly hostname?: string }): void {
    if (transport !== this.#transport || this.destroyed) return
    if (error.syscall === 'getaddrinfo') {
      this.emit('lookup', error, undefined, undefined, error.hostname)
    } else {
      const address = this.#address ?? ''
      this.emit('connectionAttemptFailed', address, this.#remotePort, nativeNet.isIP(address), error)
    }
    this.destroy(error)
  }

  /** After a socket has been destroyed it may connect once more, as in Node.js. */
  #revive(): void {
    const stream = this as unknown as { _undestroy(): void }
    stream._undestroy()
    this.#transport = undefined
    this.#opened = false
    this.#upgrading = false
    this.#clearBytes = false
    this.#reading = false
    this.#wantsRead = false
    this.#bytesRead = 0
    this.#bytesDispatched = 0
    Reflect.deleteProperty(this, 'write')
  }

  readonly #onEnd = (): void => {
    if (this.allowHalfOpen) return
    // S-274: from here on the stream is being ended, and whoever writes is told why it cannot be.
    this.write = ((_chunk: unknown, encoding: unknown, callback: unknown = encoding): boolean => {
      const error = endedByPeerError()
      if (typeof callback === 'function') process.nextTick(callback as Done, error)
      this.destroy(error)
      return false
    }) as typeof this.write
  }

  /** Called by the stream when there is room; also before there is a connection. */
  override _read(): void {
    this.#wantsRead = true
    if (this.#opened) void this.#pull()
  }

  /** Reads for as long as the stream has room. */
  async #pull(): Promise<void> {
    const transport = this.#transport
    if (this.#reading || transport === undefined) return
    this.#reading = true
    try {
      for (;;) {
        const chunk = await transport.read()
        if (this.destroyed || transport !== this.#transport) return
        this._idle.refresh()
        if (chunk === undefined) break
        if (this.#upgrading) this.#clearBytes = true
        this.#bytesRead += chunk.byteLength
        this.#wantsRead = this.#deliver(chunk)
        // Whoever took the chunk may have handed the connection over.
        if (!this.#wantsRead || transport !== this.#transport) return
      }
      this.push(null)
      this.read(0) // so that `end` comes even if nobody reads on
    } catch (error) {
      if (!this.destroyed && transport === this.#transport) this.destroy(lostError('read', error))
    } finally {
      this.#reading = false
    }
  }

  /** False when there is no room for more. */
  #deliver(chunk: Buffer): boolean {
    if (this.#onRead === undefined) return this.push(chunk)
    deliver(this.#onRead, chunk, this)
    return !this.isPaused()
  }

  override resume(): this {
    super.resume()
    // The stream knows nothing of what went past it, and so would not ask for more.
    if (this.#onRead !== undefined && this.#opened) void this.#pull()
    return this
  }

  /** One chunk; `done` comes when it has left, and so is the backpressure of the connection. */
  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#send({ send: (transport) => transport.write(chunk), size: chunk.byteLength, done })
  }

  /** Everything that has gathered while the last write was under way, or under `cork()`. */
  override _writev(items: readonly { readonly chunk: Buffer }[], done: Done): void {
    const chunks = items.map(({ chunk }) => chunk)
    const size = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)
    this.#send({ send: (transport) => transport.writeAll(chunks), size, done })
  }

  /** The stream has never more than one write under way, so one place for an early one is enough. */
  #send(write: EarlyWrite): void {
    const { send, size, done } = write
    if (this.connecting) {
      this.#early = write
      return
    }
    const transport = this.#transport
    if (transport === undefined) return done(codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'))
    this._idle.refresh()
    send(transport).then(
      () => {
        this._idle.refresh()
        this.#bytesDispatched += size
        done()
        if (this.writableLength === 0) this.#flushed?.()
      },
      (error: unknown) => done(lostError('write', error)),
    )
    return undefined
  }

  /** The end of what is written: half-closes the connection. */
  override _final(done: Done): void {
    if (this.connecting) {
      this.#afterOpening.push(() => this._final(done))
      return
    }
    const transport = this.#transport
    if (transport === undefined || this.destroyed) return done()
    transport.end().then(
      () => done(),
      (error: unknown) => done(lostError('write', error)),
    )
  }

  /**
   * A connection that stands is let go in good order, with what was written (S-275); one that does not is given up at once,
   * for nobody waits for it any more.
   */
  override _destroy(error: Error | null, done: Done): void {
    const transport = this.#transport
    this._idle.stop()
    this.connecting = false
    this.#flushed?.()
    this.#endOpening()
    if (!this.#opened) transport?.connection.abort(error ?? new Error('the socket was destroyed'))
    else if (transport !== undefined) void transport.release()
    const early = this.#early
    this.#early = undefined
    done(error)
    // Behind the `error` that the stream emits in the next tick.
    process.nextTick(() => {
      this.emit('close', error !== null)
      const message = 'Socket closed before connection established'
      early?.done(codedError(Error, 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', message))
    })
  }

  /** Ends the connection with a reset; natively it is a clean end (S-275). */
  resetAndDestroy(): this {
    if (this.connecting) return this.destroy()
    const transport = this.#transport
    if (transport === undefined) return this.destroy(codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'))
    transport.connection.abort(new Error('the socket was reset'))
    this.#transport = undefined // to let it go in good order would be an end
    return this.destroy()
  }

  /** Ends, and destroys once everything has left. Of Node.js, undocumented, and used. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** Not connected yet, or not any more since the last `connect()`. */
  get pending(): boolean {
    return !this.#opened || this.connecting
  }

  /** An old name of `connecting`. */
  get _connecting(): boolean {
    return this.connecting
  }

  /** What can still be done with it. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening'
    if (this.readable && this.writable) return 'open'
    if (this.readable) return 'readOnly'
    return this.writable ? 'writeOnly' : 'closed'
  }

  /** Deprecated in Node.js. */
  get bufferSize(): number | undefined {
    return this.#opened ? this.writableLength : undefined
  }

  /** Of this connection; after its end too. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** What has left and what waits. */
  get bytesWritten(): number | undefined {
    return this.#target === undefined && !this.#opened ? undefined : this.#bytesDispatched + this.writableLength
  }

  /** S-277: the host as it was given, for what it resolves to only the edge knows. */
  get remoteAddress(): string | undefined {
    return this.#isOpen ? (this.#address ?? this._host) : undefined
  }

  get remotePort(): number | undefined {
    return this.#isOpen ? this.#remotePort : undefined
  }

  get remoteFamily(): string | undefined {
    return familyOf(this.remoteAddress)
  }

  /** Looks like one, as natively: the edge has the real one, and drivers only show it. */
  get localAddress(): string | undefined {
    return this.#isOpen ? LOCAL_ADDRESS : undefined
  }

  get localPort(): number | undefined {
    return this.#isOpen ? this.#localPort : undefined
  }

  get localFamily(): string | undefined {
    return familyOf(this.localAddress)
  }

  /** The local end, as in Node.js; empty while there is none. */
  address(): object {
    const { localAddress: address, localPort: port, localFamily: family } = this
    return address === undefined ? {} : { address, family, port }
  }

  get #isOpen(): boolean {
    return this.#opened && !this.destroyed
  }
}
