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

/** One direction: bytes, backpressure, and `onEnd` once `from` has ended and `to` has sent all. */
function pump(from: Duplex, to: Duplex, onBytes: (count: number) => void, onEnd: () => void): void {
  from.on('data', (chunk: Buffer) => {
    onBytes(chunk.length)
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => {
    to.end(() => {
      if (to.writableFinished) onEnd() // else it has failed, and its error is on the way
    })
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
    const stop = (): void => {
      open = 0
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (error: Error): void => {
      if (open === 0) return
      stop()
      resetStream(a)
      resetStream(b)
      reject(error)
    }
    const onAbort = (): void => fail(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
    const onEnd = (): void => {
      open -= 1
      if (open > 0) return
      stop()
      resolve()
    }
    // Listeners that stay: a stream may still fail after it has ended, and that must not become an uncaught error.
    for (const stream of [a, b]) {
      stream.on('error', fail)
      stream.on('close', () => {
        if (open === 0 || (stream.readableEnded && stream.writableFinished)) return
        fail(stream.errored ?? new Error('a stream closed before its end'))
      })
    }
    if (signal?.aborted === true) return onAbort()
    const lost = [a, b].find((stream) => stream.destroyed)
    if (lost !== undefined) return fail(lost.errored ?? new Error('a stream was closed before it was spliced'))
    signal?.addEventListener('abort', onAbort, { once: true })
    pump(a, b, (count) => (moved.forward += count), onEnd)
    pump(b, a, (count) => (moved.backward += count), onEnd)
    return undefined
  })
}
