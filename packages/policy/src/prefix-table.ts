import { BlockList } from './block-list.ts'
import { MAX_VALUES } from './intervals.ts'
import type { Intervals } from './intervals.ts'
import type { IpAddress } from './ip-address.ts'

/** A block of addresses: those whose first `prefix` bits equal the first `prefix` bits of `address`. */
export interface Cidr {
  readonly address: IpAddress
  readonly prefix: number
}

/** What a look-up found: the value of the longest block that holds the address, and how long that block's prefix is. */
export interface PrefixMatch<Value> {
  readonly value: Value
  readonly prefix: number
}

type Families = Readonly<Record<4 | 6, Intervals>>

/**
 * A map from address blocks to values in which the longest prefix wins: the one table of routes and of rules. It never
 * changes; {@link PrefixTableBuilder} makes it. A look-up does not slow down much with the number of blocks, and a million
 * of them are some 20 MB of IPv4 or 45 MB of IPv6, outside the garbage collector's reach.
 */
export class PrefixTable<Value> {
  readonly #families: Families
  readonly #values: readonly Value[]

  /** @param families whose values are indexes of `values` */
  constructor(families: Families, values: readonly Value[]) {
    this.#families = families
    this.#values = values
  }

  /** The value of the longest block that holds `address`, or undefined. */
  find(address: IpAddress): Value | undefined {
    const family = this.#families[address.family]
    const value = family.valueAt(family.search(address.words))
    return value < 0 ? undefined : this.#values[value]
  }

  /** As {@link find}, with the length of the block's prefix. */
  match(address: IpAddress): PrefixMatch<Value> | undefined {
    const family = this.#families[address.family]
    const at = family.search(address.words)
    const value = family.valueAt(at)
    return value < 0 ? undefined : { value: this.#values[value] as Value, prefix: family.prefixAt(at) }
  }
}

/** Makes a {@link PrefixTable}: `set` every block, in any order, then `build`. */
export class PrefixTableBuilder<Value> {
  readonly #families = { 4: new BlockList(4), 6: new BlockList(6) }
  readonly #values: Value[] = []
  readonly #known = new Map<Value, number>()

  /** A later value for the same block replaces the earlier one. Bits of the address past the prefix do not matter. */
  set({ address, prefix }: Cidr, value: Value): void {
    let at = this.#known.get(value)
    if (at === undefined) {
      if (this.#values.length === MAX_VALUES) throw new RangeError(`more than ${MAX_VALUES} different values`)
      at = this.#values.push(value) - 1
      this.#known.set(value, at)
    }
    this.#families[address.family].add(address.words, prefix, at)
  }

  build(): PrefixTable<Value> {
    const { 4: four, 6: six } = this.#families
    return new PrefixTable({ 4: four.toIntervals(), 6: six.toIntervals() }, this.#values)
  }
}
