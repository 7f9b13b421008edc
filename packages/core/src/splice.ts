import type { Duplex } from 'node:stream'

/** Bytes moved by one splice: from the first stream to the second, and back. */
export interface SpliceBytes {
  forward: number
  backward: number
}

interface Resettable {
  resetAndDestroy(): void
}

function canReset(stream: Duplex): stream is Duplex & Resettable {
  return 'resetAndDestroy' in stream && typeof stream.resetAndDestroy === 'function'
}

/**
 * Ends `stream` so that its peer sees a reset, not a clean end; where the transport knows no reset (a unix socket, an
 * in-memory pair), it is destroyed.
 */
export function resetStream(stream: Duplex): void {
  if (stream.destroyed) return
  if (!canReset(stream)) {
    stream.destroy()
    return
  }
  try {
    stream.resetAndDestroy()
  } catch {
    stream.destroy() // net.Socket refuses on pipes and on sockets without a handle
  }
}

/** One direction. Calls `settled` once, with the error that ended it or nothing. */
function pump(from: Duplex, to: Duplex, count: (bytes: number) => void, settled: (error?: Error) => void): void {
  const onDrain = (): void => void from.resume()
  let done = false
  const finish = (error?: Error): void => {
    if (done) return
    done = true
    to.off('drain', onDrain)
    settled(error)
  }
  from.on('data', (chunk: Buffer) => {
    count(chunk.length)
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', onDrain)
  from.once('end', () => {
    to.end()
    finish()
  })
  from.once('error', finish)
  from.once('close', () => {
    finish(from.readableEnded ? undefined : (from.errored ?? new Error('the stream closed before its end')))
  })
}

/**
 * Moves bytes both ways until both sides have ended: an end becomes an end of the other side's writing (half-close), a
 * failure of either resets the other, and a slow reader stops the opposite writer. Takes ownership of both streams.
 *
 * @param moved counted as bytes pass, so that a record of a flow under way can be read at any time
 * @throws the error that ended either stream, or the reason of `signal`
 */
export function splice(a: Duplex, b: Duplex, moved: SpliceBytes, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let open = 2
    let failed = false
    const fail = (error: Error): void => {
      if (failed) return
      failed = true
      signal?.removeEventListener('abort', onAbort)
      resetStream(a)
      resetStream(b)
      reject(error)
    }
    const onAbort = (): void => fail(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
    const settled = (error?: Error): void => {
      if (error !== undefined) return fail(error)
      open -= 1
      if (open > 0 || failed) return undefined
      signal?.removeEventListener('abort', onAbort)
      return resolve()
    }
    // Listeners that stay: a stream may still fail after it has ended, and that must not become an uncaught error.
    a.on('error', fail)
    b.on('error', fail)
    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    pump(a, b, (bytes) => (moved.forward += bytes), settled)
    pump(b, a, (bytes) => (moved.backward += bytes), settled)
    return undefined
  })
}
