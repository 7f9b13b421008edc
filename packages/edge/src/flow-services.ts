import { createSecureContext } from 'node:tls'
import type { BindingResolver } from '@hawser/core'
import { publicEgress } from '@hawser/policy'
import { directDialer } from './direct-dialer.ts'
import type { FlowLimits, FlowServices, TunnelRoutes } from './flow/context.ts'
import { InvocationLimiter } from './flow/invocation-limiter.ts'
import { FlowRecorder } from './flow/record.ts'
import { relaxEgress } from './flow/relaxed-egress.ts'
import { createResolver } from './name-resolver.ts'
import type { EdgeOptions } from './options.ts'
import type { OwnListeners } from './own-listeners.ts'

const LIMITS: FlowLimits = {
  maxOpenFlows: 1_000,
  resolveTimeoutMs: 5_000,
  dialTimeoutMs: 15_000,
  handshakeTimeoutMs: 15_000,
}

/** What the flows of one edge lean on. */
export function flowServices(
  options: Omit<EdgeOptions, 'dataDir' | 'tunnel' | 'advertise'>,
  ownListeners: OwnListeners,
  tunnels: TunnelRoutes,
  resolver: BindingResolver,
): FlowServices {
  const { logger, onFlow, onQueued, tlsSessions } = options
  const relaxed = new Set(options.relaxed)
  return {
    logger,
    egress: relaxEgress(publicEgress({ ownListeners: ownListeners.list }), relaxed),
    relaxed,
    resolver,
    onQueued,
    resolve: createResolver(LIMITS.resolveTimeoutMs),
    tunnels,
    directDialer,
    trust: createSecureContext({ minVersion: 'TLSv1.2' }),
    tlsSessions,
    invocations: new InvocationLimiter(),
    recorder: new FlowRecorder(logger, onFlow),
    limits: LIMITS,
  }
}
