/** What `hawser client token` printed, read. */
export interface ClientToken {
  readonly clientId: string
  /** The bytes of the secret. */
  readonly secret: Buffer
  /** `host:port` of the edges that it is for. */
  readonly edges: readonly string[]
  /** The CA of these edges, and the only one that is trusted. */
  readonly caPem: string
}

/** More than this is no token: a CA and a few addresses fit in a tenth of it. */
const MAX_LENGTH = 32_768
const MIN_SECRET_BYTES = 32

/**
 * Reads a token. The text is never repeated.
 *
 * @throws {TypeError} with the code `token_invalid`, naming what is missing or wrong
 */
export function parseClientToken(text: unknown): ClientToken {
  if (typeof text !== 'string') throw invalid(`expected text, got ${typeof text}`)
  const { client, secret, edges, ca } = fieldsOf(text.trim())
  if (typeof client !== 'string') throw invalid('the id of the client is missing; tokens of tunnels are for connectors')
  const bytes = Buffer.from(typeof secret === 'string' ? secret : '', 'base64')
  if (bytes.length < MIN_SECRET_BYTES) throw invalid('the secret is missing or wrong')
  if (typeof ca !== 'string' || !ca.startsWith('-----BEGIN CERTIFICATE-----'))
    throw invalid('the CA is missing or wrong')
  if (!Array.isArray(edges) || !edges.every((edge) => typeof edge === 'string')) throw invalid('the edges are missing')
  return { clientId: client, secret: bytes, edges, caPem: ca }
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

function invalid(reason: string): TypeError {
  return Object.assign(new TypeError(`token: ${reason}`), { code: 'token_invalid' })
}
