import { HawserError, Secret } from '@hawser/core'

/** What a program needs to know to call through an edge, and all it needs. */
export interface ClientToken {
  /** UUID. */
  readonly clientId: string
  /** Standard base64 of 32 bytes. */
  readonly secret: Secret
  /** `host:port` of the edges that listen for clients. */
  readonly edges: readonly string[]
  /** The CA that signed the edges' certificates, and the only one that is trusted. */
  readonly caPem: string
}

/** The token as one line of text: base64 of JSON, in the manner of tunnel tokens and unlike them in every key. */
export function formatClientToken({ clientId, secret, edges, caPem }: ClientToken): string {
  return Buffer.from(JSON.stringify({ client: clientId, secret: secret.reveal(), edges, ca: caPem })).toString('base64')
}

/** More than this is no token: a CA and a few addresses fit in a tenth of it. */
const MAX_LENGTH = 32_768
const MIN_SECRET_BYTES = 32

/**
 * Reads what {@link formatClientToken} wrote. The text is never repeated.
 *
 * @throws {HawserError} `token_invalid`, naming what is missing or wrong
 */
export function parseClientToken(text: string): ClientToken {
  const { client, secret, edges, ca } = fieldsOf(text.trim())
  if (typeof client !== 'string') {
    throw invalid('it is for connectors, not for programs; `hawser client token NAME` prints one that is')
  }
  if (typeof secret !== 'string' || Buffer.from(secret, 'base64').length < MIN_SECRET_BYTES) {
    throw invalid('the secret is missing or wrong')
  }
  if (typeof ca !== 'string' || !ca.startsWith('-----BEGIN CERTIFICATE-----'))
    throw invalid('the CA is missing or wrong')
  if (!Array.isArray(edges) || !edges.every((edge) => typeof edge === 'string')) throw invalid('the edges are missing')
  return { clientId: client, secret: new Secret(secret), edges, caPem: ca }
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    if (text.length <= MAX_LENGTH) value = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
  } catch {
    // Said below, without the cause: its message quotes the text.
  }
  if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  throw invalid('expected what `hawser client token` prints')
}

function invalid(reason: string): HawserError {
  return new HawserError('token_invalid', `not the token of a client: ${reason}`)
}
