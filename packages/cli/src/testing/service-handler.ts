import type { Socket } from 'node:net'

/** An HTTP service: what the default export of a Worker or an app of Hono's looks like. What it throws fails the test. */
export interface HttpHandler {
  readonly fetch: (request: Request) => Response | Promise<Response>
}

/** A TCP service: called with every connection. What it throws, or rejects with, fails the test. */
export type TcpHandler = (socket: Socket) => unknown

/** What one side of a connection does next. */
export type ScriptStep =
  /** The next bytes must be these; a `RegExp` must match from where they begin, each byte taken as one character. */
  | { readonly expect: string | Uint8Array | RegExp }
  /** Sends these bytes. */
  | { readonly reply: string | Uint8Array }
  /** Ends this side, as `socket.end()` does; the Worker may go on writing. */
  | { readonly end: true }
  /** Ends the connection as a crash would, by a reset. */
  | { readonly reset: true }

/**
 * What a service does with every connection: the steps in their order. Other bytes than expected, fewer, or any after the last
 * step fail the test.
 */
export type Script = readonly ScriptStep[]

/** What a private service does. */
export type ServiceHandler = TcpHandler | HttpHandler | Script
