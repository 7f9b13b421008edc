import { TextMap } from './text-map.ts'

const WILDCARD = '*.'
/** Routes that a message lists, of those there are. */
const MAX_SHOWN = 5

/** Hostname routes by name: exact ones, and wildcards by what stands behind `*.` (V-152). */
export class HostnameTable {
  readonly #exact = new TextMap()
  readonly #wildcards = new TextMap()
  readonly #tunnelIds: string[] = []
  readonly #indexes = new Map<string, number>()
  readonly #shown: string[] = []

  /** @param hostname lower case; `*.` at its beginning stands for one label */
  set(hostname: string, tunnelId: string): void {
    let tunnel = this.#indexes.get(tunnelId)
    if (tunnel === undefined) {
      tunnel = this.#tunnelIds.push(tunnelId) - 1
      this.#indexes.set(tunnelId, tunnel)
    }
    if (hostname.startsWith(WILDCARD)) this.#wildcards.set(hostname.slice(WILDCARD.length), tunnel)
    else this.#exact.set(hostname, tunnel)
    if (this.#shown.length < MAX_SHOWN) this.#shown.push(hostname)
  }

  /** @param name lower case, without trailing dot */
  find(name: string): { readonly tunnelId: string; readonly matched: string } | undefined {
    const own = this.#tunnelIds[this.#exact.get(name, 0)]
    if (own !== undefined) return { tunnelId: own, matched: name }
    const dot = name.indexOf('.')
    const tunnelId = dot < 0 ? undefined : this.#tunnelIds[this.#wildcards.get(name, dot + 1)]
    return tunnelId === undefined ? undefined : { tunnelId, matched: `*${name.slice(dot)}` }
  }

  /** For messages: `the 2 hostname route(s) (db.internal, *.corp)`. */
  describe(): string {
    const all = this.#exact.size + this.#wildcards.size
    const more = all > this.#shown.length ? ', …' : ''
    return `the ${all} hostname route(s)${all === 0 ? '' : ` (${this.#shown.join(', ')}${more})`}`
  }
}
