import { formatHostPort } from '@hawser/core'
import type { BindingIdentity, FlowRecord } from '@hawser/core'
import type { Call } from './context.ts'
import { newFlowId } from './flow-id.ts'

/** The address of a CONNECT, or the origin of a URL, as the Worker wrote it. */
function requestedBy(call: Call): string {
  if (call.kind === 'fetch') return call.url.origin.text
  // The host of a CONNECT keeps its brackets, so it is joined as it stands.
  return call.host.startsWith('[') ? `${call.host}:${call.port}` : formatHostPort(call)
}

/**
 * Step 1, identify: which Worker and binding is this? The door knows, by where the call arrived; nothing in the call
 * itself has a say. The record begins here.
 *
 * @param now milliseconds since the epoch
 */
export function identify(identity: BindingIdentity, call: Call, now: number): FlowRecord {
  const { worker, version, binding } = identity
  const network = call.kind === 'connect' ? (identity.connectNetwork ?? identity.network) : identity.network
  const flow: FlowRecord = {
    id: newFlowId(now),
    startedAt: now,
    worker,
    version,
    binding,
    network,
    kind: call.kind,
    requested: requestedBy(call),
    bytesSent: 0,
    bytesReceived: 0,
    timings: {},
  }
  if (call.kind === 'fetch') {
    const query = call.url.path.indexOf('?')
    flow.http = { method: call.method, path: query < 0 ? call.url.path : call.url.path.slice(0, query) }
  }
  return flow
}
