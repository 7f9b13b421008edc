/** workerd's own sockets module; only internal modules of a Worker's configuration may import it. */
declare module 'cloudflare-internal:sockets' {
  const sockets: {
    connect(address: SocketAddress | string, options?: SocketOptions): Socket
  }
  export default sockets
}

/** Behind `node:async_hooks`, and there whatever the compatibility flags say. */
declare module 'node-internal:async_hooks' {
  class AsyncLocalStorage<T> {
    getStore(): T | undefined
    run<A extends unknown[], R>(store: T, call: (...args: A) => R, ...args: A): R
  }
  const hooks: { readonly AsyncLocalStorage: typeof AsyncLocalStorage }
  export default hooks
}

/** Behind `cloudflare:workers`, which internal modules may not import. */
declare module 'cloudflare-internal:workers' {
  const workers: {
    /** Keeps the invocation that calls it alive until `promise` has settled. */
    waitUntil(promise: Promise<unknown>): void
  }
  export default workers
}
