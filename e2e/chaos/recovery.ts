/** A small flow, opened only to see whether new ones succeed. Times in milliseconds of the machine's own clock. */
export interface Probe {
  readonly startedMs: number
  readonly endedMs: number
  readonly ok: boolean
  readonly code?: string | undefined
}

/** When it became true, or stopped being true, that a connector could reach the edge. */
export interface ReachChange {
  readonly atMs: number
  readonly reachable: boolean
  /** What happened. */
  readonly why: string
}

export interface Recovery {
  readonly why: string
  readonly atMs: number
  /** From `atMs` to the first success of a probe that was begun afterwards, or, if there was none, for as long as it lasted. */
  readonly tookMs: number
}

/**
 * How long it took until a new flow succeeded, each time anything happened and a replica could be reached: because one could be
 * reached again, or still, while something befell another. Where the next thing came before a probe could succeed, and took
 * all replicas away, there is nothing to say.
 *
 * @param changes in order of time; `endMs` when the last probe was begun
 */
export function recoveriesOf(changes: readonly ReachChange[], probes: readonly Probe[], endMs: number): Recovery[] {
  const good = probes.filter(({ ok }) => ok).toSorted((one, other) => one.endedMs - other.endedMs)
  const recoveries: Recovery[] = []
  for (const [index, { atMs, reachable, why }] of changes.entries()) {
    if (!reachable) continue
    const lostMs = changes.slice(index + 1).find((later) => !later.reachable)?.atMs ?? endMs
    const first = good.find(({ startedMs }) => startedMs >= atMs)
    const tookMs = first === undefined || first.endedMs > lostMs ? undefined : first.endedMs - atMs
    if (tookMs === undefined && lostMs - atMs < TOO_SHORT_MS) continue
    recoveries.push({ why, atMs, tookMs: tookMs ?? lostMs - atMs })
  }
  return recoveries
}

/** A replica that could be reached for less than this proves nothing by not having been used. */
export const TOO_SHORT_MS = 2_000

/** The worst and the middle one, in milliseconds; 0 where there is none. */
export function summarise(recoveries: readonly Recovery[]): { readonly maxMs: number; readonly medianMs: number } {
  const times = recoveries.map(({ tookMs }) => tookMs).toSorted((one, other) => one - other)
  const median = times[Math.floor((times.length - 1) / 2)] ?? 0
  return { maxMs: Math.round(times.at(-1) ?? 0), medianMs: Math.round(median) }
}
