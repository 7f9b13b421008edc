/** What a {@link Keepalive} watches and whom it tells. */
export interface KeepaliveOptions {
  /** Gap between pings. */
  readonly intervalMs: number
  /** Silence after a ping that means the peer is dead. */
  readonly timeoutMs: number
  readonly sendPing: (id: number) => void
  /** Bytes received so far. Any byte counts as a sign of life: an answer may queue behind a long transfer. */
  readonly received: () => number
  /** Told after each answer: the round trip, smoothed. */
  readonly onRoundTrip: (milliseconds: number) => void
  readonly onDead: () => void
}

/** Pings that may wait for an answer; a caller that asks for more gets the rejection at once. */
const MAX_PINGS = 64

interface Waiting {
  readonly sentAt: number
  readonly resolve: (milliseconds: number) => void
  readonly reject: (error: Error) => void
}

/** Pings the peer at intervals, measures the round trip, and notices a peer that has gone silent. One timer in all. */
export class Keepalive {
  readonly #options: KeepaliveOptions
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 0
  #roundTripMs = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: KeepaliveOptions) {
    this.#options = options
  }

  /** Sends the first ping. */
  start(): void {
    if (this.#stopped) return
    const before = this.#options.received()
    this.ping().catch(() => {}) // a missing answer shows in the bytes received
    this.#timer = setTimeout(() => this.#judge(before), this.#options.timeoutMs)
  }

  /**
   * Sends one ping.
   *
   * @returns the round trip in milliseconds
   * @throws what {@link stop} was given, or an error if too many are waiting
   */
  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#stopped || this.#waiting.size >= MAX_PINGS) {
        reject(new Error(this.#stopped ? 'the session has ended' : `${MAX_PINGS} pings are waiting for their answers`))
        return
      }
      const id = this.#nextId
      this.#nextId = (id + 1) >>> 0
      this.#waiting.set(id, { sentAt: performance.now(), resolve, reject })
      this.#options.sendPing(id)
    })
  }

  /** An answer has come. One that nobody waits for is ignored. */
  onAnswer(id: number): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    const milliseconds = performance.now() - waiting.sentAt
    this.#options.onRoundTrip(this.#smooth(milliseconds))
    waiting.resolve(milliseconds)
  }

  stop(reason: Error): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
  }

  /**
   * Follows a shorter round trip at once by half and a longer one slowly: what delays a single answer is mostly a queue, here
   * or there, and not the way.
   */
  #smooth(sample: number): number {
    const before = this.#roundTripMs === 0 ? sample : this.#roundTripMs
    return (this.#roundTripMs = before + (sample - before) / (sample < before ? 2 : 8))
  }

  /** The time for an answer is over. */
  #judge(before: number): void {
    // A timer that is late because this process stood still says nothing about the peer: first read what has arrived.
    setImmediate(() => {
      if (this.#stopped) return
      if (this.#options.received() === before) return this.#options.onDead()
      const rest = Math.max(0, this.#options.intervalMs - this.#options.timeoutMs)
      this.#timer = setTimeout(() => this.start(), rest)
      return undefined
    })
  }
}
