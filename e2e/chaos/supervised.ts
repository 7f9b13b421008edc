import type { Child } from './child.ts'

/** As systemd does by itself, but slower: what cannot start must not keep the machine busy. */
const RESTART_MS = 1_000

/** A process that is killed and started again, as by whoever looks after it. */
export class Supervised {
  readonly name: string
  readonly #start: () => Child
  readonly #onLost: (problem: string) => void
  #child: Child | undefined
  #expected = false

  /** @param onLost told when the process ends though nobody has ended it */
  constructor(name: string, start: () => Child, onLost: (problem: string) => void) {
    this.name = name
    this.#start = start
    this.#onLost = onLost
  }

  /** @throws {Error} where it is not running */
  get child(): Child {
    if (this.#child === undefined) throw new Error(`${this.name} is not running`)
    return this.#child
  }

  start(): Child {
    const child = this.#start()
    this.#child = child
    this.#expected = false
    void child.exited.then((code) => {
      if (this.#child !== child || this.#expected) return
      this.#onLost(`${this.name} ended by itself with ${code}`)
      setTimeout(() => this.#startAgain(child), RESTART_MS)
    })
    return child
  }

  #startAgain(lost: Child): void {
    if (this.#child === lost && !this.#expected) this.start()
  }

  async kill(): Promise<void> {
    this.#expected = true
    await this.child.kill()
  }

  /** Ends it as a system does. Undefined if it has not ended after `limitMs`. */
  async terminate(limitMs: number): Promise<number | NodeJS.Signals | undefined> {
    this.#expected = true
    this.child.signal('SIGTERM')
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => late.resolve(undefined), limitMs)
    const code = await Promise.race([this.child.exited, late.promise])
    clearTimeout(timer)
    return code
  }
}
