import type { Secret } from '@hawser/core'

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
