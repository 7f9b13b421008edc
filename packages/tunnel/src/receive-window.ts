import { INITIAL_WINDOW_BYTES } from './frame.ts'

/** Largest window a stream may grow to. At 100 ms of round trip it carries 40 MB/s. */
export const MAX_WINDOW_BYTES: number = 4 * 1024 * 1024
/** What all streams of one session together may have above their initial windows: the price of growing is bounded. */
export const SESSION_GROWTH_BYTES: number = 64 * 1024 * 1024

/** Shared by the streams of a session. */
export interface WindowPool {
  /** Bytes by which windows may still grow. */
  growthLeft: number
  /** Latest measured round trip in milliseconds; 0 while unknown. */
  roundTripMs: number
}

/**
 * The credit one stream has given its peer. Credit comes back when bytes are consumed, not when they arrive, and only once
 * half a window is owed, so that a window update goes with every 128 KiB and not with every frame.
 *
 * The window doubles when half of it is used up within two round trips: then it, and not the link or the reader, is what
 * limits the stream.
 */
export class ReceiveWindow {
  readonly #pool: WindowPool
  #size = INITIAL_WINDOW_BYTES
  #credit = INITIAL_WINDOW_BYTES
  #grantedAt = 0

  constructor(pool: WindowPool) {
    this.#pool = pool
  }

  /** Bytes the peer may still send. */
  get credit(): number {
    return this.#credit
  }

  /** Most bytes that can be waiting for the reader. */
  get size(): number {
    return this.#size
  }

  /** The peer has used `bytes` of its credit. The caller has compared them with {@link credit}. */
  spend(bytes: number): void {
    this.#credit -= bytes
  }

  /**
   * Credit to send now, in bytes, or 0: nothing is owed, or less than half a window.
   *
   * @param buffered bytes that have arrived and are not consumed
   */
  grant(buffered: number): number {
    let owed = this.#size - this.#credit - buffered
    if (owed * 2 < this.#size) return 0
    owed += this.#grow()
    this.#credit += owed
    return owed
  }

  /** Gives back to the pool what this window had grown. The stream is over. */
  release(): void {
    this.#pool.growthLeft += this.#size - INITIAL_WINDOW_BYTES
    this.#size = INITIAL_WINDOW_BYTES
  }

  #grow(): number {
    const pool = this.#pool
    if (pool.roundTripMs === 0 || this.#size >= MAX_WINDOW_BYTES) return 0
    const now = performance.now()
    const quick = now - this.#grantedAt < 2 * pool.roundTripMs
    this.#grantedAt = now
    if (!quick || pool.growthLeft < this.#size) return 0
    pool.growthLeft -= this.#size
    const growth = this.#size
    this.#size *= 2
    return growth
  }
}
