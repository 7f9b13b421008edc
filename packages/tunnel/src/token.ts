import { HawserError, Secret } from '@hawser/core'

/** What a connector needs to know, and all it needs. */
export interface TunnelToken {
  /** 32 hexadecimal digits. */
  readonly accountId: string
  /** UUID. */
  readonly tunnelId: string
  /** Standard base64 of at least 32 bytes. */
  readonly secret: Secret
  /** `host:port` of the edges to connect to. */
  readonly edges: readonly string[]
  /** The CA that signed the edges' certificates, and the only one that is trusted. */
  readonly caPem: string
}

/** More than this is no token: a CA and a few addresses fit in a tenth of it. */
const MAX_TOKEN_LENGTH = 32_768
const MAX_EDGES = 64

/**
 * The token as one line of text: base64 of JSON. `a`, `t` and `s` are what stock cloudflared reads; `edges` and `ca` are ours.
 * Not `e`, which is a string to cloudflared (an endpoint, V-145): it would refuse a token that has a list there.
 */
export function formatTunnelToken(token: TunnelToken): string {
  const { accountId, tunnelId, secret, edges, caPem } = token
  const json = JSON.stringify({ a: accountId, t: tunnelId, s: secret.reveal(), edges, ca: caPem })
  return Buffer.from(json).toString('base64')
}

/**
 * Reads what {@link formatTunnelToken} wrote. The text is never echoed.
 *
 * @throws {HawserError} `token_invalid`, naming what is missing or wrong
 */
export function parseTunnelToken(text: string): TunnelToken {
  const fields = parseFields(text.trim())
  const accountId = textField(fields, 'a', 'the account id', /^[0-9a-f]{32}$/)
  const tunnelId = textField(fields, 't', 'the tunnel id', /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  const secret = textField(fields, 's', 'the secret', /^[A-Za-z0-9+/]{43,}={0,2}$/)
  const caPem = textField(fields, 'ca', "the edge's CA", /^-----BEGIN CERTIFICATE-----/)
  const edges = fields['edges']
  if (!Array.isArray(edges) || edges.length > MAX_EDGES || !edges.every((edge) => typeof edge === 'string')) {
    throw invalid('the list of edges is missing or wrong')
  }
  return { accountId, tunnelId, secret: new Secret(secret), edges, caPem }
}

function parseFields(text: string): Readonly<Record<string, unknown>> {
  if (text === '') throw invalid('it is empty')
  if (text.length > MAX_TOKEN_LENGTH || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw invalid('it is not base64')
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
  } catch {
    throw invalid('it does not hold JSON') // without the cause, whose message quotes the text
  }
  if (typeof value !== 'object' || value === null) throw invalid('it does not hold a JSON object')
  return value as Readonly<Record<string, unknown>>
}

function textField(fields: Readonly<Record<string, unknown>>, key: string, what: string, form: RegExp): string {
  const value = fields[key]
  if (typeof value !== 'string' || !form.test(value)) throw invalid(`${what} (${key}) is missing or wrong`)
  return value
}

function invalid(reason: string): HawserError {
  return new HawserError('token_invalid', `not a tunnel token of a Hawser edge: ${reason}`)
}
