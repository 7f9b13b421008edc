import { HawserError } from '@hawser/core'
import type { FlowTarget, TlsVerification, VpcService } from '@hawser/core'
import { parseHost } from '@hawser/policy'
import { Memo } from '../memo.ts'
import type { FlowContext } from './context.ts'

/** Registered hosts are few and asked for at every call. */
const hosts = new Memo((text: string) => {
  const parsed = parseHost(text)
  return parsed.kind === 'ip' ? parsed.ip : parsed.name
})

function lookUp({ binding, services }: FlowContext, serviceId: string): VpcService | undefined {
  return services.resolver?.service(binding.identity, serviceId)
}

/** Of what the call asks for: the scheme of its URL picks (V-028), and `connect()` is for TCP (V-005, X-03). */
function portOf(
  { call }: FlowContext,
  service: VpcService,
): { readonly port: number | undefined; readonly what: string } {
  if (call.kind === 'connect') return { port: service.tcpPort, what: 'TCP port for connect()' }
  return call.url.origin.tls
    ? { port: service.httpsPort, what: 'HTTPS port for https: URLs' }
    : { port: service.httpPort, what: 'HTTP port for http: URLs' }
}

/**
 * Where a VPC Service is: never anything that the call names, so that a URL made of user input reaches nothing else
 * (V-025 to V-030).
 *
 * @throws {HawserError} `destination_not_found` for a service that nobody knows or that has no port for the call,
 * `address_invalid` for a registered host that is none
 */
export function serviceOf(context: FlowContext, serviceId: string): Omit<FlowTarget, 'tls'> {
  const { flow } = context
  const service = lookUp(context, serviceId)
  if (service === undefined) {
    throw new HawserError('destination_not_found', `${flow.requested}: there is no VPC Service ${serviceId}`)
  }
  const { port, what } = portOf(context, service)
  if (port === undefined) {
    throw new HawserError('destination_not_found', `${flow.requested}: the service of ${flow.binding} has no ${what}`)
  }
  const { otherHost, resolverIps } = service
  return { host: hosts.get(service.host), port, otherHost, resolverIps }
}

/** How certificates are judged where no rule of the binding's says so (V-010); undefined for the usual way. */
export function verificationOf(context: FlowContext): TlsVerification | undefined {
  const { network } = context.flow
  return network.kind === 'service' ? lookUp(context, network.serviceId)?.verify : undefined
}
