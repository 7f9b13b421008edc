/** One call that left the Worker, once it is over. */
export interface Flow {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** The name in `env`, or `egress` for the global `connect()` and `fetch()`. */
  readonly binding: string
  readonly kind: 'connect' | 'fetch'
  /** As the Worker wrote it: `host:port`, or the origin of a URL. */
  readonly requested: string
  readonly target?: { readonly host: string; readonly port: number; readonly tls: boolean } | undefined
  /** Which rule let it pass or did not; undefined where it ended before. */
  readonly verdict?: { readonly allowed: boolean; readonly rule: string } | undefined
  /** `local`: into a private network. `direct`: to a public address. `remoteAddress` is what answered, `ip:port`. */
  readonly route?:
    | { readonly via: 'direct' | 'tunnel' | 'local' | 'edge'; readonly remoteAddress?: string | undefined }
    | undefined
  /** Of a `fetch()`; the path is without its query. */
  readonly http?: { readonly method: string; readonly path: string; readonly status?: number | undefined } | undefined
  readonly tls?: { readonly protocol: string; readonly authorized: boolean } | undefined
  /** From the Worker to the target, and back; of a `fetch()` the bodies alone. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** `aborted`: the Worker gave it up. */
  readonly outcome?: 'ok' | 'error' | 'aborted' | undefined
  /** As the page of error codes has it; `step` is where the call was by then. */
  readonly error?: { readonly code: string; readonly message: string; readonly step: string } | undefined
}

/** Which calls are meant: all of what is given must hold. */
export interface FlowFilter {
  readonly binding?: string | undefined
  readonly requested?: string | RegExp | undefined
  readonly kind?: Flow['kind'] | undefined
  readonly outcome?: Flow['outcome']
  /** Of the error. */
  readonly code?: string | undefined
}
