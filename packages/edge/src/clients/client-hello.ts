import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { HawserError } from '@hawser/core'
import type { Secret } from '@hawser/core'

/** ALPN identifier of what clients that are no Workers speak to an edge. */
export const CLIENT_ALPN = 'hawser-client/1'
/** Of the hello, its line feed not counted. */
export const MAX_HELLO_BYTES = 2_048

/** RFC 8446 section 7.5; a label of its own, so that a proof for one protocol proves nothing in another. */
const EXPORTER_LABEL = 'EXPORTER-hawser-client-1'
const EXPORTER_BYTES = 32

/** What a call through the connection may reach: all of a tunnel's network, or one VPC Service. */
export type TargetKind = 'network' | 'service'

/**
 * The first line on a client's connection, before any HTTP: JSON in UTF-8, ended by a line feed.
 *
 *     {"client":"<id>","network":"office","proof":"<base64>"}
 *
 * Nothing is answered to a good one; HTTP may follow at once. To a bad one an HTTP answer says why.
 */
export interface ClientHello {
  /** A UUID. */
  readonly clientId: string
  readonly kind: TargetKind
  /** Its id or its name. */
  readonly target: string
  /** See {@link helloProof}. */
  readonly proof: string
}

/** @throws {HawserError} `unauthorized`, never repeating what came */
export function parseHello(line: string): ClientHello {
  const { client, network, service, proof } = fieldsOf(line)
  const target = network ?? service
  const complete = typeof client === 'string' && typeof proof === 'string' && typeof target === 'string'
  if (!complete || (network !== undefined && service !== undefined)) throw noHello()
  return { clientId: client, kind: network === undefined ? 'service' : 'network', target, proof }
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Said below, without the cause: its message quotes the text.
  }
  throw noHello()
}

function noHello(): HawserError {
  return new HawserError('unauthorized', 'the connection did not begin with the hello of a client')
}

/** 32 bytes that only the two ends of this TLS connection know, and that no other connection has. */
export function clientBinding(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0))
}

/**
 * Proof of holding a client's secret, as base64: HMAC-SHA-256 with the secret over the channel binding, the client's id and
 * the target. The secret itself never travels, so no one whom a client mistakes for its edge can learn it.
 */
export function helloProof(secret: Secret, binding: Buffer, hello: Omit<ClientHello, 'proof'>): string {
  const hmac = createHmac('sha256', Buffer.from(secret.reveal(), 'base64'))
  return hmac.update(binding).update(`\0${hello.clientId}\0${hello.kind}\0${hello.target}`).digest('base64')
}

/** Compares in time that does not depend on where the two differ. */
export function sameProof(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)]
  return one.length === other.length && timingSafeEqual(one, other)
}
