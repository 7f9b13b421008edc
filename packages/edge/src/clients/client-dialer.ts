import { randomBytes } from 'node:crypto'
import { createSecureContext, TLSSocket } from 'node:tls'
import type { Duplex } from 'node:stream'
import {
  connectAddress,
  formatHostPort,
  HawserError,
  isErrorCode,
  parseHostPort,
  raceConnect,
  resetStream,
} from '@hawser/core'
import type { Dialed, Dialer, DialTarget, HostPort, StopSignal } from '@hawser/core'
import { createResolver } from '../name-resolver.ts'
import { TlsClient } from '../tls/tls-client.ts'
import { CLIENT_ALPN, clientBinding, helloProof } from './client-hello.ts'
import type { ClientToken } from './client-token.ts'
import { readAnswer } from './read-answer.ts'

/** The name in every edge's certificate: trust comes from the CA in the token. */
const SERVER_NAME = 'edge.hawser'
const ID_BYTES = 8

function tlsOf({ caPem }: ClientToken): TlsClient {
  try {
    const rules = [{ host: SERVER_NAME, caPem, minVersion: 'TLSv1.3' }] as const
    return new TlsClient({ rules, trust: createSecureContext() })
  } catch (error) {
    throw new HawserError('token_invalid', 'token: its CA is not one', { cause: error })
  }
}

interface Edge extends HostPort {
  readonly text: string
}

/**
 * Opens connections into a private network as a client of an edge elsewhere. TLS to the target is not that edge's business
 * but the caller's, as with any dialer: what judges a certificate is what knows the Worker and its rules.
 */
export class ClientDialer implements Dialer {
  readonly #token: ClientToken
  readonly #network: string
  readonly #edges: readonly Edge[]
  readonly #tls: TlsClient

  /**
   * @param network id or name of a tunnel
   * @throws {HawserError} `token_invalid` for one whose edge or CA cannot be used, `address_invalid`
   */
  constructor(token: ClientToken, network: string) {
    this.#token = token
    this.#network = network
    this.#edges = token.edges.map((text) => ({ text, ...parseHostPort(text, 'edge') }))
    if (this.#edges.length === 0) throw new HawserError('token_invalid', 'token: it names no edge')
    this.#tls = tlsOf(token)
  }

  /** @throws {HawserError} what that edge says of the call; `destination_unavailable` where no edge takes it */
  async dial(target: DialTarget, signal: StopSignal): Promise<Dialed> {
    const failures: HawserError[] = []
    for (const edge of this.#edges) {
      let stream: TLSSocket
      try {
        stream = await this.#connect(edge, target, signal)
      } catch (error) {
        if (signal.aborted) throw HawserError.from(signal.reason, 'connection_aborted')
        failures.push(HawserError.from(error, 'destination_unavailable'))
        continue
      }
      return { stream: await this.#open(stream, edge, target, signal), remoteAddress: edge.text }
    }
    const reasons = failures.map(({ message }) => message).join('; ')
    throw new HawserError('destination_unavailable', `no edge of the token can be reached: ${reasons}`, {
      cause: failures[0],
    })
  }

  async #connect({ host, port, text }: Edge, { timeoutMs }: DialTarget, signal: StopSignal): Promise<TLSSocket> {
    const addresses = await createResolver(timeoutMs)(host, signal)
    const { socket } = await raceConnect(addresses, port, connectAddress, { signal, timeoutMs })
    const request = { host: SERVER_NAME, port, alpn: [CLIENT_ALPN], timeoutMs, signal }
    const { stream } = await this.#tls.secure(socket, request).catch((error: unknown) => {
      const { code, message } = HawserError.from(error, 'tls_protocol_error')
      throw new HawserError(code, `${text} is not the edge of this token: ${message}`, { cause: error })
    })
    if (stream instanceof TLSSocket) return stream
    throw new HawserError('proxy_internal_error', 'TLS to an edge is no TLS socket')
  }

  /** Says who calls, and where to; the edge answers once the target has. */
  async #open(stream: TLSSocket, edge: Edge, target: DialTarget, signal: StopSignal): Promise<Duplex> {
    const { clientId, secret } = this.#token
    const hello = { clientId, kind: 'network', target: this.#network } as const
    const proof = helloProof(secret, clientBinding(stream), hello)
    const line = JSON.stringify({ client: clientId, network: this.#network, proof })
    const id = randomBytes(ID_BYTES).toString('hex')
    const host = target.host.includes(':') ? `[${target.host}]` : target.host
    stream.write(`${line}\nCONNECT ${host}.c-${id}.hawser:${target.port} HTTP/1.1\r\n\r\n`)
    try {
      const refusal = await readAnswer(stream, { signal, timeoutMs: target.timeoutMs })
      if (refusal === undefined) return stream
      throw asFlowCode(refusal, edge)
    } catch (error) {
      resetStream(stream)
      throw HawserError.from(error, 'destination_unavailable')
    }
  }
}

/** What the edge says, in codes that a call into a private network may end with: a token is unknown to those. */
function asFlowCode({ code, message }: { readonly code: string; readonly message: string }, edge: Edge): HawserError {
  const known = isErrorCode(code) && code !== 'unauthorized' ? code : 'destination_unavailable'
  return new HawserError(known, `${message} (said by the edge ${formatHostPort(edge)})`)
}
