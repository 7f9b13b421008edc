import type { TlsVerification } from '@hawser/core'
import type { Kysely } from 'kysely'

/**
 * The tables. Every column is text, in SQLite as in PostgreSQL: ISO 8601 times in UTC (which sort as they read), sealed
 * values in base64. So the engines need no conversions, and none can differ between them.
 */
export interface Schema {
  /** Facts about the directory itself. */
  settings: {
    name: 'account_id' | 'key_check'
    value: string
  }
  tunnels: {
    /** A UUID. */
    id: string
    /** Unique among the tunnels that are not deleted. */
    name: string
    created_at: string
    deleted_at: string | null
    /** The secret, sealed under the tunnel's id (secret-box.ts); null once the tunnel is deleted. */
    sealed_secret: string | null
  }
  api_tokens: {
    /** 32 hexadecimal digits. */
    id: string
    name: string
    created_at: string
    /** SHA-256 of the token's text, hexadecimal. */
    hash: string
  }
  services: {
    /** A UUID. */
    id: string
    name: string
    type: 'http' | 'tcp'
    tunnel_id: string
    host: string
    /** Decimal; null where the service has none. */
    http_port: string | null
    https_port: string | null
    tcp_port: string | null
    verify: TlsVerification
    created_at: string
  }
  clients: {
    /** A UUID. */
    id: string
    name: string
    created_at: string
    /** Sealed under the client's id. */
    sealed_secret: string
  }
  /** What a client may reach: everything else is refused. */
  client_grants: {
    client_id: string
    kind: 'network' | 'service'
    /** Of a tunnel, or of a service. */
    target_id: string
  }
}

export type Database = Kysely<Schema>
