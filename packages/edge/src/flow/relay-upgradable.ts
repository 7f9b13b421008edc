import type { Duplex } from 'node:stream'
import { HawserError, resetStream, splice } from '@hawser/core'
import { parseHost } from '@hawser/policy'
import { ClearRelay } from './clear-relay.ts'
import type { ConnectCall, FlowContext } from './context.ts'
import { FlowBytes } from './flow-bytes.ts'
import { relayError } from './relay-error.ts'
import { secureStream } from './secure.ts'
import type { Upgrade } from './upgrades.ts'

/**
 * Relays a connection that begins in clear and may go over to TLS: by `startTls()` the Worker's first stream ends, the edge
 * does the handshake with the target, and a second stream of the Worker carries on. All of it is one flow.
 *
 * @throws {HawserError} as relay does, and as secure does
 */
export async function joinUpgradable(context: FlowContext, call: ConnectCall, upgrade: Upgrade): Promise<void> {
  const { dialed, flow, signal } = context
  if (dialed === undefined) throw new HawserError('proxy_internal_error', 'a step ran before the target was dialled')
  context.dialed = undefined // owned by the relay from here on
  const worker = call.accept()
  const moved = new FlowBytes(flow)
  const relay = new ClearRelay(worker, dialed.stream, moved, signal)
  const running = relay.run()
  upgrade.begin(relay)
  const outcome = await running.catch((error: unknown) => {
    throw relayError(error, worker)
  })
  if (outcome === 'ended') return
  const { successor, stream } = await takeOver(context, dialed.stream, upgrade)
  const next = upgrade.accept(successor)
  await splice(next, stream, moved, signal).catch((error: unknown) => {
    throw relayError(error, next)
  })
  worker.destroy() // has ended both ways, if its module has read to the end
}

interface TakenOver {
  readonly successor: ConnectCall
  /** The target, under TLS. */
  readonly stream: Duplex
}

/** Everything in clear has been sent. What the target has sent since and nobody was given becomes part of the handshake. */
async function takeOver(context: FlowContext, target: Duplex, upgrade: Upgrade): Promise<TakenOver> {
  const { flow } = context
  const startedAt = performance.now()
  try {
    const successor = await upgrade.successor()
    const parsed = parseHost(successor.host)
    flow.target = { ...context.target, tls: true }
    const name = parsed.kind === 'ip' ? parsed.ip : parsed.name
    return { successor, stream: await secureStream(context, target, name) }
  } catch (error) {
    resetStream(target)
    throw error
  } finally {
    flow.timings.secure = (flow.timings.secure ?? 0) + performance.now() - startedAt
  }
}
