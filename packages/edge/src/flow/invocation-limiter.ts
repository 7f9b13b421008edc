import type { StopSignal } from '@hawser/core'
import { HawserError } from '@hawser/core'

/** Connections of one Worker that may wait at once; beyond that they fail. */
const MAX_WAITING = 1_000

interface Waiter {
  readonly proceed: () => void
}

interface Invocation {
  open: number
  /** In the order of arrival. */
  readonly waiting: Set<Waiter>
}

/**
 * Counts the open connections of each invocation of a Worker (V-300): beyond its limit they wait until one of the same
 * invocation has closed, in the order in which they came.
 */
export class InvocationLimiter {
  /** Worker and invocation, to what it has open. Entries go with their last connection. */
  readonly #invocations = new Map<string, Invocation>()
  readonly #waitingOf = new Map<string, number>()
  readonly #maxWaiting: number

  constructor(maxWaiting: number = MAX_WAITING) {
    this.#maxWaiting = maxWaiting
  }

  /** Invocations that have connections open. */
  get size(): number {
    return this.#invocations.size
  }

  /**
   * Takes a place, which {@link leave} gives back; waits for it where there is none.
   *
   * @param signal read only where there is a wait: a caller that gives up has never had a place
   * @throws {HawserError} `connection_limit_reached` where too many wait, the reason of the signal
   */
  enter(worker: string, invocation: string, limit: number, signal: () => StopSignal): void | Promise<void> {
    const key = keyOf(worker, invocation)
    const entry = this.#invocations.get(key)
    if (entry === undefined) {
      this.#invocations.set(key, { open: 1, waiting: new Set() })
      return undefined
    }
    if (entry.open < limit && entry.waiting.size === 0) {
      entry.open += 1
      return undefined
    }
    return this.#wait(worker, entry, signal())
  }

  leave(worker: string, invocation: string): void {
    const key = keyOf(worker, invocation)
    const entry = this.#invocations.get(key)
    if (entry === undefined) return
    const [next] = entry.waiting
    if (next !== undefined) return next.proceed() // the place goes from hand to hand
    entry.open -= 1
    if (entry.open === 0) this.#invocations.delete(key)
  }

  #wait(worker: string, entry: Invocation, signal: StopSignal): Promise<void> {
    const waiting = this.#waitingOf.get(worker) ?? 0
    if (waiting >= this.#maxWaiting) {
      throw new HawserError(
        'connection_limit_reached',
        `${waiting} connections of ${worker} wait already for others of their invocations to close`,
      )
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(HawserError.from(signal.reason, 'connection_aborted'))
      const stop = (): void => {
        entry.waiting.delete(waiter)
        signal.removeEventListener('abort', onAbort)
        const left = (this.#waitingOf.get(worker) ?? 1) - 1
        if (left === 0) this.#waitingOf.delete(worker)
        else this.#waitingOf.set(worker, left)
      }
      const onAbort = (): void => {
        stop()
        reject(HawserError.from(signal.reason, 'connection_aborted'))
      }
      const waiter: Waiter = {
        proceed: () => {
          stop()
          resolve()
        },
      }
      entry.waiting.add(waiter)
      this.#waitingOf.set(worker, waiting + 1)
      signal.addEventListener('abort', onAbort, { once: true })
      return undefined
    })
  }
}

function keyOf(worker: string, invocation: string): string {
  return `${worker}\n${invocation}`
}
