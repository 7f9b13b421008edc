import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { SecureVersion } from 'node:tls'
import type { TestCertificate } from '@hawser/testkit'
import { pattern } from '../support/streams.ts'
import type { PeerReport } from '../support/peer.ts'

const KEPT_TEXT_BYTES = 65_536

/** Thrown into waits for something that can no longer come. */
export class PeerClosed extends Error {
  override readonly name = 'PeerClosed'
}

/** One accepted connection: what arrived, in which order, and the means to answer. TLS may be put on top at any time. */
export class PeerConnection {
  readonly #raw: Socket
  readonly #events: string[] = ['open']
  readonly #hash = createHash('sha256')
  readonly #waiting = new Set<() => void>()
  #stream: Duplex
  #bytes = 0
  #text = ''
  #clear = ''
  #handshake = ''
  #alpn: readonly string[] = []
  #tls: TLSSocket | undefined
  #disposed = false
  /** What the script does with each chunk, before the next is read. */
  onData: (chunk: Buffer) => void = () => {}
  onEnd: () => void = () => {}

  constructor(raw: Socket) {
    this.#raw = raw
    this.#stream = raw
    raw.on('error', (error: NodeJS.ErrnoException) =>
      this.#note(error.code === 'ECONNRESET' ? 'reset' : `${error.code}`),
    )
    raw.on('close', () => this.#note('close'))
    this.#listen(raw)
  }

  get report(): PeerReport {
    return {
      events: this.#events,
      bytes: this.#bytes,
      text: this.#text,
      sha256: this.#hash.copy().digest('hex'),
      clear: this.#clear,
      handshake: this.#handshake,
      serverName: typeof this.#tls?.servername === 'string' ? this.#tls.servername : undefined,
      protocol: this.#tls?.getProtocol() ?? undefined,
      alpn: this.#alpn,
    }
  }

  get stream(): Duplex {
    return this.#stream
  }

  /** Resolves when `event` has been noted. */
  saw(event: string): Promise<void> {
    return this.#until(() => this.#events.includes(event))
  }

  received(atLeast: number): Promise<void> {
    return this.#until(() => this.#bytes >= atLeast)
  }

  send(data: string | Buffer): boolean {
    return this.#stream.write(data)
  }

  /** As fast as it is taken, for any number of bytes. */
  sendPattern(count: number): void {
    this.#stream.write(pattern(count))
  }

  end(): void {
    this.#stream.end()
  }

  /** FIN without the farewell of TLS. */
  endAbruptly(): void {
    this.#raw.end()
  }

  reset(): void {
    this.#raw.resetAndDestroy()
  }

  pause(): void {
    this.#stream.pause()
    // With TLS, what is paused above must also stop below; the stream between holds no more than its high-water mark.
    this.#raw.pause()
  }

  resume(): void {
    this.#raw.resume()
    this.#stream.resume()
  }

  /**
   * Becomes the server side of TLS from the next byte on. Bytes go through a pair in memory, so that the first byte of the
   * handshake can be looked at.
   */
  startTls(certificate: TestCertificate, maxVersion: SecureVersion = 'TLSv1.3'): void {
    const [inner, outer] = duplexPair()
    this.#raw.removeAllListeners('data').removeAllListeners('end')
    this.#raw.on('data', (chunk: Buffer) => {
      this.#handshake ||= chunk.subarray(0, 1).toString('hex')
      if (!outer.write(chunk)) {
        this.#raw.pause()
        outer.once('drain', () => this.#raw.resume())
      }
    })
    this.#raw.on('end', () => outer.end())
    this.#raw.on('close', () => outer.destroy())
    outer.on('data', (chunk: Buffer) => this.#raw.write(chunk))
    outer.on('end', () => this.#raw.end())
    outer.on('error', () => {})
    const tls = new TLSSocket(inner, {
      isServer: true,
      cert: certificate.certPem,
      key: certificate.keyPem,
      maxVersion,
      ALPNCallback: ({ protocols }) => {
        this.#alpn = protocols
        return protocols[0]
      },
    })
    tls.on('secure', () => this.#note('secure'))
    tls.on('error', () => this.#note('tls-error'))
    this.#tls = tls
    this.#stream = tls
    this.#listen(tls)
  }

  dispose(): void {
    this.#disposed = true
    this.#tls?.destroy()
    this.#raw.destroy()
    this.#wake()
  }

  #listen(stream: Duplex): void {
    stream.on('data', (chunk: Buffer) => {
      this.#take(chunk)
      this.onData(chunk)
    })
    stream.on('end', () => {
      this.#note('end')
      this.onEnd()
    })
  }

  #take(chunk: Buffer): void {
    if (this.#bytes === 0) this.#events.push('data')
    this.#bytes += chunk.length
    this.#hash.update(chunk)
    const kept = (text: string): string => text + chunk.subarray(0, KEPT_TEXT_BYTES - text.length).toString('latin1')
    this.#text = kept(this.#text)
    if (this.#tls === undefined) this.#clear = kept(this.#clear)
    this.#wake()
  }

  #note(event: string): void {
    this.#events.push(event)
    this.#wake()
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      if (this.#disposed) throw new PeerClosed('the peer was closed while this was waited for')
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }
}
