import type { HostPort } from './address.ts'
import type { Dialer } from './dialer.ts'
import type { Secret } from './secret.ts'
import type { TlsRule, TlsVerification } from './tls-rule.ts'

/**
 * Where the calls of a binding lead: the public Internet, all that one tunnel's connectors reach (V-059), a network that
 * spans several ways, or the one target of a VPC Service whatever the call names (V-025).
 */
export type BindingNetwork =
  | { readonly kind: 'public' }
  | { readonly kind: 'tunnel'; readonly tunnelId: string }
  | {
      readonly kind: 'network'
      readonly networkId: string
      /** Name or id of the virtual network whose routes are meant; unless given, `networkId` says which. */
      readonly virtualNetwork?: string | undefined
    }
  | { readonly kind: 'service'; readonly serviceId: string }

/** What a VPC Service is registered as. Without a port for what is asked, the call fails (V-004, V-005). */
export interface VpcService {
  /** A name or an address literal without brackets: what is dialled, and never what is verified. */
  readonly host: string
  /** Its IPv6 address where `host` is the IPv4 one: whichever answers first is used. */
  readonly otherHost?: string | undefined
  /** Asked for `host` in place of the connector's own resolver (V-009). */
  readonly resolverIps?: readonly string[] | undefined
  /** For `fetch()` of `http:` URLs. */
  readonly httpPort?: number | undefined
  /** For `fetch()` of `https:` URLs. */
  readonly httpsPort?: number | undefined
  /** For `connect()`. */
  readonly tcpPort?: number | undefined
  /** Where no rule of the binding's says otherwise (V-010). @default 'verify_full' */
  readonly verify?: TlsVerification | undefined
}

/** The way out of the edge that the calls of a binding take. */
export type BindingWay =
  | {
      readonly kind: 'tunnel'
      readonly tunnelId: string
      /** The route that decided, where one did: `10.0.0.0/16`, `*.svc.internal`. */
      readonly matched?: string | undefined
    }
  /** Dials from this process: the stand-ins of a developer's own machine. */
  | { readonly kind: 'local'; readonly dialer: Dialer }
  /** Dials through an edge elsewhere, as a client of it. */
  | { readonly kind: 'edge'; readonly dialer: Dialer }

/** What the networks of bindings stand for. Asked anew at each call, so it answers at once and from memory. */
export interface BindingResolver {
  /** Undefined for a service that nobody knows. */
  service(identity: BindingIdentity, serviceId: string): VpcService | undefined
  /**
   * Undefined where no way is known. Never asked about public egress.
   *
   * @param target lower case or canonical, no brackets
   * @throws {HawserError} `destination_not_found`, with what was looked at
   */
  way(identity: BindingIdentity, network: BindingNetwork, target: HostPort): BindingWay | undefined
  /**
   * What stands in for a public host, which is then not resolved; the name is judged all the same. Undefined for nothing.
   *
   * @default for no host
   */
  standIn?(identity: BindingIdentity, target: HostPort): Dialer | undefined
}

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
