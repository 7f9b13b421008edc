import type { HawserError, Logger, Secret } from '@hawser/core'
import type { Directory } from '@hawser/directory'
import type { Context } from 'hono'
import type { ErrorAnswers } from './errors.ts'

/** How a connector finds one target that it was told to probe. */
export interface ApiTargetHealth {
  readonly host: string
  readonly port: number
  readonly healthy: boolean
  /** Why not. */
  readonly code?: string | undefined
}

/** How things stand with a connector, by its own account. */
export interface ApiReport {
  /** Connections that it has and wants, to all edges together. */
  readonly connections: { readonly up: number; readonly of: number }
  /** Version of the configuration that it follows. */
  readonly configuration: number
  readonly targets: readonly ApiTargetHealth[]
}

/** One live connection of a connector, as an edge holds it. */
export interface ApiConnection {
  readonly id: string
  /** What the connector says of itself. */
  readonly connector: {
    readonly id: string
    readonly version: string
    readonly hostname: string
    readonly platform: string
  }
  /** `ip:port`. */
  readonly remoteAddress: string
  /** Milliseconds since the epoch. */
  readonly openedAt?: number | undefined
  /** 0 to 100: connectors of a smaller weight stand by. */
  readonly weight?: number | undefined
  /** False once it opens nothing new: its connector or its edge is leaving. */
  readonly accepting?: boolean | undefined
  /** It does not answer, and will be ended if that lasts. */
  readonly silent?: boolean | undefined
  /** What its connector said last of how things stand with it. */
  readonly report?: ApiReport | undefined
  /** Ends the connection now. The connector is told that somebody wanted it so. */
  disconnect(reason: HawserError): void
}

/** What the API serves from. It holds no state of its own. */
export interface ApiOptions {
  readonly directory: Directory
  /** The token by which a connector of this tunnel finds the edge and proves itself. */
  tunnelToken(tunnelId: string): Promise<Secret>
  /** The live connections of a tunnel on this edge, at this moment; none for a tunnel nobody knows. */
  connections(tunnelId: string): readonly ApiConnection[]
  /** Tells the connectors of a tunnel that it has a new configuration. */
  configureTunnel?(tunnelId: string): Promise<void>
  readonly logger: Logger
}

/** What earlier steps leave for a handler. */
export interface ApiEnv {
  Variables: {
    /** Who is calling. */
    apiToken: { readonly id: string; readonly name: string }
  }
}

/** One request on its way, with what earlier steps left. */
export type ApiContext = Context<ApiEnv>
/** Methods a resource may serve; HEAD comes with GET. */
export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/** Answers with `answer()`, and throws for everything else: an `ApiRefusal`, or whatever the directory threw. */
export type ApiHandler = (context: ApiContext) => Response | Promise<Response>

/** One path below `/client/v4`, with Hono's `:names`, and what it answers. Other methods get 405 by themselves. */
export interface ApiRoute {
  readonly path: string
  readonly methods: Readonly<Partial<Record<ApiMethod, ApiHandler>>>
}

/** One resource of the vendor's API: a folder here, and this value. */
export interface ApiResource {
  readonly routes: readonly ApiRoute[]
  /** How errors of the directory are told by this resource; the rest is common to all. */
  readonly errors: ErrorAnswers
}
