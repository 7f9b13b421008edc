import type { Duplex } from 'node:stream'
import { HawserError } from '@hawser/core'
import { isTlsError, tlsError } from '../tls/tls-error.ts'
import { asFlowError } from './flow-error.ts'

/** What ended a relay. Which of the two ends failed is what tells an abort from an error. */
export function relayError(error: unknown, worker: Duplex): HawserError {
  if (HawserError.is(error)) return asFlowError(error, 'connection_terminated')
  const reason = error instanceof Error ? error.message : String(error)
  const byWorker = worker.errored !== null && worker.errored === error
  if (byWorker) {
    return new HawserError('connection_aborted', `the Worker gave the connection up: ${reason}`, { cause: error })
  }
  // In TLS 1.3 a server refuses a client's certificate only when the client has long begun to talk.
  if (error instanceof Error && isTlsError(error)) return tlsError(error, 'the target ended the connection', false)
  return new HawserError('connection_terminated', `the target ended the connection: ${reason}`, { cause: error })
}
