import type { NewService, Service } from '@hawser/directory'
import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'

const port = z.int().nullish()
const unsupported = z.never({ error: 'not supported yet' }).nullish()
const addresses = z.object({
  ipv4: z.ipv4().nullish(),
  ipv6: z.ipv6().nullish(),
  network: z.object({ tunnel_id: z.string() }).optional(),
  hostname: z.string().nullish(),
  resolver_network: z.object({ tunnel_id: z.string(), resolver_ips: z.array(z.string()).nullish() }).optional(),
})
type Host = z.output<typeof addresses>

/** A name with its resolver, or addresses with their network: one of the two, and all of it (V-007). */
function isOneForm({ ipv4, ipv6, network, hostname, resolver_network: resolver }: Host): boolean {
  const byName = typeof hostname === 'string'
  const byAddress = typeof ipv4 === 'string' || typeof ipv6 === 'string'
  if (byName === byAddress) return false
  return byName ? resolver !== undefined && network === undefined : network !== undefined && resolver === undefined
}

function isName(host: Host): boolean {
  return typeof host.hostname !== 'string' || (!isIPv4(host.hostname) && !isIPv6(host.hostname))
}

/** What a client sends to make a VPC Service, or to put another in the place of one. */
export const serviceBody = z.object({
  name: z.string(),
  type: z.enum(['http', 'tcp']),
  host: addresses
    .refine(isOneForm, {
      error: 'expected hostname with resolver_network.tunnel_id, or ipv4 or ipv6 with network.tunnel_id',
    })
    .refine(isName, { path: ['hostname'], error: 'expected a name; an address belongs into ipv4 or ipv6' }),
  tcp_port: port,
  app_protocol: z.enum(['postgresql', 'mysql']).nullish(),
  http_port: port,
  https_port: port,
  tls_settings: z
    .object({
      cert_verification_mode: z.enum(['verify_full', 'verify_ca', 'disabled']).nullish(),
      certificate_authority: unsupported,
      client_certificate: unsupported,
    })
    .nullish(),
})

/** The same as the directory takes it. */
export function newServiceOf({ host, ...body }: z.output<typeof serviceBody>): NewService {
  const { ipv4, ipv6, hostname } = host
  return {
    name: body.name,
    type: body.type,
    tunnelId: (host.network ?? host.resolver_network)?.tunnel_id ?? '',
    host: hostname ?? ipv4 ?? ipv6 ?? '',
    otherHost: typeof ipv4 === 'string' ? (ipv6 ?? undefined) : undefined,
    resolverIps: host.resolver_network?.resolver_ips ?? undefined,
    httpPort: body.http_port ?? undefined,
    httpsPort: body.https_port ?? undefined,
    tcpPort: body.tcp_port ?? undefined,
    verify: body.tls_settings?.cert_verification_mode ?? undefined,
    appProtocol: body.app_protocol ?? undefined,
  }
}

/** A VPC Service as the vendor's clients know it. */
export function serviceResource(service: Service): object {
  const { type } = service
  const ports =
    type === 'tcp'
      ? { tcp_port: service.tcpPort, app_protocol: service.appProtocol ?? null }
      : { http_port: service.httpPort ?? null, https_port: service.httpsPort ?? null }
  return {
    service_id: service.id,
    name: service.name,
    type,
    host: hostOf(service),
    ...ports,
    tls_settings: { cert_verification_mode: service.verify },
    created_at: service.createdAt,
    updated_at: service.updatedAt,
  }
}

function hostOf({ host, otherHost, tunnelId, resolverIps }: Service): object {
  const network = { tunnel_id: tunnelId }
  if (isIPv4(host)) return otherHost === undefined ? { ipv4: host, network } : { ipv4: host, ipv6: otherHost, network }
  if (isIPv6(host)) return { ipv6: host, network }
  const resolver_ips = resolverIps.length === 0 ? null : resolverIps
  return { hostname: host, resolver_network: { tunnel_id: tunnelId, resolver_ips } }
}
