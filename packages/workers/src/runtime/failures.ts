import type { FlowFailure } from './doors.ts'

/** How one of the two `connect()` functions words what went wrong. Each call makes a new error (S-060). */
export interface Failures {
  /** For a connection that could not be opened. */
  opening(failure: FlowFailure): Error
  /** For one that could not be upgraded to TLS. */
  upgrading(failure: FlowFailure): Error
  /** Whether `opened` of an upgraded socket rejects when there was no connection to upgrade; natively it hangs (S-171). */
  readonly rejectOrphans: boolean
}
