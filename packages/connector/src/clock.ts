import { setTimeout as delay } from 'node:timers/promises'

/** Time and chance as the reconnect loop sees them; tests bring their own. */
export interface Clock {
  /** Milliseconds on a clock that never goes back. */
  now(): number
  /** Resolves after `ms`, or at once when `signal` aborts: whoever waits looks at the signal afterwards. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  /** At least 0, below 1. */
  random(): number
}

/** The real thing. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
  random: Math.random,
}
