/**
 * The Worker's half of an upgrade to TLS. The edge holds the answer to the second CONNECT back until it has spoken TLS with
 * the target; here the first stream is brought to its end, so that everything of before goes in clear and nothing else.
 */
import { markHandled } from './dead-socket.ts'
import type { NativeSocket } from './dead-socket.ts'
import type { FlowFailure } from './doors.ts'
import type { EdgeCall } from './edge-call.ts'

/** Why there was no upgrade. */
export interface FailedHandOver {
  readonly failure: FlowFailure
  /** Whether there was no connection to upgrade. */
  readonly orphan: boolean
}

/** Bytes in clear that nobody had read: sent too early, or by somebody on the way (S-167). */
const CLEAR_BYTES: FlowFailure = {
  code: 'tls_protocol_error',
  message: 'the server sent bytes in clear behind its agreement to TLS: they were discarded, and nothing was sent',
}

/** What a socket fails with whose predecessor's streams somebody holds on to (S-166); undefined when both are free. */
export function lockOf({ readable, writable }: NativeSocket): TypeError | undefined {
  if (readable.locked) return new TypeError('The ReadableStream has been locked to a reader.')
  if (writable.locked) return new TypeError('This WritableStream is currently locked to a writer.')
  return undefined
}

/**
 * Drops an upgrade. The old stream is let go last: its end is what the edge takes for the word to go ahead, and with it
 * would go what has been written to the new one.
 */
async function giveUp(old: EdgeCall, upgrade: EdgeCall): Promise<void> {
  markHandled(upgrade.native.close())
  await old.abandon()
  await upgrade.native.opened.catch(() => {})
  markHandled(old.native.close())
}

/**
 * Brings the streams of `old` to their end for `upgrade` to take over, locking them at once and for good (S-165). Never
 * rejects; resolves with undefined when everything written has left and the edge may start the handshake.
 */
export async function handOver(old: EdgeCall, upgrade: EdgeCall): Promise<FailedHandOver | undefined> {
  const { native } = old
  const reader = native.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>
  const writer = native.writable.getWriter()
  for (const promise of [reader.closed, writer.closed]) markHandled(promise)
  try {
    await native.opened // S-162: an upgrade may be asked for before there is a connection
  } catch {
    // Asked before the upgrade is dropped, which fails for a reason of its own.
    const failure = await old.explain()
    void giveUp(old, upgrade)
    return { failure, orphan: true }
  }
  const failure = upgrade.failure ?? (await old.announceUpgrade()) ?? (await finish(old, reader, writer))
  if (failure === undefined) return undefined
  void giveUp(old, upgrade)
  return { failure, orphan: false }
}

/** The edge has stopped relaying and ends its stream; then this side ends its own. */
async function finish(
  old: EdgeCall,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter,
): Promise<FlowFailure | undefined> {
  try {
    if (!(await reader.read()).done) return CLEAR_BYTES
    await writer.close() // flushes
    return undefined
  } catch {
    return old.explain()
  }
}
