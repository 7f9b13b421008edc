import type { TlsRule } from '@hawser/core'
import type { FlowServices } from '../flow/context.ts'
import type { Grant } from './client-access.ts'
import { ClientBinding } from './client-binding.ts'

/** The binding through which one client uses one thing that it was granted. Its flows are those of a Worker's binding. */
export function bindingFor({ client, target }: Grant, services: FlowServices, tls?: readonly TlsRule[]): ClientBinding {
  // A program has no invocations, so none of their limits either.
  const common = { worker: `client/${client.name}`, connectionLimit: 0, tls }
  if (target.kind === 'network') {
    const network = { kind: 'tunnel', tunnelId: target.tunnelId } as const
    return new ClientBinding({ ...common, binding: target.name, network }, services)
  }
  const { service } = target
  const network = { kind: 'service', serviceId: service.id } as const
  return new ClientBinding({ ...common, binding: service.name, network }, services)
}
