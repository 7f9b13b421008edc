import type { HostPort } from '@hawser/core'
import { Admission } from './admission.ts'
import type { AdmissionOptions } from './admission.ts'
import { TlsListener } from './tls-listener.ts'
import type { EdgeCertificate } from './tls-listener.ts'
import { TUNNEL_ALPN } from './transport.ts'

/** What an edge needs to take connectors in. */
export interface TunnelListenerOptions extends EdgeCertificate, Omit<AdmissionOptions, 'registerTimeoutMs'> {
  readonly listen: HostPort
  /** Milliseconds that the TLS handshake may take, and then the registration. @default 10_000 */
  readonly registerTimeoutMs?: number | undefined
  /** Connections that have not registered yet; more are refused. @default 256 */
  readonly maxStrangers?: number | undefined
}

/** Where connectors arrive. */
export interface TunnelListener extends AsyncDisposable {
  readonly address: HostPort
  /** Shows this certificate on connections from now on. */
  renew(certificate: EdgeCertificate): void
  /** Takes no new connections, and tells connectors to look for another edge. Those that are up go on serving. */
  leave(): void
  /** Takes no new connections, and drains those that are up for at most `graceMs`. @default 30_000 */
  close(graceMs?: number): Promise<void>
}

const REGISTER_TIMEOUT_MS = 10_000
const MAX_STRANGERS = 256
const GRACE_MS = 30_000

class Listener implements TunnelListener {
  readonly #tls: TlsListener
  readonly #admission: Admission
  #left: Promise<void> | undefined
  #closing: Promise<void> | undefined
  readonly address: HostPort

  constructor(tls: TlsListener, admission: Admission) {
    this.#tls = tls
    this.#admission = admission
    this.address = tls.address
  }

  renew(certificate: EdgeCertificate): void {
    this.#tls.renew(certificate)
  }

  leave(): void {
    this.#left ??= this.#tls.close()
    this.#admission.leave()
  }

  close(graceMs: number = GRACE_MS): Promise<void> {
    return (this.#closing ??= this.#close(graceMs))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(graceMs: number): Promise<void> {
    const closed = (this.#left ??= this.#tls.close())
    await this.#admission.close(graceMs)
    await closed
  }
}

/**
 * Listens for connectors. Only TLS 1.3 with ALPN `hawser/1` gets as far as registering, and only the proof of a token gets a
 * connection handed out; whatever else arrives is refused and logged once, at warn.
 *
 * @throws {HawserError} `listen_failed`, naming the address
 */
export async function listenForTunnels(options: TunnelListenerOptions): Promise<TunnelListener> {
  const registerTimeoutMs = options.registerTimeoutMs ?? REGISTER_TIMEOUT_MS
  const admission = new Admission({
    edgeId: options.edgeId,
    secretOf: (tunnelId) => options.secretOf(tunnelId),
    onConnection: (connection) => options.onConnection(connection),
    onReport: options.onReport,
    logger: options.logger,
    maxConnectors: options.maxConnectors,
    registerTimeoutMs,
  })
  const tls = new TlsListener({
    listen: options.listen,
    certPem: options.certPem,
    keyPem: options.keyPem,
    protocols: new Map([[TUNNEL_ALPN, (arrival) => admission.onArrival(arrival)]]),
    handshakeTimeoutMs: registerTimeoutMs,
    maxStrangers: options.maxStrangers ?? MAX_STRANGERS,
    logger: options.logger,
  })
  await tls.listen()
  return new Listener(tls, admission)
}
