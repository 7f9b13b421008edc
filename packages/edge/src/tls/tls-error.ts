import { HawserError, systemCode } from '@hawser/core'

/** What a peer says that does not accept our certificate, or got none (RFC 8446 section 6.2), as OpenSSL names it. */
const CERTIFICATE_ALERTS = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA)$/

/** True for an error of the TLS layer itself, not of the connection beneath it. */
export function isTlsError(error: unknown): boolean {
  return systemCode(error)?.startsWith('ERR_SSL_') === true
}

/**
 * What an error of a TLS connection means to the caller of a flow.
 *
 * @param what the name that was to be proved, for the message
 * @param rejected whether it was this side that did not accept the certificate
 */
export function tlsError(error: Error, what: string, rejected: boolean): HawserError {
  // The way to the target failed, not the target: its own code says more.
  if (HawserError.is(error) && error.code !== 'connection_terminated') return error
  const refused = rejected || CERTIFICATE_ALERTS.test(systemCode(error) ?? '')
  const code = refused ? 'tls_certificate_error' : 'tls_protocol_error'
  return new HawserError(code, `${what}: ${error.message}`, { cause: error })
}
