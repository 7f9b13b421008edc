import type { BindingDoors } from '@hawser/core'
import { HttpOptions_Style } from 'miniflare'
import type { WorkerOptions } from 'miniflare'
import type { RuntimeModules } from '../runtime-modules.ts'

/** One `vpc_networks` binding with the edge's doors for it. */
export interface OpenBinding {
  readonly name: string
  readonly doors: BindingDoors
}

/** The name under which `runtime.worker.ts` finds its way to the edge; it removes it before any user code runs. */
const EGRESS_BINDING = '__HAWSER_EGRESS__'

/** The flag with which a module has no `env` to import, and so no way to reach a binding of ours. */
const NO_IMPORTABLE_ENV = 'disallow_importable_env'

/** In proxy style a request keeps its whole URL, and `connect()` becomes a CONNECT. */
function proxy(address: string) {
  return { external: { address, http: { style: HttpOptions_Style.PROXY } } }
}

/** Arriving at this socket is what identifies the binding: a CONNECT has no headers to do so (S-248). */
function fetchDoor(doors: BindingDoors) {
  return proxy(`unix:${doors.fetchSocket}`)
}

/** A module of ours behind a binding; what it is bound to itself only it can see. */
function wrapper(name: string, script: string): WorkerOptions {
  return { name, modules: [{ type: 'ESModule', path: `${name}.js`, contents: script }] }
}

const INVOCATIONS = 'hawser-invocations'

/** What all of them lean on; once for all Workers. */
export function invocationsWrapper(runtime: RuntimeModules): WorkerOptions {
  return wrapper(INVOCATIONS, runtime.invocations)
}

/** One that stands between a Worker and the doors of a binding (`Doors` in src/runtime). */
function doorsWrapper(name: string, script: string, doors: BindingDoors): WorkerOptions {
  return {
    ...wrapper(name, script),
    bindings: { CAPABILITY: doors.capability.reveal() },
    serviceBindings: { EDGE_FETCH: fetchDoor(doors), EDGE_CONNECT: proxy(doors.connectAddress) },
    wrappedBindings: { INVOCATIONS },
  }
}

/** What of Miniflare's options is about the network. */
export interface VpcParts {
  /** For the Worker itself. */
  readonly worker: Pick<WorkerOptions, 'wrappedBindings'> & { readonly outboundService: ReturnType<typeof proxy> }
  /** Beside it. */
  readonly wrappers: readonly WorkerOptions[]
  /** Whether `cloudflare:sockets` can be ours; else workerd's own goes the same way as `fetch()`. */
  readonly ownSockets: boolean
}

/**
 * What makes a Worker's calls arrive at the edge: one wrapped binding for each VPC network, and for the public side the
 * global outbound (`fetch()`, `node:net`) and a hidden binding for `cloudflare:sockets`.
 *
 * @param scope goes into the names of its wrappers, which all Workers of a workerd share
 */
export function vpcParts(
  bindings: readonly OpenBinding[],
  egress: BindingDoors,
  runtime: RuntimeModules,
  compatibilityFlags: readonly string[],
  scope = '',
): VpcParts {
  const ownSockets = !compatibilityFlags.includes(NO_IMPORTABLE_ENV)
  const named = bindings.map(({ name, doors }) => ({
    binding: name,
    wrapper: doorsWrapper(`hawser-${scope}vpc-${name}`, runtime.vpcNetwork, doors),
  }))
  if (ownSockets) {
    named.push({ binding: EGRESS_BINDING, wrapper: doorsWrapper(`hawser-${scope}egress`, runtime.egress, egress) })
  }
  return {
    worker: {
      outboundService: fetchDoor(egress),
      wrappedBindings: Object.fromEntries(named.map((entry) => [entry.binding, entry.wrapper.name ?? ''])),
    },
    wrappers: named.map((entry) => entry.wrapper),
    ownSockets,
  }
}
