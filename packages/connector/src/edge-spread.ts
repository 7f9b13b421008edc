import { formatHostPort } from '@hawser/core'
import type { HawserError, HostPort } from '@hawser/core'

/** One edge as the links of a connector see it; they share what they learn of it. */
export interface KnownEdge {
  readonly address: HostPort
  /** `host:port`. */
  readonly text: string
  /** Links that try it or hold a connection to it. */
  links: number
  /** What the last attempt or connection ended with; undefined once one stands. */
  failure: HawserError | undefined
}

/** Deals the links of a connector out over the edges it knows, so that losing one edge costs as few of them as can be. */
export class EdgeSpread {
  readonly edges: readonly KnownEdge[]

  /** @param addresses at least one, each once */
  constructor(addresses: readonly HostPort[]) {
    this.edges = addresses.map((address) => ({ address, text: formatHostPort(address), links: 0, failure: undefined }))
  }

  /** Where the link of this number belongs while all is well. */
  home(link: number): KnownEdge {
    return this.#at(link)
  }

  /**
   * Where to go from an edge that does not serve: one that has not failed rather than one that has, then the one with the
   * fewest links, then the next in order, so that links that move at the same time do not all meet again. With one edge
   * known, that one.
   */
  other(from: KnownEdge): KnownEdge {
    const start = this.edges.indexOf(from)
    let best = this.#at(start + 1)
    for (let step = 2; step < this.edges.length; step += 1) {
      const edge = this.#at(start + step)
      if (rank(edge) < rank(best)) best = edge
    }
    return best
  }

  #at(index: number): KnownEdge {
    const edge = this.edges[index % this.edges.length]
    if (edge === undefined) throw new RangeError('no edge is known')
    return edge
  }
}

/** No connector has as many links as stand between an edge that works and one that does not. */
function rank({ links, failure }: KnownEdge): number {
  return links + (failure === undefined ? 0 : 1_000)
}
