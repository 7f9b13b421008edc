import type { Duplex } from 'node:stream'
import { HawserError, Stop } from '@hawser/core'
import type {
  AuthorityOperation,
  BindingIdentity,
  BindingResolver,
  Dialed,
  Dialer,
  FlowRecord,
  FlowTarget,
  Logger,
  StopSignal,
} from '@hawser/core'
import type { EgressPolicy } from '@hawser/policy'
import type { Resolve } from '../name-resolver.ts'
import type { SecureContext } from 'node:tls'
import type { FetchCall } from '../http/fetch-call.ts'
import type { TlsClient } from '../tls/tls-client.ts'
import type { UpstreamPool } from '../http/upstream-pool.ts'
import type { Upstream } from '../http/upstream.ts'
import type { FailureMemory } from './failure-memory.ts'
import type { InvocationLimiter } from './invocation-limiter.ts'
import type { RelaxableRule } from './relaxed-egress.ts'
import type { FlowRecorder } from './record.ts'
import type { Upgrade, Upgrades } from './upgrades.ts'

/** A CONNECT that waits for its answer. */
export interface ConnectCall {
  readonly kind: 'connect'
  /** Host as written, without the module's suffix; IPv6 literals in brackets. */
  readonly host: string
  readonly port: number
  /** What the runtime module asks for; `c`, a plain connection, where none made the call. */
  readonly operation: AuthorityOperation
  /** By which the runtime module will ask what became of the call, where one made it. */
  readonly callId: string | undefined
  /** Called when the Worker gives up before {@link accept}. */
  onGone: ((reason: HawserError) => void) | undefined
  /** Answers that the connection stands and hands over the Worker's side of it. */
  accept(): Duplex
  /** Answers that it does not. Does nothing once accepted. */
  refuse(error: HawserError, flow: FlowRecord): void
}

/** One call as a door hands it to the flow. */
export type Call = ConnectCall | FetchCall

/** What one open binding owns that its flows share. */
export interface FlowBinding {
  readonly identity: BindingIdentity
  readonly pool: UpstreamPool
  readonly failures: FailureMemory
  readonly tls: TlsClient
  readonly upgrades: Upgrades
  /** Flows under way. */
  readonly open: Set<FlowContext>
}

/** One connector's connection. */
export interface TunnelDialer extends Dialer {
  readonly connector: { readonly id: string }
}

/** The ways into tunnels, as the flow sees them. */
export interface TunnelRoutes {
  /** The best connection of a tunnel for a target, of those not in `except`; of another connector than those, if there is one. */
  pick(tunnelId: string, except?: ReadonlySet<Dialer>, target?: FlowTarget): TunnelDialer | undefined
  /** Why {@link pick} found none: `destination_unavailable`, with what can be done about it. */
  explain(tunnelId: string): Promise<HawserError>
}

export interface FlowLimits {
  /** Calls of one binding under way at once. */
  readonly maxOpenFlows: number
  readonly resolveTimeoutMs: number
  /** From the first attempt to an open connection, whatever the number of addresses. */
  readonly dialTimeoutMs: number
  readonly handshakeTimeoutMs: number
  /** How long the two halves of an upgrade to TLS wait for each other. @default 10_000 */
  readonly upgradeTimeoutMs?: number | undefined
}

/** What the steps lean on, given once to all flows of an edge. */
export interface FlowServices {
  readonly logger: Logger
  readonly egress: EgressPolicy
  readonly resolve: Resolve
  readonly tunnels: TunnelRoutes
  /** Opens direct connections to these addresses and no others. */
  readonly directDialer: (addresses: readonly string[]) => Dialer
  /** Trust for TLS to targets; one for all, since reading the roots anew costs more than a handshake. */
  readonly trust: SecureContext
  /** Whether TLS sessions with targets are resumed. @default true */
  readonly tlsSessions?: boolean | undefined
  /** One for all bindings: a Worker's invocation may use several. */
  readonly invocations: InvocationLimiter
  /** What networks other than tunnels stand for. @default none is known */
  readonly resolver?: BindingResolver | undefined
  /** Rules of public egress that do not hold here; `egress` knows of them too. */
  readonly relaxed?: ReadonlySet<RelaxableRule> | undefined
  /** Told of a connection that has to wait until its invocation has fewer open (V-300). */
  readonly onQueued?: ((flow: FlowRecord) => void) | undefined
  readonly recorder: FlowRecorder
  readonly limits: FlowLimits
}

/** One flow on its way through the steps. Each step reads what earlier ones left here and leaves its own. */
export class FlowContext {
  readonly services: FlowServices
  readonly binding: FlowBinding
  readonly call: Call
  readonly flow: FlowRecord
  /** Set by admit. */
  admitted = false
  /** Set by admit where the invocation's connections are counted: gives this one's place back. */
  leave: (() => void) | undefined
  /** Whether a kept connection may serve; not again after one turned out to be dead. */
  mayReuse = true
  /** Set by target where something stands in for a public host; what it dials is no public address, and not judged. */
  standIn: Dialer | undefined
  /** Set by route; by dial where another one served. */
  dialer: Dialer | undefined
  /** Set by route where there may be other ways to the target, for when one turns out to be closed. */
  alternative: ((tried: ReadonlySet<Dialer>) => TunnelDialer | undefined) | undefined
  /** Of a connection that may be upgraded to TLS later, from the start to the end of its flow. */
  upgrade: Upgrade | undefined
  /** Set by dial; its stream replaced by secure. Relay takes it away. */
  dialed: Dialed | undefined
  /** Set by target where a kept connection serves, else by secure. Relay takes it away. */
  upstream: Upstream | undefined
  readonly #stop = new Stop()

  constructor(services: FlowServices, binding: FlowBinding, call: Call, flow: FlowRecord) {
    this.services = services
    this.binding = binding
    this.call = call
    this.flow = flow
    call.onGone = (reason) => this.abort(reason)
  }

  /** Aborts when the Worker gives up or the edge stops. */
  get signal(): StopSignal {
    return this.#stop
  }

  /** Where the target is, once the target step has said so. */
  get target(): FlowTarget {
    const { target } = this.flow
    if (target === undefined) throw new HawserError('proxy_internal_error', 'a step ran before its target was known')
    return target
  }

  get aborted(): boolean {
    return this.#stop.aborted
  }

  /** Ends the flow now, in whatever step it is. Later reasons count for nothing. */
  abort(reason: HawserError): void {
    if (this.aborted) return
    this.#stop.abort(reason)
    if (this.call.kind === 'fetch') this.call.abort(reason) // a splice follows the signal
  }

  /** @throws {HawserError} the reason, once the flow has been aborted */
  throwIfAborted(): void {
    if (this.aborted) throw this.#stop.reason
  }
}
