/**
 * One open connection as those see it who only move its bytes. A `node:stream` costs more than the work itself where a
 * connection lives for one question and one answer, so whatever carries flows by the thousand is a Channel, and becomes a
 * Duplex only for those who need one (TLS, HTTP).
 *
 * Its two directions end independently. Nothing is delivered before {@link resume}; after {@link reset} nothing is.
 */
export interface Channel {
  /** Why the connection is over, where it failed or was reset; undefined while it is open and after two clean ends. */
  readonly lost: Error | undefined
  /** Who is told from now on. A later sink takes the place of an earlier one. */
  deliverTo(sink: ChannelSink): void
  /** Sends `chunk`, which must not change afterwards. False asks for a pause until {@link ChannelSink.onDrain}. */
  write(chunk: Buffer): boolean
  /** Ends this side's writing once all is sent; then {@link ChannelSink.onSent}. */
  end(): void
  /** Asks for no more data or end; what has arrived waits, up to the peer's credit. */
  pause(): void
  resume(): void
  /** Ends both directions now, so that the peer sees a failure, not an end. The sink is told nothing. */
  reset(): void
}

/** Takes what a {@link Channel} delivers. */
export interface ChannelSink {
  onData(chunk: Buffer): void
  /** The peer has ended its writing. */
  onEnd(): void
  /** After a `write` that gave false: there is room again. */
  onDrain(): void
  /** All that was written has been handed over, the end included. */
  onSent(): void
  /** The connection failed, and is released already. Nothing follows. */
  onLost(error: Error): void
}
