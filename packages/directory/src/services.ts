import { randomUUID } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { HawserError } from '@hawser/core'
import type { TlsVerification } from '@hawser/core'
import type { Selectable } from 'kysely'
import type { Engine } from './engine.ts'
import { checkName } from './names.ts'
import type { Schema } from './schema.ts'
import { guardStorage } from './storage-error.ts'

/** What a VPC Service speaks (V-002). */
export type ServiceType = 'http' | 'tcp'

/** A VPC Service: one target behind one tunnel, which a call reaches whatever address it names (V-001, V-025). */
export interface Service {
  /** A UUID. */
  readonly id: string
  readonly name: string
  readonly type: ServiceType
  readonly tunnelId: string
  /** A name that the connector resolves, or an address literal without brackets. */
  readonly host: string
  /** Of type `http`; where it is missing, `http:` is not served (V-004). */
  readonly httpPort: number | undefined
  readonly httpsPort: number | undefined
  /** Of type `tcp` (V-005). */
  readonly tcpPort: number | undefined
  /** How certificates of the target are judged (V-010). */
  readonly verify: TlsVerification
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

/** What is told of a new one. Of type `http`, no port at all means 80 and 443, and one alone means that one alone. */
export interface NewService {
  readonly name: string
  readonly type: ServiceType
  readonly tunnelId: string
  readonly host: string
  readonly httpPort?: number | undefined
  readonly httpsPort?: number | undefined
  readonly tcpPort?: number | undefined
  /** @default 'verify_full' */
  readonly verify?: TlsVerification | undefined
}

/** The VPC Services of one directory. All methods reject with `storage_failed` when the database does. */
export interface ServiceStore {
  /** @throws {HawserError} `options_invalid` naming the field, `not_found` for the tunnel, `conflict` for a name in use */
  create(service: NewService): Promise<Service>
  /** Oldest first. */
  list(): Promise<readonly Service[]>
  /** By id, or else by name; undefined if there is none. */
  find(idOrName: string): Promise<Service | undefined>
  /** @throws {HawserError} `not_found` */
  delete(id: string): Promise<void>
}

const TYPES: ReadonlySet<string> = new Set(['http', 'tcp'])
const VERIFICATIONS: ReadonlySet<string> = new Set(['verify_full', 'verify_ca', 'disabled'])
/** A host name (RFC 1035, and `_` as found in the field), or an IPv4 literal. */
const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/

/** {@link ServiceStore} in SQL, for every engine. */
export class SqlServiceStore implements ServiceStore {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  create(service: NewService): Promise<Service> {
    return guardStorage('create the service', async () => {
      const row = rowOf(service)
      await this.#checkTunnel(service.tunnelId)
      try {
        await this.#engine.db.insertInto('services').values(row).execute()
      } catch (error) {
        if (!this.#engine.isDuplicate(error)) throw error
        const message = `a service named ${JSON.stringify(service.name)} exists already`
        throw new HawserError('conflict', message, { cause: error })
      }
      return serviceOf(row)
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
    return guardStorage('delete the service', async () => {
      const { numDeletedRows } = await this.#engine.db.deleteFrom('services').where('id', '=', id).executeTakeFirst()
      if (numDeletedRows > 0n) return
      throw new HawserError('not_found', `there is no service ${JSON.stringify(id.slice(0, 64))}`)
    })
  }

  async #checkTunnel(tunnelId: string): Promise<void> {
    const tunnel = await this.#engine.db
      .selectFrom('tunnels')
      .select('id')
      .where('id', '=', tunnelId)
      .where('deleted_at', 'is', null)
      .executeTakeFirst()
    if (tunnel !== undefined) return
    throw new HawserError('not_found', `there is no tunnel ${JSON.stringify(tunnelId.slice(0, 64))}`)
  }
}

/** @throws {HawserError} `options_invalid` */
function rowOf(service: NewService): Schema['services'] {
  const { type, host, verify = 'verify_full' } = service
  if (!TYPES.has(type)) throw invalid('type', 'http or tcp', type)
  if (!VERIFICATIONS.has(verify)) throw invalid('verify', [...VERIFICATIONS].join(', '), verify)
  if (!HOST.test(host) && !isIPv6(host))
    throw invalid('host', 'a host name or an IP address, without scheme, port or brackets', host)
  const ports = portsOf(service)
  return {
    id: randomUUID(),
    name: checkName(service.name, 'service name'),
    type,
    tunnel_id: service.tunnelId,
    host: host.toLowerCase(),
    http_port: textOf('httpPort', ports.http),
    https_port: textOf('httpsPort', ports.https),
    tcp_port: textOf('tcpPort', ports.tcp),
    verify,
    created_at: new Date().toISOString(),
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

function serviceOf(row: Selectable<Schema['services']>): Service {
  const port = (text: string | null): number | undefined => (text === null ? undefined : Number(text))
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    tunnelId: row.tunnel_id,
    host: row.host,
    httpPort: port(row.http_port),
    httpsPort: port(row.https_port),
    tcpPort: port(row.tcp_port),
    verify: row.verify,
    createdAt: row.created_at,
  }
}
