/** What `opened` gives. */
export interface SocketInfo {
  readonly remoteAddress?: string | undefined
  readonly localAddress?: string | undefined
}

/**
 * A Socket as the behaviours know it. The hosts bring three types of their own, none of which the others could name; this is
 * what they have in common. Chunks written are `unknown` because behaviours also write what must be refused.
 */
export interface Socket {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly writable: WritableStream<unknown>
  readonly opened: Promise<SocketInfo>
  readonly closed: Promise<void>
  readonly upgraded: boolean
  readonly secureTransport: string
  close(reason?: unknown): Promise<void>
  startTls(options?: unknown): Socket
}

/** `connect()` of one host; arguments are `unknown` because behaviours also pass what must be refused. */
export type Connect = (address?: unknown, options?: unknown) => Socket
