import type { Side } from '../case.ts'
import type { Scope } from '../scope.ts'

/** A way that a peer has opened from a port on loopback to the target. */
export interface Way {
  /** Connections to this port on loopback arrive at the target. */
  readonly port: number
  /** The processes in between, the one at the load generator first; what their descendants use counts as theirs. */
  readonly processes: readonly number[]
}

/**
 * Something that carries TCP connections over an encrypted hop: one file each. To add one, write that file and name it in
 * the cases where it competes.
 */
export interface Peer extends Side {
  /** Starts its processes in `scope`, leading to `targetPort` on loopback, and waits until they take connections. */
  start(scope: Scope, targetPort: number): Promise<Way>
}
