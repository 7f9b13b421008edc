/**
 * Which invocation of the Worker a call belongs to. A module of its own behind a hidden binding, because the modules of all
 * bindings and the entry point must share one instance of it.
 */
import hooks from 'node-internal:async_hooks'

/** Calls `method` on `self` as a new invocation, or as a part of the one it is called from. */
export type Enter = <A extends unknown[], R>(method: (...args: A) => R, self: unknown, args: A) => R

/** What the other modules are given. */
export interface Invocations {
  readonly enter: Enter
  /**
   * A name for one call: its first {@link NAME_LENGTH} characters are those of every call of the same invocation.
   *
   * @throws {Error} the native text in the global scope, where `connect()` must fail too (S-180)
   */
  readonly newCallId: () => string
}

/** The edge counts the open connections of an invocation by this much of their ids. */
const NAME_LENGTH = 12
const HALF = NAME_LENGTH / 2
const HALF_RANGE = 36 ** HALF

function randomHalf(number: number): string {
  return (number % HALF_RANGE).toString(36).padStart(HALF, '0')
}

class Invocation {
  #name: string | undefined
  #calls = 0

  newCallId(): string {
    // Most invocations open nothing, and randomness costs more than all the rest of this.
    if (this.#name === undefined) {
      const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2))
      this.#name = randomHalf(first) + randomHalf(second)
    }
    this.#calls += 1
    return `${this.#name}${this.#calls.toString(36)}`
  }
}

const current = new hooks.AsyncLocalStorage<Invocation>()

function enter<A extends unknown[], R>(method: (...args: A) => R, self: unknown, args: A): R {
  if (current.getStore() !== undefined) return Reflect.apply(method, self, args) as R
  return current.run(new Invocation(), Reflect.apply, method, self, args) as R
}

/**
 * workerd runs some code in no context at all: listeners of WebSockets, callbacks and objects that were passed by RPC. Each
 * of their calls counts as an invocation, for one shared by all of them would make strangers wait for each other.
 */
function newCallId(): string {
  return (current.getStore() ?? new Invocation()).newCallId()
}

const invocations: Invocations = { enter, newCallId }

/** What workerd calls to make the value of the hidden binding; the same value each time. */
export default function share(): Invocations {
  return invocations
}
