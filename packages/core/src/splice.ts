import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

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

/** A socket of the kernel's. It cannot be reset while it waits to send its end (EINVAL); Node then forgets to close it. */
function isKernelSocket(stream: Duplex): boolean {
  return canReset(stream) && stream.resetAndDestroy === Socket.prototype.resetAndDestroy
}

/**
 * Ends `stream` so that its peer sees a reset, not a clean end; where the transport knows no reset (a unix socket, an
 * in-memory pair), it is destroyed.
 */
export function resetStream(stream: Duplex): void {
  if (stream.destroyed) return
  const ending = stream.writableEnded && !stream.writableFinished
  if (!canReset(stream) || (ending && isKernelSocket(stream))) {
    stream.destroy()
    return
  }
  try {
    stream.resetAndDestroy()
  } catch {
    stream.destroy() // net.Socket refuses on pipes and on sockets without a handle
  }
}

const NOTHING = Buffer.alloc(0)

/** Nothing is left to read or to send, and the kernel's own end is all that its peer waits for (TLS says farewell first). */
function isSpent(stream: Duplex): boolean {
  return stream.readableEnded && stream.writableLength === 0 && isKernelSocket(stream) && !(stream instanceof TLSSocket)
}

/**
 * Ends `stream`; a socket only once all that was written has been handed over: one that waits to send its end can no longer
 * be reset, and a slow peer could make that wait long. A socket that has been read to its end is closed, which sends the end
 * as well and saves a turn: some 8 % of what a short connection costs.
 *
 * @param onFinished called when the end is out; not where the stream fails, of which its own events tell
 */
export function endWhenSent(stream: Duplex, onFinished: () => void): void {
  if (isSpent(stream)) {
    stream.destroy()
    onFinished()
    return
  }
  const end = (): void => {
    stream.end(() => {
      if (stream.writableFinished) onFinished()
    })
  }
  if (stream.writableLength === 0 || !isKernelSocket(stream)) end()
  else stream.write(NOTHING, (error) => (error === undefined || error === null ? end() : undefined))
}

/**
 * A chunk of this size is likely to have company: the pieces that one read brings, such as the records of TLS, then leave in
 * one write. Small ones go at once, since somebody waits for them.
 */
const BULK_BYTES = 4 * 1024

/** One direction: bytes, backpressure, and `onEnd` once `from` has ended and `to` has sent all. */
function pump(from: Duplex, to: Duplex, onBytes: (count: number) => void, onEnd: () => void): void {
  const gathers = isKernelSocket(to)
  let corked = false
  const uncork = (): void => {
    corked = false
    to.uncork()
  }
  from.on('data', (chunk: Buffer) => {
    onBytes(chunk.length)
    if (gathers && !corked && chunk.length >= BULK_BYTES) {
      corked = true
      to.cork()
      setImmediate(uncork)
    }
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => endWhenSent(to, onEnd))
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
      for (const stream of [a, b]) {
        if (stream.writableCorked > 0) stream.uncork() // what came before the failure leaves before the reset
        resetStream(stream)
      }
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
