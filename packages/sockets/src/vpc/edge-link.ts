import { createHmac } from 'node:crypto'
import type { Socket as NodeSocket } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { createSecureContext } from 'node:tls'
import { Wire } from '../wire.ts'
import type { WireEvents } from '../wire.ts'
import type { ClientToken } from './client-token.ts'

/** What is spoken to the listener of an edge for clients. */
const ALPN = 'hawser-client/1'
/** The name in every edge's certificate, whatever address was dialled: trust comes from the CA in the token. */
const SERVER_NAME = 'edge.hawser'
const EXPORTER_LABEL = 'EXPORTER-hawser-client-1'
const EXPORTER_BYTES = 32

/** What calls may reach: all of a tunnel's network, or one VPC Service; by id or name. */
export interface LinkTarget {
  readonly kind: 'network' | 'service'
  readonly name: string
}

/** The way to an edge: where it is, what it is trusted by, and what it is told first on each connection. */
export class EdgeLink {
  /** As written, for messages. */
  readonly edge: string
  readonly #host: string
  readonly #port: number
  readonly #token: ClientToken
  readonly #target: LinkTarget
  readonly #tls: ConnectionOptions
  /** Of the last connection: the next one need not verify the certificate anew. An edge that forgot it asks for all of it. */
  #session: Buffer | undefined

  constructor(
    edge: { readonly text: string; readonly host: string; readonly port: number },
    token: ClientToken,
    target: LinkTarget,
  ) {
    this.edge = edge.text
    this.#host = edge.host
    this.#port = edge.port
    this.#token = token
    this.#target = target
    this.#tls = {
      servername: SERVER_NAME,
      ALPNProtocols: [ALPN],
      rejectUnauthorized: true, // in words, or an environment variable of Node's could turn it off
      minVersion: 'TLSv1.3',
      secureContext: createSecureContext({ ca: token.caPem, minVersion: 'TLSv1.3' }),
    }
  }

  /** A connection of its own to the edge; `wireOpened` comes before the hello, which is the caller's to send. */
  dial(events: WireEvents): Wire {
    const session = this.#session === undefined ? undefined : { session: this.#session }
    return Wire.dial(this.#host, this.#port, { ...this.#tls, ...session }, events)
  }

  /**
   * The line that begins a connection, with its line feed: who calls, and where to. The secret stays here; what goes out is an
   * HMAC over what only the two ends of this one TLS connection know (RFC 8446 section 7.5).
   */
  helloOn(stream: NodeSocket): string {
    stream.on('session', (session: Buffer) => (this.#session = session))
    const { clientId, secret } = this.#token
    const { kind, name } = this.#target
    const binding = (stream as TLSSocket).exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0))
    const proof = createHmac('sha256', secret)
      .update(binding)
      .update(`\0${clientId}\0${kind}\0${name}`)
      .digest('base64')
    return `${JSON.stringify({ client: clientId, [kind]: name, proof })}\n`
  }
}
