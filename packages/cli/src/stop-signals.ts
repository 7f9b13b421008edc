const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Signals closer together than this count as one: a Ctrl-C reaches this process from the terminal and once more from npm
 * or the launcher above it, and a service manager signals a whole group.
 */
const SAME_STOP_MS = 250

/** The part of `process` that is listened to. */
export interface SignalSource {
  on(name: (typeof STOP_SIGNALS)[number], listener: () => void): unknown
  off(name: (typeof STOP_SIGNALS)[number], listener: () => void): unknown
}

/** What became of the signals so far. Disposing stops listening, and signals have their default effect again. */
export interface StopSignals extends Disposable {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** Aborts at the second. */
  readonly abort: AbortSignal
  /** Counts as a signal, for other reasons to stop. */
  readonly stop: () => void
}

/**
 * Listens for SIGINT and SIGTERM: the first asks for a clean stop, the second for an immediate one, the third calls `exit`.
 *
 * @param now milliseconds on a clock that never goes back
 */
export function listenForStop(source: SignalSource, exit: () => void, now: () => number): StopSignals {
  const first = new AbortController()
  const second = new AbortController()
  let last = Number.NEGATIVE_INFINITY
  const stop = (): void => {
    const at = now()
    if (at - last < SAME_STOP_MS) return
    last = at
    if (!first.signal.aborted) first.abort()
    else if (!second.signal.aborted) second.abort()
    else exit()
  }
  for (const name of STOP_SIGNALS) source.on(name, stop)
  return {
    signal: first.signal,
    abort: second.signal,
    stop,
    [Symbol.dispose]() {
      for (const name of STOP_SIGNALS) source.off(name, stop)
    },
  }
}
