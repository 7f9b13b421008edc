import { codedError, invalidType } from './node-errors.ts'

/** The longest that a timer can run, as in Node.js. */
const MAX_MS = 2 ** 31 - 1

/** Calls back when nothing has happened for a while; once, until something happens again (S-276). */
export class IdleTimer {
  #timeoutMs = 0
  #lastActivity = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #onIdle: () => void

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  /** As it was set; 0 for never. */
  get timeoutMs(): number {
    return this.#timeoutMs
  }

  /** @throws {TypeError | RangeError} with Node's codes, unless `timeoutMs` is a number that is not negative */
  set(timeoutMs: unknown): void {
    if (typeof timeoutMs !== 'number') throw invalidType('"msecs" argument', 'of type number', timeoutMs)
    if (!(timeoutMs >= 0 && Number.isFinite(timeoutMs))) {
      const message = `The value of "msecs" is out of range. It must be a non-negative finite number. Received ${timeoutMs}`
      throw codedError(RangeError, 'ERR_OUT_OF_RANGE', message)
    }
    this.stop()
    this.#timeoutMs = Math.min(timeoutMs, MAX_MS)
    this.refresh()
  }

  /** Something has happened. */
  refresh(): void {
    if (this.#timeoutMs === 0) return
    // A new timer for each chunk would cost more than the chunk: the one that runs looks at this when it is due.
    this.#lastActivity = Date.now()
    this.#timer ??= setTimeout(this.#onDue, this.#timeoutMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  readonly #onDue = (): void => {
    const left = this.#timeoutMs - (Date.now() - this.#lastActivity)
    this.#timer = left > 0 ? setTimeout(this.#onDue, left) : undefined
    if (left <= 0) this.#onIdle()
  }
}
