/** What is known of a name, and for how long. */
export interface Answer {
  /** Address literals, the preferred first; none where the name has no address. */
  readonly addresses: readonly string[]
  /** 0 where the answer holds for those alone who asked. */
  readonly ttlMs: number
}

/** Asks for all addresses of a name. Throws with the codes of the resolver (`ENOTFOUND`) or a HawserError. */
export type Lookup = (name: string) => Promise<Answer>
