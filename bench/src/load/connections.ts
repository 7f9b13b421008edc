import type { Socket } from 'node:net'

/** A client connection that is meant to stay open until the load has been counted. */
export interface Connection {
  readonly socket: Socket
  /** Settles when it is open. */
  readonly ready: Promise<void>
  /** Rejects if it ends before {@link endAll}; never resolves. */
  readonly failed: Promise<never>
  /** Set by {@link endAll}: from here on an end is no failure. */
  ending: boolean
}

/** Watches a socket that has just been created. */
export function opened(socket: Socket): Connection {
  socket.setNoDelay(true)
  const ready = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<never>()
  const connection: Connection = { socket, ready: ready.promise, failed: failed.promise, ending: false }
  let cause = new Error('a connection ended early')
  socket.once('connect', () => ready.resolve())
  socket.on('error', (error) => (cause = error))
  socket.once('close', () => {
    ready.reject(cause)
    if (!connection.ending) failed.reject(cause)
  })
  // Whoever waits for one of the two may already have given up because of the other.
  ready.promise.catch(() => {})
  failed.promise.catch(() => {})
  return connection
}

/** Closes all of them and waits until they are gone. */
export async function endAll(connections: readonly Connection[]): Promise<void> {
  await Promise.all(
    connections.map(async (connection) => {
      connection.ending = true
      if (connection.socket.closed) return
      const gone = new Promise<void>((resolve) => connection.socket.once('close', () => resolve()))
      connection.socket.destroy()
      await gone
    }),
  )
}

/** How long a load runs. */
export interface Span {
  /** Not counted: windows, buffers and compilers settle. */
  readonly rampMs: number
  readonly countMs: number
}

/** Lets a load that is under way run on for `ms`. @throws what `failed` rejects with */
export async function runFor(ms: number, failed: Promise<never>): Promise<void> {
  await Promise.race([failed, new Promise<void>((resolve) => setTimeout(resolve, ms))])
}

/**
 * Runs a load that is under way for its span and gives its counter's growth per second.
 *
 * @param failed rejects when the load breaks down
 * @throws what `failed` rejects with, or an Error if nothing moved
 */
export async function countOver(span: Span, failed: Promise<never>, counter: () => number): Promise<number> {
  await runFor(span.rampMs, failed)
  const [first, startedAt] = [counter(), performance.now()]
  await runFor(span.countMs, failed)
  const seconds = (performance.now() - startedAt) / 1_000
  const moved = counter() - first
  if (moved === 0) throw new Error('nothing came through')
  return moved / seconds
}
