import type { TlsVerification } from '@hawser/core'
import type { Kysely } from 'kysely'

/**
 * The tables. Every column is text, in SQLite as in PostgreSQL: ISO 8601 times in UTC (which sort as they read), sealed
 * values in base64. So the engines need no conversions, and none can differ between them.
 */
export interface Schema {
  /** Facts about the directory itself. */
  settings: {
    name: 'account_id' | 'key_check' | 'routing_version'
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
  tunnel_configurations: {
    tunnel_id: string
    /** Decimal; 1 for the first. */
    version: string
    created_at: string
    /** `ConnectorSettings`, in JSON. */
    settings: string
  }
  tunnel_activity: {
    tunnel_id: string
    /** When a connector came where there was none. */
    active_at: string
    /** When the last one left; null since one came. */
    inactive_at: string | null
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
    /** The IPv6 address of a service of which `host` is the IPv4 address. */
    other_host: string | null
    /** Addresses, with commas between them. */
    resolver_ips: string | null
    app_protocol: 'postgresql' | 'mysql' | null
    /** Null for one that has never changed. */
    updated_at: string | null
  }
  virtual_networks: {
    /** A UUID. */
    id: string
    /** Unique among those that are not deleted. */
    name: string
    comment: string
    /** Of one that is not deleted, and of no other. */
    is_default: 'yes' | null
    created_at: string
    deleted_at: string | null
  }
  routes: {
    /** A UUID. */
    id: string
    /** As `formatIp` writes it, with the prefix; unique in its virtual network among those that are not deleted. */
    network: string
    /** Its first and its last address, in a form that sorts as the addresses do (address-range.ts). */
    first_address: string
    last_address: string
    tunnel_id: string
    virtual_network_id: string
    comment: string
    created_at: string
    deleted_at: string | null
  }
  hostname_routes: {
    /** A UUID. */
    id: string
    /** Lower case; may begin with `*.`. Unique among those that are not deleted. */
    hostname: string
    tunnel_id: string
    comment: string
    created_at: string
    deleted_at: string | null
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
