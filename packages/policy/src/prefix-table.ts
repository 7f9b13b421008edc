import type { IpAddress } from './ip-address.ts'

/** A block of addresses: those whose first `prefix` bits equal the first `prefix` bits of `address`. */
export interface Cidr {
  readonly address: IpAddress
  readonly prefix: number
}

interface TrieNode<Value> {
  zero: TrieNode<Value> | undefined
  one: TrieNode<Value> | undefined
  value: Value | undefined
}

/**
 * A map from address blocks to values in which the longest prefix wins. One bit trie per family: a look-up walks at most
 * 32 or 128 nodes, allocates nothing, and does not slow down with the number of blocks.
 */
export class PrefixTable<Value> {
  readonly #roots = { 4: emptyNode<Value>(), 6: emptyNode<Value>() }

  /** A later value for the same block replaces the earlier one. */
  set({ address, prefix }: Cidr, value: Value): void {
    let node = this.#roots[address.family]
    for (let bit = 0; bit < prefix; bit += 1) {
      node = bitAt(address.words, bit) === 0 ? (node.zero ??= emptyNode()) : (node.one ??= emptyNode())
    }
    node.value = value
  }

  /** The value of the longest block that holds `address`, or undefined. */
  find(address: IpAddress): Value | undefined {
    let node: TrieNode<Value> | undefined = this.#roots[address.family]
    let found: Value | undefined
    for (let bit = 0; node !== undefined; bit += 1) {
      found = node.value ?? found
      node = bitAt(address.words, bit) === 0 ? node.zero : node.one
    }
    return found
  }
}

function emptyNode<Value>(): TrieNode<Value> {
  return { zero: undefined, one: undefined, value: undefined }
}

/** Bits past the end read as 0, where the walk ends anyway: leaves have no children. */
function bitAt(words: readonly number[], bit: number): number {
  return ((words[bit >>> 5] ?? 0) >>> (31 - (bit & 31))) & 1
}
