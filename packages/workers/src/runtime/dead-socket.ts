/** What a `Connection` needs of a native socket. */
export type NativeSocket = Pick<Socket, 'readable' | 'writable' | 'opened' | 'closed' | 'close'>

/** Rejections of promises that nobody need look at are no unhandled rejections (S-054). */
export function markHandled(promise: Promise<unknown>): void {
  promise.catch(() => {})
}

/**
 * In the place of a native socket where none can be opened: every read and write fails with `reason`. The streams are
 * workerd's own, for streams written in JavaScript are not to be had under every compatibility date.
 */
export function deadSocket(reason: unknown): NativeSocket {
  const incoming = new IdentityTransformStream()
  const outgoing = new IdentityTransformStream()
  const failed = Promise.reject<never>(reason as Error)
  for (const promise of [incoming.writable.abort(reason), outgoing.readable.cancel(reason), failed]) {
    markHandled(promise)
  }
  return {
    readable: incoming.readable,
    writable: outgoing.writable,
    opened: failed,
    closed: failed,
    close: () => Promise.resolve(),
  }
}
