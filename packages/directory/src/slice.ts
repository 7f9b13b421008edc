/** A part of a list, for lists that are too long to be read whole. */
export interface Slice {
  /** Items left out before the first. */
  readonly offset: number
  readonly limit: number
}

/** What a slice holds, and how long the list is. */
export interface Sliced<Item> {
  readonly items: readonly Item[]
  readonly total: number
}

export const FIRST_THOUSAND: Slice = { offset: 0, limit: 1_000 }
