import { randomUUID } from 'node:crypto'
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { HawserError } from '@hawser/core'
import type { TlsVerification } from '@hawser/core'
import type { Selectable } from 'kysely'
import type { Engine } from './engine.ts'
import { checkName } from './names.ts'
import { checkTunnel, notFound } from './references.ts'
import type { RoutingChanges } from './routing-changes.ts'
import type { Database, Schema } from './schema.ts'
import { guardStorage, guardUnique } from './storage-error.ts'

/** What a VPC Service speaks (V-002). */
export type ServiceType = 'http' | 'tcp'
/** V-006. */
export type AppProtocol = 'postgresql' | 'mysql'

/** A VPC Service: one target behind one tunnel, which a call reaches whatever address it names (V-001, V-025). */
export interface Service {
  /** A UUID. */
  readonly id: string
  readonly name: string
  readonly type: ServiceType
  readonly tunnelId: string
  /** A name that the connector resolves, or an address literal without brackets. */
  readonly host: string
  /** Its IPv6 address, where `host` is its IPv4 one: whichever answers first is used. */
  readonly otherHost: string | undefined
  /** Asked for `host` by the connector, in place of its own resolver (V-009). Addresses; none for an address as `host`. */
  readonly resolverIps: readonly string[]
  /** Of type `http`; where it is missing, `http:` is not served (V-004). */
  readonly httpPort: number | undefined
  readonly httpsPort: number | undefined
  /** Of type `tcp` (V-005). */
  readonly tcpPort: number | undefined
  /** How certificates of the target are judged (V-010). */
  readonly verify: TlsVerification
  /** What a service of type `tcp` speaks, where that is known (V-006). */
  readonly appProtocol: AppProtocol | undefined
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** ISO 8601, UTC; when it was made, if it never changed. */
  readonly updatedAt: string
}

/** What is told of a new one. Of type `http`, no port at all means 80 and 443, and one alone means that one alone. */
export interface NewService {
  readonly name: string
  readonly type: ServiceType
  readonly tunnelId: string
  readonly host: string
  readonly otherHost?: string | undefined
  /** @default none: the connector's own */
  readonly resolverIps?: readonly string[] | undefined
  readonly httpPort?: number | undefined
  readonly httpsPort?: number | undefined
  readonly tcpPort?: number | undefined
  /** @default 'verify_full' */
  readonly verify?: TlsVerification | undefined
  readonly appProtocol?: AppProtocol | undefined
}

/** The VPC Services of one directory. All methods reject with `storage_failed` when the database does. */
export interface ServiceStore {
  /** @throws {HawserError} `options_invalid` naming the field, `not_found` for the tunnel, `conflict` for a name in use */
  create(service: NewService): Promise<Service>
  /**
   * Puts another description in the place of one: what is left out is not kept (V-013).
   *
   * @throws {HawserError} as `create`, and `not_found` for the service
   */
  replace(id: string, service: NewService): Promise<Service>
  /** Oldest first. */
  list(): Promise<readonly Service[]>
  /** By id, or else by name; undefined if there is none. */
  find(idOrName: string): Promise<Service | undefined>
  /** @throws {HawserError} `not_found` */
  delete(id: string): Promise<void>
}

const TYPES: ReadonlySet<string> = new Set(['http', 'tcp'])
const PROTOCOLS: ReadonlySet<string> = new Set(['postgresql', 'mysql'])
/** As many as the vendor's clients are known to send, and as a dial request should carry. */
const MAX_RESOLVERS = 8
const VERIFICATIONS: ReadonlySet<string> = new Set(['verify_full', 'verify_ca', 'disabled'])
/** A host name (RFC 1035, and `_` as found in the field), or an IPv4 literal. */
const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/

/** {@link ServiceStore} in SQL, for every engine. */
export class SqlServiceStore implements ServiceStore {
  readonly #engine: Engine
  readonly #changes: RoutingChanges

  constructor(engine: Engine, changes: RoutingChanges) {
    this.#engine = engine
    this.#changes = changes
  }

  create(service: NewService): Promise<Service> {
    return this.#write('create the service', service, async (db, described) => {
      const row = { id: randomUUID(), ...described, created_at: new Date().toISOString(), updated_at: null }
      await db.insertInto('services').values(row).execute()
      return row
    })
  }

  replace(id: string, service: NewService): Promise<Service> {
    return this.#write('update the service', service, async (db, described) => {
      const changed = { ...described, updated_at: new Date().toISOString() }
      const query = db.updateTable('services').set(changed).where('id', '=', id).returningAll()
      const row = await query.executeTakeFirst()
      if (row === undefined) throw notFound('service', id)
      return row
    })
  }

  list(): Promise<readonly Service[]> {
    return guardStorage('list services', async () => {
      const rows = await this.#engine.db
        .selectFrom('services')
        .selectAll()
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(serviceOf)
    })
  }

  find(idOrName: string): Promise<Service | undefined> {
    return guardStorage('read the service', async () => {
      const rows = await this.#engine.db
        .selectFrom('services')
        .selectAll()
        .where((where) => where.or([where('id', '=', idOrName), where('name', '=', idOrName)]))
        .execute()
      const row = rows.find(({ id }) => id === idOrName) ?? rows[0] // a name that looks like an id does not hide one
      return row && serviceOf(row)
    })
  }

  delete(id: string): Promise<void> {
    return guardStorage('delete the service', () =>
      this.#changes.write(async (db) => {
        const { numDeletedRows } = await db.deleteFrom('services').where('id', '=', id).executeTakeFirst()
        if (numDeletedRows === 0n) throw notFound('service', id)
      }),
    )
  }

  async #write(
    what: string,
    service: NewService,
    work: (db: Database, described: Described) => Promise<Row>,
  ): Promise<Service> {
    const taken = `a service named ${JSON.stringify(service.name)} exists already`
    const row = await guardUnique(this.#engine, what, taken, async () => {
      const described = describe(service)
      return this.#changes.write(async (db) => {
        await checkTunnel(db, service.tunnelId)
        return work(db, described)
      })
    })
    return serviceOf(row)
  }
}

type Row = Selectable<Schema['services']>
/** What whoever makes or changes a service says of it. */
type Described = Omit<Row, 'id' | 'created_at' | 'updated_at'>

/** @throws {HawserError} `options_invalid` */
function describe(service: NewService): Described {
  const { type, host, verify = 'verify_full', appProtocol, otherHost, resolverIps = [] } = service
  if (!TYPES.has(type)) throw invalid('type', 'http or tcp', type)
  if (!VERIFICATIONS.has(verify)) throw invalid('verify', [...VERIFICATIONS].join(', '), verify)
  if (!HOST.test(host) && !isIPv6(host))
    throw invalid('host', 'a host name or an IP address, without scheme, port or brackets', host)
  if (appProtocol !== undefined && (type !== 'tcp' || !PROTOCOLS.has(appProtocol))) {
    throw invalid('appProtocol', `${[...PROTOCOLS].join(' or ')}, for a service of type tcp`, appProtocol)
  }
  if (otherHost !== undefined && !(isIPv4(host) && isIPv6(otherHost))) {
    throw invalid('otherHost', 'an IPv6 address beside an IPv4 one', otherHost)
  }
  const wrong = resolverIps.find((ip) => isIP(ip) === 0)
  if (wrong !== undefined) throw invalid('resolverIps', 'IPv4 or IPv6 addresses', wrong)
  if (resolverIps.length > (isIP(host) === 0 ? MAX_RESOLVERS : 0)) {
    throw invalid('resolverIps', `at most ${MAX_RESOLVERS}, and only for a host name`, resolverIps.length)
  }
  const ports = portsOf(service)
  return {
    name: checkName(service.name, 'service name'),
    type,
    tunnel_id: service.tunnelId,
    host: host.toLowerCase(),
    http_port: textOf('httpPort', ports.http),
    https_port: textOf('httpsPort', ports.https),
    tcp_port: textOf('tcpPort', ports.tcp),
    verify,
    other_host: otherHost ?? null,
    resolver_ips: resolverIps.length === 0 ? null : resolverIps.join(','),
    app_protocol: appProtocol ?? null,
  }
}

interface Ports {
  readonly http?: number | undefined
  readonly https?: number | undefined
  readonly tcp?: number | undefined
}

function portsOf({ type, httpPort: http, httpsPort: https, tcpPort: tcp }: NewService): Ports {
  if (type === 'tcp') {
    if (tcp === undefined) throw invalid('tcpPort', 'a port of 1 to 65535 for a service of type tcp', tcp)
    if (http !== undefined || https !== undefined) throw invalid('httpPort', 'none for a service of type tcp', http)
    return { tcp }
  }
  if (tcp !== undefined) throw invalid('tcpPort', 'none for a service of type http', tcp)
  return http === undefined && https === undefined ? { http: 80, https: 443 } : { http, https }
}

function textOf(field: string, port: number | undefined): string | null {
  if (port === undefined) return null
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return String(port)
  throw invalid(field, 'a port of 1 to 65535', port)
}

function invalid(field: string, wanted: string, given: unknown): HawserError {
  const got = typeof given === 'string' ? JSON.stringify(given.slice(0, 100)) : String(given)
  return new HawserError('options_invalid', `${field}: expected ${wanted}, got ${got}`)
}

/** A row as a service. */
export function serviceOf(row: Row): Service {
  const port = (text: string | null): number | undefined => (text === null ? undefined : Number(text))
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    tunnelId: row.tunnel_id,
    host: row.host,
    otherHost: row.other_host ?? undefined,
    resolverIps: row.resolver_ips?.split(',') ?? [],
    httpPort: port(row.http_port),
    httpsPort: port(row.https_port),
    tcpPort: port(row.tcp_port),
    verify: row.verify,
    appProtocol: row.app_protocol ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at ?? row.created_at,
  }
}
