import { HawserError, systemCode } from '@hawser/core'

/** ALPN identifier of the protocol in docs/protocol.md. */
export const TUNNEL_ALPN = 'hawser/1'
/** The name in every edge's certificate, checked whatever address was dialled: trust comes from the CA in the token. */
export const EDGE_SERVER_NAME = 'edge.hawser'

/** What both ends use: TLS 1.3 only, and the cheapest of its ciphers on hardware that has AES instructions first. */
export const TLS_OPTIONS = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
} as const

const CERTIFICATE_CODES =
  /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH|PATH_LENGTH)/

/** What a failed connection to an edge means. */
export function connectError(error: Error, edge: string): HawserError {
  const code = systemCode(error) ?? ''
  if (CERTIFICATE_CODES.test(code)) {
    return new HawserError('edge_certificate_error', `${edge}: ${error.message} (${code})`, { cause: error })
  }
  if (/^ERR_SSL_|^EPROTO/.test(code)) {
    return new HawserError('tunnel_protocol_error', `${edge} does not speak the tunnel's protocol: ${error.message}`, {
      cause: error,
    })
  }
  return new HawserError('edge_unreachable', `${edge}: ${error.message}`, { cause: error })
}
