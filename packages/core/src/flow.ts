import type { BindingNetwork } from './binding.ts'
import type { ErrorCode } from './errors.ts'

/** The nine steps, in the order every flow takes them (ARCHITECTURE.md, "The Flow"). */
export const FLOW_STEPS = [
  'identify',
  'target',
  'admit',
  'policy',
  'route',
  'dial',
  'secure',
  'relay',
  'record',
] as const
export type FlowStep = (typeof FLOW_STEPS)[number]

export type FlowKind = 'connect' | 'fetch'

/** How a flow ended. `aborted`: the Worker gave it up; `error`: see `FlowRecord.error`. */
export type FlowOutcome = 'ok' | 'error' | 'aborted'

export interface FlowTarget {
  /** A name or an address literal, lower case, no brackets, no trailing dot. */
  readonly host: string
  readonly port: number
  /** Whether Hawser speaks TLS to the target. */
  readonly tls: boolean
  /** What the Worker calls it and a certificate must be for, where that is not the host: a VPC Service (V-026). */
  readonly name?: string | undefined
  /** See `VpcService`. */
  readonly otherHost?: string | undefined
  readonly resolverIps?: readonly string[] | undefined
  /** What the name resolved to, where this edge resolved it: the only addresses that may be dialled. */
  readonly addresses?: readonly string[] | undefined
}

export interface FlowVerdict {
  readonly allowed: boolean
  /** Name of the rule that decided: `blocked-destinations/loopback`, `default-allow`. */
  readonly rule: string
}

export interface FlowRoute {
  /** `local`: dialled by this process on behalf of a private network. `edge`: through an edge elsewhere. */
  readonly via: 'direct' | 'tunnel' | 'local' | 'edge'
  readonly tunnelId?: string | undefined
  /** The route that led there, as it is listed: `10.0.0.0/16`, `*.svc.internal`. Undefined where the binding names the way. */
  readonly matched?: string | undefined
  readonly connectorId?: string | undefined
  /** The address that answered, `ip:port`. */
  readonly remoteAddress?: string | undefined
}

export interface FlowHttp {
  readonly method: string
  /** Path without the query, which may hold secrets. */
  readonly path: string
  readonly status?: number | undefined
}

export interface FlowTls {
  readonly protocol: string
  /** Whether the certificate was found good, asked for or not. */
  readonly authorized: boolean
  /** True where an earlier session was resumed. */
  readonly resumed?: true | undefined
  /** What the rule that applied matches, where one did: `db.internal:5432`. */
  readonly rule?: string | undefined
}

/** All that is known of one call. Logs, metrics and the inspector read this and nothing else. */
export interface FlowRecord {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly worker: string
  readonly version?: string | undefined
  readonly binding: string
  readonly network: BindingNetwork
  readonly kind: FlowKind
  /** The address or URL origin as the Worker wrote it. */
  readonly requested: string
  target?: FlowTarget
  verdict?: FlowVerdict
  route?: FlowRoute
  http?: FlowHttp
  tls?: FlowTls
  /** Bytes from the Worker to the target, and back. Bodies only for `fetch`. */
  bytesSent: number
  bytesReceived: number
  /** Milliseconds spent in each step that was reached. */
  readonly timings: Partial<Record<FlowStep, number>>
  outcome?: FlowOutcome
  error?: { readonly code: ErrorCode; readonly message: string; readonly step: FlowStep }
}
