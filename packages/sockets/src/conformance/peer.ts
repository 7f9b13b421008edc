import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { CertificateName, Peer, PeerOptions } from './behaviour.ts'

/** PEM texts of one certificate. */
export interface PeerCertificate {
  readonly certPem: string
  readonly keyPem: string
}
export type PeerCertificates = Readonly<Record<CertificateName, PeerCertificate>>

/** What a maker of certificates has to offer (the one of @hawser/testkit does). */
export interface CertificateAuthority {
  readonly caPem: string
  issue(options?: { names?: readonly string[]; notBefore?: Date; notAfter?: Date }): Promise<PeerCertificate>
}

const HOUR_MS = 3_600_000

/** Makes the certificates of peers, and the CA that all of them but `untrusted` come from. */
export async function makeCertificates(
  createAuthority: (name?: string) => Promise<CertificateAuthority>,
): Promise<PeerCertificates & { readonly caPem: string }> {
  const [known, unknown] = [await createAuthority(), await createAuthority('nobody knows me')]
  const yesterday = { notBefore: new Date(Date.now() - 24 * HOUR_MS), notAfter: new Date(Date.now() - HOUR_MS) }
  return {
    caPem: known.caPem,
    good: await known.issue(),
    wrongName: await known.issue({ names: ['wrong.example'] }),
    expired: await known.issue(yesterday),
    untrusted: await unknown.issue(),
  }
}

/** Text kept of what was received; behind that, bytes are only counted. */
const TEXT_LIMIT = 65_536
const TAIL_LIMIT = 64

/** A TCP listener on loopback that takes one connection and does with it what a behaviour says. */
export class ScriptedPeer implements Peer {
  readonly #server: Server
  readonly #certificates: PeerCertificates
  readonly #options: PeerOptions
  readonly #sockets = new Set<Socket>()
  readonly #connection = Promise.withResolvers<Socket>()
  readonly #end = Promise.withResolvers<string>()
  readonly #gone = Promise.withResolvers<string>()
  readonly #handshake = Promise.withResolvers<string>()
  readonly #waiting = new Set<() => void>()
  /** The connection as it is now: TLS once it is upgraded. */
  #current: Socket | undefined
  /** The TCP connection below TLS. */
  #below: Socket | undefined
  #text = ''
  #tail = ''
  #bytes = 0

  private constructor(server: Server, certificates: PeerCertificates, options: PeerOptions) {
    this.#server = server
    this.#certificates = certificates
    this.#options = options
    server.on('connection', (socket) => this.#accept(socket))
    this.#connection.promise.catch(() => {})
  }

  static async listen(certificates: PeerCertificates, options: PeerOptions = {}): Promise<ScriptedPeer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const peer = new ScriptedPeer(server, certificates, options)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return peer
  }

  get port(): number {
    const address = this.#server.address()
    return address === null || typeof address === 'string' ? 0 : address.port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  async accepted(): Promise<void> {
    await this.#connection.promise
  }

  async received(bytes: number): Promise<string> {
    await this.#until(() => this.#bytes >= bytes)
    return this.#text
  }

  async count(bytes: number): Promise<number> {
    await this.#until(() => this.#bytes >= bytes)
    return this.#bytes
  }

  async tail(bytes: number): Promise<string> {
    return this.#tail.slice(-bytes)
  }

  ended(): Promise<string> {
    return this.#end.promise
  }

  async gone(): Promise<string> {
    const socket = await this.#stream()
    void this.#end.promise.then(() => socket.end())
    return this.#gone.promise
  }

  async send(text: string): Promise<void> {
    const socket = await this.#stream()
    await new Promise<void>((resolve) => socket.write(text, () => resolve()))
  }

  async sendMany(bytes: number): Promise<void> {
    const socket = await this.#stream()
    socket.write(Buffer.alloc(bytes, 'x'))
  }

  async end(text?: string): Promise<void> {
    const socket = await this.#stream()
    await new Promise<void>((resolve) => socket.end(text ?? '', () => resolve()))
  }

  async reset(): Promise<void> {
    const socket = await this.#stream()
    const closed = once(socket, 'close')
    const tcp = this.#below ?? socket
    tcp.resetAndDestroy()
    await closed
  }

  async pause(): Promise<void> {
    const socket = await this.#stream()
    socket.pause()
  }

  async resume(): Promise<void> {
    const socket = await this.#stream()
    socket.resume()
  }

  async secured(): Promise<string> {
    return this.#handshake.promise
  }

  async hello(): Promise<{ servername: string | false; alpn: string | false; protocol: string | null }> {
    const socket = await this.#stream()
    if (!(socket instanceof TLSSocket)) throw new Error('no TLS on this peer')
    // The types leave the property out, though the documentation has it.
    const { servername } = socket as unknown as { servername: string | false }
    return { servername, alpn: socket.alpnProtocol ?? false, protocol: socket.getProtocol() }
  }

  /** Drops the connections and the listener. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  async #stream(): Promise<Socket> {
    return this.#current ?? (await this.#connection.promise)
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    if (this.#options.tls !== undefined) return this.#secure(socket, this.#options.tls)
    this.#current = socket
    this.#connection.resolve(socket)
    if (this.#options.startTls === undefined) this.#follow(socket)
    else this.#awaitCommand(socket, this.#options.startTls)
  }

  /** Reads clear text up to the command, answers it, and takes every byte behind it for TLS. */
  #awaitCommand(socket: Socket, { command, reply, certificate }: NonNullable<PeerOptions['startTls']>): void {
    const look = (chunk: Buffer): void => {
      const before = this.#text.length
      const end = (this.#text + chunk.toString('latin1')).indexOf(command)
      const clear = end === -1 ? chunk.length : end + command.length - before
      this.#note(chunk.subarray(0, clear))
      if (end === -1) return
      socket.removeListener('data', look)
      socket.pause()
      if (clear < chunk.length) socket.unshift(chunk.subarray(clear))
      if (reply !== undefined) socket.write(reply)
      this.#secure(socket, certificate)
    }
    socket.on('data', look)
    socket.on('end', () => this.#end.resolve('fin'))
  }

  #secure(plain: Socket, name: CertificateName): void {
    const { certPem, keyPem } = this.#certificates[name]
    // Never listens: it is given the connection, which is how Node upgrades one at the server's end.
    const server = createTlsServer({ cert: certPem, key: keyPem })
    server.once('secureConnection', (socket) => {
      this.#sockets.delete(plain) // it goes with the TLS socket, and must not go before it
      this.#sockets.add(socket)
      this.#follow(socket)
      this.#current = socket
      this.#below = plain
      setImmediate(() => {
        // One that is ended within the event of its handshake would go without a farewell.
        this.#connection.resolve(socket)
        this.#handshake.resolve('secure')
      })
    })
    server.once('tlsClientError', (error) => this.#handshake.resolve(error.message))
    plain.once('close', () => this.#handshake.resolve('closed'))
    server.emit('connection', plain)
  }

  #follow(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#note(chunk)
      if (this.#options.echo === true) socket.write(chunk)
    })
    socket.on('end', () => {
      this.#end.resolve('fin')
      if (this.#options.echo === true) socket.end()
    })
    socket.on('error', () => this.#gone.resolve('reset'))
    socket.on('close', () => this.#gone.resolve('fin'))
  }

  #note(chunk: Buffer): void {
    this.#bytes += chunk.length
    // Latin-1, so that a character is a byte and positions in the text are positions in the stream.
    if (this.#bytes <= TEXT_LIMIT) this.#text += chunk.toString('latin1')
    this.#tail = (this.#tail + chunk.toString('latin1', Math.max(0, chunk.length - TAIL_LIMIT))).slice(-TAIL_LIMIT)
    for (const wake of this.#waiting) wake()
  }

  async #until(met: () => boolean): Promise<void> {
    if (met()) return
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!met()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
    })
  }
}
