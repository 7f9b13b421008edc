/** A million routes as a large organisation might have them, the same in every run. */

/** Which addresses, or names. */
export type RouteKind = 'ipv4' | 'ipv6' | 'hostname'

export const ROUTES = 1_000_000
/** Addresses and names asked for, one after the other: what they lead to is more than a processor's own cache holds. */
export const ASKED = 16_384
/** Tunnels that the routes lead to. */
export const TUNNELS = 1_000

/** A source of numbers from 0 up to `below`, the same in every run (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Words of an address, cut to a prefix. */
function cut(words: readonly number[], prefix: number): number[] {
  return words.map((word, at) => {
    const bits = prefix - 32 * at
    return bits >= 32 ? word : bits <= 0 ? 0 : (word & (-1 << (32 - bits))) >>> 0
  })
}

function textOf(words: readonly number[]): string {
  if (words.length === 1) return [24, 16, 8, 0].map((shift) => ((words[0] ?? 0) >>> shift) & 255).join('.')
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff])
  const last = groups.findLastIndex((group) => group !== 0)
  const head = groups.slice(0, last + 1).map((group) => group.toString(16))
  return last >= 6 ? groups.map((group) => group.toString(16)).join(':') : `${head.join(':')}::`
}

/** Hosts, sites and whole regions: a third each, the first in 10.0.0.0/8. */
function ipv4(pick: (below: number) => number): { words: number[]; prefix: number } {
  const word = pick(2 ** 32)
  const kind = pick(3)
  if (kind === 0) return { words: [(0x0a00_0000 | (word & 0x00ff_ffff)) >>> 0], prefix: 32 }
  return { words: [word], prefix: kind === 1 ? 24 : 12 + pick(16) }
}

/** Sites, their networks and single hosts, all in `fd00::/8`: nothing in the first bits tells them apart. */
function ipv6(pick: (below: number) => number): { words: number[]; prefix: number } {
  const site = pick(200_000)
  const words = [
    (0xfd00_0000 | (site & 0x00ff_ffff)) >>> 0,
    (((site * 7_919) & 0xffff) * 0x1_0000 + pick(0x1_0000)) >>> 0,
    0,
    0,
  ]
  const kind = pick(3)
  if (kind === 0) return { words, prefix: 48 }
  return kind === 1
    ? { words, prefix: 64 }
    : { words: [...words.slice(0, 2), pick(2 ** 32), pick(2 ** 32)], prefix: 128 }
}

function hostname(pick: (below: number) => number): string {
  const domain = `${pick(2 ** 32).toString(36)}.site-${pick(1_000)}.internal`
  return pick(4) === 0 ? `*.${domain}` : `h${pick(1_000)}.${domain}`
}

/** {@link ROUTES} routes, none twice, as the directory spells them. */
export function manyRoutes(kind: RouteKind, count: number = ROUTES): string[] {
  const pick = random(1)
  const routes = new Set<string>()
  while (routes.size < count) {
    if (kind === 'hostname') routes.add(hostname(pick))
    else {
      const { words, prefix } = kind === 'ipv4' ? ipv4(pick) : ipv6(pick)
      routes.add(`${textOf(cut(words, prefix))}/${prefix}`)
    }
  }
  return [...routes]
}

/** {@link ASKED} hosts, of which nine in ten are within a route. */
export function manyHosts(kind: RouteKind, routes: readonly string[]): string[] {
  const pick = random(2)
  return Array.from({ length: ASKED }, () => asReceived(hostNear(kind, routes, pick)))
}

/** A text of its own, as one read from a request is, and not a view into others. */
function asReceived(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

function hostNear(kind: RouteKind, routes: readonly string[], pick: (below: number) => number): string {
  const route = routes[pick(routes.length)] ?? ''
  const isStranger = pick(10) === 0
  if (kind === 'hostname') return isStranger ? `x.${pick(2 ** 32).toString(36)}.test` : route.replace('*', 'any')
  if (isStranger) return textOf(kind === 'ipv4' ? [pick(2 ** 32)] : [0x2001_0db8, pick(2 ** 32), 0, pick(2 ** 32)])
  return route.slice(0, route.indexOf('/'))
}
