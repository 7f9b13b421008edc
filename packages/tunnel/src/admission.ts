import { randomBytes, randomUUID } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { HawserError, Secret } from '@hawser/core'
import type { Logger } from '@hawser/core'
import { EdgeSide } from './connector-connection.ts'
import type { ConnectorConnection } from './connector-connection.ts'
import { parseReport } from './announcements.ts'
import { serveControlStream } from './control-stream.ts'
import type { Operations } from './control-stream.ts'
import { encodeRefusal } from './refusal.ts'
import { parseMessage, readFirstMessage } from './messages.ts'
import type { Message } from './messages.ts'
import { channelBinding, proofMatches, proofOf } from './proof.ts'
import { encodeAccepted, parseRegistration } from './register.ts'
import type { Registration } from './register.ts'
import { MuxSession } from './session.ts'
import type { MuxStream } from './stream.ts'
import type { Arrival } from './tls-listener.ts'

export interface AdmissionOptions {
  readonly edgeId: string
  /** The secret of a tunnel in base64; undefined for one that does not exist. */
  secretOf(tunnelId: string): Promise<Secret | undefined>
  /** Takes a connection that has proved its token. */
  onConnection(connection: ConnectorConnection): void
  /** Told after a connector has reported how things stand. */
  readonly onReport?: ((connection: ConnectorConnection) => void) | undefined
  /** Milliseconds from the TLS handshake to the proof. */
  readonly registerTimeoutMs: number
  /** Connectors that a tunnel may have at once; more are refused (V-132). @default 25 */
  readonly maxConnectors?: number | undefined
  readonly logger: Logger
}

const MAX_CONNECTORS = 25
/** Of one connector: what it may ask for, several times over, since those of a lost network end only when they are missed. */
const MAX_CONNECTIONS = 64

/** Lets connectors in that prove their token, and keeps the connections of those that have. */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #connections = new Set<EdgeSide>()
  /** Stands for the secret of a tunnel that does not exist, so that guessing ids looks just like guessing secrets. */
  readonly #nobody = new Secret(randomBytes(32).toString('base64'))

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Takes a connection of ALPN `hawser/1`: its control stream has to come, and the registration on it. */
  onArrival(arrival: Arrival): void {
    let decided = false
    const decide = (refusal?: HawserError): boolean => {
      if (decided) return false
      decided = true
      clearTimeout(timer)
      if (refusal !== undefined) arrival.refuse(refusal)
      return true
    }
    const refuse = (reason: HawserError): void => {
      if (decide(reason)) session.abort(reason)
    }
    const timer = setTimeout(() => {
      refuse(new HawserError('tunnel_timeout', `no registration within ${this.#options.registerTimeoutMs} ms`))
    }, this.#options.registerTimeoutMs)
    const onControlStream = async (control: MuxStream, message: Buffer): Promise<void> => {
      try {
        const registration = await this.#judge(arrival.socket, message)
        this.#checkRoom(registration)
        if (decide()) this.#serve(arrival, session, control, registration)
      } catch (error) {
        const reason = HawserError.from(error, 'proxy_internal_error')
        if (!decide(reason)) return
        control.sendPreface(encodeRefusal(reason))
        session.end()
      }
    }
    const session = new MuxSession(arrival.socket, {
      role: 'server',
      maxInboundStreams: 1, // the control stream; a connector has no business opening others
      onStream: (stream) => {
        const onMessage = (message: Buffer): void => void onControlStream(stream, message)
        readFirstMessage(stream, { onMessage, onLost: refuse })
      },
    })
    const left = new HawserError('tunnel_closed', 'the connector left before it had registered')
    void session.closed.then((error) => decide(error ?? left))
  }

  /** Tells all connectors to look for another edge. */
  leave(): void {
    for (const connection of this.#connections) connection.leave()
  }

  /** Drains all connections, for at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.close(graceMs)))
  }

  /** @throws {HawserError} `tunnel_auth_failed`, alike for an unknown tunnel and for a wrong proof */
  async #judge(socket: TLSSocket, message: Buffer): Promise<Registration> {
    const registration = parseRegistration(parseMessage(message))
    const { tunnelId, connector, proof } = registration
    const binding = channelBinding(socket)
    const secret = await this.#secretOf(tunnelId)
    const matches = proofMatches(proofOf(secret ?? this.#nobody, binding, tunnelId, connector.id), proof)
    if (matches && secret !== undefined) return registration
    const text = 'the edge does not accept this token: it is for another edge, deleted or replaced'
    throw new HawserError('tunnel_auth_failed', text)
  }

  /**
   * Counts those that take streams: a connector that leaves makes room for the one that replaces it.
   *
   * @throws {HawserError} `tunnel_connector_limit`
   */
  #checkRoom({ tunnelId, connector }: Registration): void {
    const { maxConnectors = MAX_CONNECTORS } = this.#options
    const others = new Set<string>()
    let own = 0
    for (const connection of this.#connections) {
      if (connection.tunnelId !== tunnelId || !connection.accepting) continue
      if (connection.connector.id === connector.id) own += 1
      else others.add(connection.connector.id)
    }
    if (own < MAX_CONNECTIONS && others.size < maxConnectors) return
    const full = own < MAX_CONNECTIONS ? `${maxConnectors} connectors` : `${MAX_CONNECTIONS} connections of this one`
    throw new HawserError('tunnel_connector_limit', `the tunnel has ${full} already, as many as it may`)
  }

  async #secretOf(tunnelId: string): Promise<Secret | undefined> {
    try {
      return await this.#options.secretOf(tunnelId)
    } catch (error) {
      // What the directory says of itself is for the operator, not for a stranger.
      const { code, message: reason } = HawserError.from(error, 'proxy_internal_error')
      this.#options.logger.error('could not look up a tunnel', { tunnel: tunnelId, code, reason })
      throw new HawserError('proxy_internal_error', 'the edge cannot check tokens at the moment')
    }
  }

  #serve(arrival: Arrival, session: MuxSession, control: MuxStream, registration: Registration): void {
    arrival.admit()
    control.sendPreface(encodeAccepted(this.#options.edgeId))
    const connection = new EdgeSide(session, registration, randomUUID(), arrival.remoteAddress)
    connection.control = serveControlStream(
      session,
      control,
      this.#operationsFor(connection),
      (op, { code, message: reason }) => {
        const fields = { tunnel: registration.tunnelId, connector: registration.connector.id, op, code, reason }
        this.#options.logger.warn('a connector refused what it was told', fields)
      },
    )
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
    this.#options.onConnection(connection)
  }

  #operationsFor(connection: EdgeSide): Operations {
    const onReport = (request: Message): Message => {
      connection.report = parseReport(request)
      this.#options.onReport?.(connection)
      return { ok: true }
    }
    return new Map([['report', onReport]])
  }
}
