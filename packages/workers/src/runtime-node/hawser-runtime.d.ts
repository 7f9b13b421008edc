/** What of `src/runtime/runtime.worker.ts` these modules use; they have compiler settings of their own. */
declare module 'hawser:runtime' {
  /** Streams that the caller has locked. */
  export interface HeldStreams {
    /** The read under way, or one more. */
    readonly nextRead: () => Promise<{ readonly done: boolean }>
    readonly writer: WritableStreamDefaultWriter
  }

  /** `Connection` of `src/runtime/connection.ts`. */
  export interface OpenConnection {
    readonly readable: ReadableStream<Uint8Array>
    readonly writable: WritableStream<Uint8Array>
    /** Rejects with an error whose `code` is one of Hawser's. */
    readonly opened: Promise<unknown>
    readonly closed: Promise<void>
    /** Flushes, then lets the connection go. */
    close(): Promise<void>
    /** Ends it both ways, now, so that the other end sees a reset. */
    abort(reason: unknown): void
    startTls(options: { readonly expectedServerHostname?: string | undefined }, held: HeldStreams): OpenConnection
  }

  /** Starts a connection the way that `connect()` of `cloudflare:sockets` goes. */
  export function openConnection(
    address: { readonly hostname: string; readonly port: number },
    options: { readonly secureTransport: 'on' | 'starttls'; readonly allowHalfOpen: boolean },
  ): OpenConnection
}
