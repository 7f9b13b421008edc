import type { HostPort } from '@hawser/core'

/** The addresses this edge listens on. Public egress refuses them: the call would come back (V-302). */
export class OwnListeners {
  #addresses: readonly HostPort[] = []

  /** For the policy, which reads it at every decision. */
  readonly list = (): readonly HostPort[] => this.#addresses

  /** @returns a function that takes it back */
  add(address: HostPort): () => void {
    const entry = { ...address }
    this.#addresses = [...this.#addresses, entry]
    return () => {
      this.#addresses = this.#addresses.filter((other) => other !== entry)
    }
  }
}
