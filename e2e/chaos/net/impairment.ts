import type { Random } from '../random.ts'

/** What a wire does to the frames that cross it, each way. */
export interface Impairment {
  /** Only on the way to the edge, as netem has it on one interface. */
  readonly delayMs: number
  /** Of all frames, from 0 to 1, both ways. */
  readonly loss: number
  /** Of all frames that are delayed: those that are not, and so overtake the others. */
  readonly reorder: number
}

/** Frames under way; more are dropped, as by a queue in a router. */
const MAX_QUEUED = 1_000

interface Waiting {
  readonly dueMs: number
  readonly frame: Uint8Array
}

/** One direction of a wire: loses, delays and reorders frames. Time and chance are given, so that it can be tested. */
export class FrameQueue {
  readonly #waiting: Waiting[] = []
  readonly #send: (frame: Uint8Array) => void
  readonly #random: Random

  constructor(send: (frame: Uint8Array) => void, random: Random) {
    this.#send = send
    this.#random = random
  }

  /** Takes a frame, which stays the queue's. */
  add(frame: Uint8Array, { delayMs, loss, reorder }: Impairment, nowMs: number): void {
    if (loss > 0 && this.#random() < loss) return
    if (delayMs === 0 || this.#random() < reorder) this.#send(frame)
    else if (this.#waiting.length < MAX_QUEUED) this.#waiting.push({ dueMs: nowMs + delayMs, frame })
  }

  /** Sends what is due. All frames wait equally long, so the oldest is due first. */
  flush(nowMs: number): void {
    let due = 0
    while (due < this.#waiting.length && (this.#waiting[due]?.dueMs ?? 0) <= nowMs) due += 1
    for (const { frame } of this.#waiting.splice(0, due)) this.#send(frame)
  }
}
