import type { Upstream } from './upstream.ts'

/** Idle connections one binding keeps; beyond that the one that has waited longest is closed. */
const MAX_IDLE = 256
/** How often idle connections are looked over. */
const SWEEP_MS = 1_000

interface Idle {
  readonly upstream: Upstream
  /** On the clock of `performance.now()`. */
  readonly since: number
}

/**
 * The idle connections of one binding, by scheme, host and port. Never shared between bindings: what a connection may
 * reach and who pays for it depend on the binding.
 */
export class UpstreamPool {
  readonly #idle = new Map<string, Idle[]>()
  #size = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  get size(): number {
    return this.#size
  }

  /** The connection to `origin` used last, if one is idle: the likeliest to be still open. */
  take(origin: string): Upstream | undefined {
    const list = this.#idle.get(origin)
    const last = list?.pop()
    if (list === undefined || last === undefined) return undefined
    this.#size -= 1
    if (list.length === 0) this.#idle.delete(origin)
    last.upstream.onDead = undefined
    if (last.upstream.reusable && performance.now() - last.since <= last.upstream.idleLimitMs) return last.upstream
    last.upstream.close()
    return this.take(origin)
  }

  /** Keeps a connection that may carry another request; closes any other. Takes ownership. */
  give(upstream: Upstream): void {
    if (this.#closed || !upstream.reusable || upstream.idleLimitMs <= 0) return upstream.close()
    const { origin } = upstream.facts
    const list = this.#idle.get(origin)
    const idle = { upstream, since: performance.now() }
    if (list === undefined) this.#idle.set(origin, [idle])
    else list.push(idle)
    this.#size += 1
    upstream.onDead = () => this.#drop(idle)
    if (this.#size > MAX_IDLE) this.#dropOldest()
    // One timer a pool, not one a connection, and none while nothing is idle.
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref()
    return undefined
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const { upstream } of [...this.#idle.values()].flat()) upstream.close()
  }

  #sweep(): void {
    const now = performance.now()
    for (const idle of [...this.#idle.values()].flat()) {
      if (!idle.upstream.reusable || now - idle.since > idle.upstream.idleLimitMs) idle.upstream.close()
    }
    if (this.#size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #dropOldest(): void {
    const oldest = [...this.#idle.values()].flatMap((list) => list.slice(0, 1))
    oldest.sort((a, b) => a.since - b.since)
    oldest[0]?.upstream.close()
  }

  #drop(idle: Idle): void {
    const { origin } = idle.upstream.facts
    const list = this.#idle.get(origin)
    const at = list?.indexOf(idle) ?? -1
    if (list === undefined || at < 0) return
    list.splice(at, 1)
    this.#size -= 1
    if (list.length === 0) this.#idle.delete(origin)
  }
}
