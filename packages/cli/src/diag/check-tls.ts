import { X509Certificate } from 'node:crypto'
import { formatHostPort, systemCode } from '@hawser/core'
import type { ErrorCode, HostPort } from '@hawser/core'
import { TUNNEL_ALPN } from '@hawser/tunnel'
import type { TunnelToken } from '@hawser/tunnel'
import type { Checked, DiagLimits, Reached } from './check-addresses.ts'
import { day, nameOf } from './check-token.ts'
import type { Finding } from './finding.ts'
import { probeTls } from './tls-probe.ts'
import type { SeenTls } from './tls-probe.ts'

/** A reason to be unhappy with a handshake, and what to do about it. */
interface Complaint {
  readonly said: string
  readonly todo: string
  readonly code: ErrorCode
}

const MIDDLEBOX =
  'Something between here and the edge opens TLS connections (a proxy, a firewall, an antivirus). Have it let this address ' +
  'and port through untouched.'
const OTHER_PORT =
  'Check the port: connectors go to --tunnel of the edge (7844 by default), not to its API or its Worker.'
/** Judged by the clock step instead. */
const VALIDITY = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])
/** `nameOf` the CA that an edge makes for itself on its first start. */
const EDGE_CA = /^CN=Hawser edge [0-9a-f]+ CA$/

/** A handshake that came to nothing. */
function complainOfFailure(error: unknown): Complaint {
  const code = systemCode(error) ?? ''
  const reason = error instanceof Error ? error.message : String(error)
  if (code === 'connection_timeout') {
    const said = `accepts the connection, but does not answer the TLS handshake (${reason})`
    return {
      said,
      todo: `The edge hangs, or something else accepts in its place. ${OTHER_PORT}`,
      code: 'edge_unreachable',
    }
  }
  if (/NO_APPLICATION_PROTOCOL/.test(code)) {
    return { said: `speaks TLS, but not ${TUNNEL_ALPN}`, todo: OTHER_PORT, code: 'tunnel_protocol_error' }
  }
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code)) {
    return { said: 'speaks an old TLS only', todo: MIDDLEBOX, code: 'tunnel_protocol_error' }
  }
  if (/^ERR_SSL_|^EPROTO/.test(code)) {
    return { said: `what listens there does not speak TLS (${code})`, todo: OTHER_PORT, code: 'tunnel_protocol_error' }
  }
  const said = `hangs up during the TLS handshake (${reason})`
  return { said, todo: `A firewall may cut TLS it does not know. ${OTHER_PORT}`, code: 'edge_unreachable' }
}

/** A handshake that was done, with somebody who may not be the edge. */
function complainOfPeer(seen: SeenTls, ca: X509Certificate): Complaint | undefined {
  const { distrust, certificate, alpn, protocol } = seen
  const issuer = certificate === undefined ? 'nobody' : nameOf(certificate.issuer)
  if (distrust === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = certificate?.subjectAltName ?? 'nobody'
    return {
      said: `its certificate is not an edge's: it is for ${names}`,
      todo: OTHER_PORT,
      code: 'edge_certificate_error',
    }
  }
  if (distrust !== undefined && !VALIDITY.has(distrust)) {
    const said = `its certificate is from ${issuer}, and the token trusts ${nameOf(ca.subject)} alone (${distrust})`
    const another = EDGE_CA.test(issuer) || issuer === nameOf(ca.subject)
    const todo = another
      ? 'The token is of another edge, or the edge has made itself a new CA. Print the token again there: hawser tunnel token'
      : MIDDLEBOX
    return { said, todo, code: 'edge_certificate_error' }
  }
  if (alpn !== TUNNEL_ALPN) {
    return { said: `speaks TLS, but not ${TUNNEL_ALPN}`, todo: OTHER_PORT, code: 'tunnel_protocol_error' }
  }
  if (protocol !== 'TLSv1.3') {
    return { said: `speaks ${protocol}, which no edge does`, todo: MIDDLEBOX, code: 'tunnel_protocol_error' }
  }
  return undefined
}

/** Step 4: is it the edge that the token means, with nobody in between? */
export async function checkTls(
  edge: HostPort,
  { ip }: Reached,
  token: TunnelToken,
  limits: DiagLimits,
): Promise<Checked<X509Certificate>> {
  const common = { step: 'tls', subject: formatHostPort(edge) } as const
  let seen: SeenTls
  try {
    seen = await probeTls({ ip, port: edge.port }, token.caPem, limits)
  } catch (error) {
    limits.signal.throwIfAborted()
    return { finding: { ...common, state: 'failed', ...complainOfFailure(error) }, found: undefined }
  }
  const complaint = complainOfPeer(seen, new X509Certificate(token.caPem))
  if (complaint !== undefined) return { finding: { ...common, state: 'failed', ...complaint }, found: undefined }
  const said = `${seen.protocol}, ${TUNNEL_ALPN}, and a certificate of the token's CA`
  return { finding: { ...common, state: 'ok', said }, found: seen.certificate }
}

/**
 * Step 5: do the clocks agree well enough? The protocol tells no time, and needs none but to judge certificates: a clock is
 * wrong where it falls outside the time of one, or of the CA that signed it. Both begin a day before they were made.
 */
export function checkClock(edge: HostPort, certificate: X509Certificate, { caPem }: TunnelToken, now: Date): Finding {
  const ca = new X509Certificate(caPem)
  const from = certificate.validFromDate > ca.validFromDate ? certificate.validFromDate : ca.validFromDate
  const to = certificate.validToDate < ca.validToDate ? certificate.validToDate : ca.validToDate
  const common = { step: 'clock', subject: formatHostPort(edge) } as const
  const clock = `this machine's clock says ${now.toISOString()}`
  const window = `the edge's certificate is good from ${day(from)} to ${day(to)}`
  if (now >= from && now <= to) return { ...common, state: 'ok', said: `${clock}; ${window}` }
  const late = now > to
  const todo = late
    ? 'If this clock is right, the certificate has run out: start the edge again, which renews it. If not, set the clock.'
    : 'Set the clock of this machine, or that of the edge, which was ahead when it made the certificate (timedatectl).'
  const said = `${clock}, ${late ? 'after' : 'before'} the time of its certificate: ${window}`
  return { ...common, state: 'failed', said, todo, code: 'edge_certificate_error' }
}
