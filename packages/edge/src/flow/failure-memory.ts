import type { ErrorCode } from '@hawser/core'

/** What a module is told that asks what became of its call. */
export interface RememberedFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly flow: string
}

/** The module asks at once; this leaves room for a Worker that is slow to be scheduled. */
const AGE_LIMIT_MS = 60_000
const MAX_ENTRIES = 1_000

/**
 * The failed calls of one binding by the ids its module gave them: the answer to a CONNECT carries no reason that workerd
 * would pass on, so the module asks afterwards.
 */
export class FailureMemory {
  readonly #failures = new Map<string, { readonly failure: RememberedFailure; readonly at: number }>()

  /** @param now milliseconds on any clock that does not go back */
  remember(callId: string, failure: RememberedFailure, now: number): void {
    this.#failures.delete(callId) // so that the map stays in order of age
    this.#failures.set(callId, { failure, at: now })
    for (const [id, { at }] of this.#failures) {
      if (this.#failures.size <= MAX_ENTRIES && now - at <= AGE_LIMIT_MS) break
      this.#failures.delete(id)
    }
  }

  recall(callId: string, now: number): RememberedFailure | undefined {
    const entry = this.#failures.get(callId)
    return entry === undefined || now - entry.at > AGE_LIMIT_MS ? undefined : entry.failure
  }
}
