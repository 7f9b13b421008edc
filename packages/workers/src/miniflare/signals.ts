import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

type Listener = (...args: never[]) => void

/** Of one event, whatever its type; only their identity matters. */
function listeners(event: string): Set<Listener> {
  return new Set(process.listeners(event as 'exit') as Listener[])
}

/** Takes off the listeners that came since `before`. */
function restore(event: string, before: ReadonlySet<Listener>): void {
  for (const listener of listeners(event)) {
    if (!before.has(listener)) process.off(event, listener as () => void)
  }
}

/** Once for each process: the guard does nothing where anybody else listens, so it never has to be taken off. */
let guarding = false

/**
 * Where nobody else listens, a signal still ends the process by way of its `exit` event, in which Miniflare ends workerd;
 * by default it would not, and workerd would stay.
 */
function guard(): void {
  if (guarding) return
  guarding = true
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal])
    })
  }
}

/**
 * Runs `make`, which makes a Miniflare. That one would end the whole process at once at SIGINT, at SIGTERM and at a message
 * from a parent; what a signal means is for whoever owns the process to say, who may have streams to drain first.
 */
export function withoutExitHooks<T>(make: () => T): T {
  guard()
  const events = [...SIGNALS, 'message']
  const before = events.map((event) => [event, listeners(event)] as const)
  try {
    return make()
  } finally {
    for (const [event, known] of before) restore(event, known)
  }
}
