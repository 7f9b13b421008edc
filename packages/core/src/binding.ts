import type { Secret } from './secret.ts'
import type { TlsRule } from './tls-rule.ts'

/** Where the calls of a binding lead: the public Internet, or all that one tunnel's connectors reach (V-059). */
export type BindingNetwork = { readonly kind: 'public' } | { readonly kind: 'tunnel'; readonly tunnelId: string }

/** Which Worker is calling and through what. Decided by where a call arrived, never by what it says. */
export interface BindingIdentity {
  readonly worker: string
  readonly version?: string | undefined
  /** The name in `env`, or `egress` for the global `connect()` and `fetch()`. */
  readonly binding: string
  readonly network: BindingNetwork
  /** Where `connect()` leads, if elsewhere than `fetch()`: the `egress` key of `hawser.jsonc` sets it. */
  readonly connectNetwork?: BindingNetwork | undefined
  /** For TLS to targets; the first that matches counts, without one public trust and full verification do. */
  readonly tls?: readonly TlsRule[] | undefined
  /** Connections that one invocation of the Worker may have open at once; more wait (V-300). 0 for no limit. @default 6 */
  readonly connectionLimit?: number | undefined
}

/** The two doors of one binding, opened by an edge, for the runtime modules inside workerd. */
export interface BindingDoors extends AsyncDisposable {
  /**
   * Path of a unix socket that only this binding uses: proxy-form HTTP/1.1 for `fetch()`, and CONNECT from modules that
   * carry no capability (`node:net`, `node:tls`). Arriving there is the identity.
   */
  readonly fetchSocket: string
  /**
   * `127.0.0.1:port` of the edge's CONNECT listener. Over a unix socket workerd sees a reset as a clean end, over TCP as
   * the error it is, hence TCP for `connect()`; the capability in the authority is the identity there.
   */
  readonly connectAddress: string
  /** See `Authority.capability`. */
  readonly capability: Secret
}

/** What packages/workers needs of an edge. */
export interface BindingHost {
  openBinding(identity: BindingIdentity): Promise<BindingDoors>
}
