/** What must never be, unless whoever stood in between was killed at that very moment. */
export interface Finding {
  /** Who was seen last: a connector, by its address, or the kind of caller. */
  readonly from: string
  /** When, on the machine's monotonic clock, in milliseconds. */
  readonly atMs: number
  /** True for a clean end that came too early; false for a byte that was not sent. */
  readonly early: boolean
  readonly problem: string
}

/** A process that was killed, and what it carried: a connector's flows by its address, an edge's by the caller. */
export interface Kill {
  readonly from: string
  readonly atMs: number
}

/** The kernel closes the sockets of a process that is killed at once; on a busy machine that takes its time to be noticed. */
const AFTER_MS = 1_000

/**
 * Whether an early end is the kernel's doing: it closes the connections of a process that was killed as if the process had closed
 * them, by FIN. No program can have that otherwise. Where TLS or a tunnel tells the truth all the same, nothing is excused:
 * only what a target sees of a connector, and a Worker of the edge whose runtime is about to end with it.
 */
export function isByKernel({ early, from, atMs }: Finding, kills: readonly Kill[]): boolean {
  return early && kills.some((kill) => from === kill.from && atMs >= kill.atMs && atMs <= kill.atMs + AFTER_MS)
}
