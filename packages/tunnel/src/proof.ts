import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Secret } from '@hawser/core'

/** RFC 8446 section 7.5; private-use label, so that no other protocol over TLS can ask for the same value. */
const EXPORTER_LABEL = 'EXPORTER-hawser-tunnel-1'
const EXPORTER_BYTES = 32

/**
 * 32 bytes that only the two ends of this TLS connection know, and that no other connection has: what a proof is made
 * over, so that it proves nothing elsewhere. Both ends call it after the handshake.
 */
export function channelBinding(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0))
}

/**
 * Proof of holding a tunnel's secret, as base64: HMAC-SHA-256 with the secret over the channel binding, the tunnel's id and
 * the connector's id (docs/protocol.md, "Register").
 */
export function proofOf(secret: Secret, binding: Buffer, tunnelId: string, connectorId: string): string {
  const hmac = createHmac('sha256', Buffer.from(secret.reveal(), 'base64'))
  return hmac.update(binding).update(`\0${tunnelId}\0${connectorId}`).digest('base64')
}

/** Compares in time that does not depend on where the two differ. */
export function proofMatches(expected: string, given: string): boolean {
  const one = Buffer.from(expected)
  const other = Buffer.from(given)
  return one.length === other.length && timingSafeEqual(one, other)
}
