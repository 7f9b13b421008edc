import type { BindingDoors, BindingHost, BindingIdentity, BindingNetwork } from '@hawser/core'
import type { WorkerConfig } from './config.ts'
import type { OpenBinding } from './miniflare/vpc.ts'

const PUBLIC: BindingNetwork = { kind: 'public' }

/** What the edge calls the flows that go through no binding of the Worker's. */
const EGRESS_NAME = 'egress'

/** The doors of everything a Worker's calls can leave by. Disposing closes them. */
export interface OpenDoors extends AsyncDisposable {
  readonly bindings: readonly OpenBinding[]
  readonly egress: BindingDoors
}

/** How each binding of a Worker is known to the edge; the last one is its way to the public. */
function identities(config: WorkerConfig): readonly BindingIdentity[] {
  const common = { worker: config.name, tls: config.tls, connectionLimit: config.connectionLimit }
  const egress = { ...common, binding: EGRESS_NAME, network: PUBLIC, connectNetwork: config.egress?.network }
  return [
    ...config.networks.map(({ binding, network }) => ({ ...common, binding, network })),
    ...config.services.map(({ binding, serviceId }) => ({
      ...common,
      binding,
      network: { kind: 'service', serviceId } as const,
    })),
    egress,
  ]
}

/**
 * Opens the doors of a Worker, or none: one after another, so that each is owned, and closed again, before the next one can
 * fail.
 *
 * @throws {HawserError} what `host` throws
 */
export async function openDoors(config: WorkerConfig, host: BindingHost): Promise<OpenDoors> {
  await using opening = new AsyncDisposableStack()
  const bindings: OpenBinding[] = []
  for (const identity of identities(config)) {
    bindings.push({ name: identity.binding, doors: opening.use(await host.openBinding(identity)) })
  }
  const egress = bindings.pop()
  if (egress === undefined) throw new TypeError('a Worker always has egress')
  const owned = opening.move()
  return { bindings, egress: egress.doors, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
