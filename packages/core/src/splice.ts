import type { Duplex } from 'node:stream'
import type { Channel, ChannelSink } from './channel.ts'
import type { StopSignal } from './stop.ts'
import { channelOf } from './duplex-channel.ts'

/** Bytes moved by one splice: from the first connection to the second, and back. */
export interface SpliceBytes {
  forward: number
  backward: number
}

/** Called once: with the error that ended the splice, or with nothing after both ends. */
type Over = (error?: Error) => void

/** Two connections joined. */
class Splice {
  readonly moved: SpliceBytes
  readonly #ends: readonly [SplicedEnd, SplicedEnd]
  readonly #over: Over
  #open = 2

  constructor(a: Channel, b: Channel, moved: SpliceBytes, over: Over) {
    this.moved = moved
    this.#over = over
    this.#ends = [new SplicedEnd(this, a, b, true), new SplicedEnd(this, b, a, false)]
  }

  start(): void {
    const [one, other] = this.#ends
    const lost = one.from.lost ?? other.from.lost
    if (lost !== undefined) return this.fail(lost)
    one.from.deliverTo(one)
    other.from.deliverTo(other)
    one.from.resume()
    return other.from.resume()
  }

  /** One of the two has sent its end. */
  sent(): void {
    if (this.#open === 0) return
    this.#open -= 1
    if (this.#open === 0) this.#over()
  }

  fail(error: Error): void {
    if (this.#open === 0) return
    this.#open = 0
    for (const { from } of this.#ends) from.reset()
    this.#over(error)
  }
}

/** What one of the two delivers, and where to. */
class SplicedEnd implements ChannelSink {
  readonly from: Channel
  readonly #to: Channel
  readonly #splice: Splice
  readonly #isFirst: boolean

  constructor(splice: Splice, from: Channel, to: Channel, isFirst: boolean) {
    this.#splice = splice
    this.from = from
    this.#to = to
    this.#isFirst = isFirst
  }

  onData(chunk: Buffer): void {
    const { moved } = this.#splice
    if (this.#isFirst) moved.forward += chunk.length
    else moved.backward += chunk.length
    if (!this.#to.write(chunk)) this.from.pause()
  }

  onEnd(): void {
    this.#to.end()
  }

  onDrain(): void {
    this.#to.resume()
  }

  onSent(): void {
    this.#splice.sent()
  }

  onLost(error: Error): void {
    this.#splice.fail(error)
  }
}

/**
 * Moves bytes both ways until both sides have ended: an end becomes an end of the other side's writing (half-close), a
 * failure of either resets the other, and a slow reader stops the opposite writer. Takes ownership of both connections.
 *
 * @param moved counted as bytes pass, so that a record of a flow under way can be read at any time
 * @throws the error that ended either connection, or the reason of `signal`
 */
export function splice(
  a: Channel | Duplex,
  b: Channel | Duplex,
  moved: SpliceBytes,
  signal?: StopSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const spliced = new Splice(channelOf(a), channelOf(b), moved, (error) => {
      signal?.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    })
    const onAbort = (): void => spliced.fail(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    return spliced.start()
  })
}
