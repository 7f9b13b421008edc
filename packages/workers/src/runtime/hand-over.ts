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

/** Streams that a caller within these modules has locked, and may be reading. */
export interface HeldStreams {
  /** The read under way, or one more. */
  readonly nextRead: () => Promise<{ readonly done: boolean }>
  readonly writer: WritableStreamDefaultWriter
}

/** Locks both, for good (S-165). */
function hold({ readable, writable }: NativeSocket): HeldStreams {
  const reader = readable.getReader()
  const writer = writable.getWriter()
  for (const promise of [reader.closed, writer.closed]) markHandled(promise)
  return { nextRead: () => reader.read(), writer }
}

/** What a socket fails with whose predecessor's streams somebody holds on to (S-166); undefined when both are free. */
export function lockOf({ readable, writable }: NativeSocket): TypeError | undefined {
  if (readable.locked) return new TypeError('The ReadableStream has been locked to a reader.')
  if (writable.locked) return new TypeError('This WritableStream is currently locked to a writer.')
  return undefined
}

/**
 * Drops an upgrade. By way of the edge, for streams of a socket that this side closes fail with words about closing (S-170).
 * The old stream is let go last: its end is what the edge takes for the word to go ahead, and with it would go what has been
 * written to the new one.
 */
async function giveUp(old: EdgeCall, upgrade: EdgeCall): Promise<void> {
  await old.abandon()
  await upgrade.native.opened.catch(() => {})
  markHandled(upgrade.native.close())
  markHandled(old.native.close())
}

/**
 * Brings the streams of `old` to their end for `upgrade` to take over, locking them at once unless they are held already.
 * Never rejects; resolves with undefined when everything written has left and the edge may start the handshake.
 */
export async function handOver(
  old: EdgeCall,
  upgrade: EdgeCall,
  held: HeldStreams = hold(old.native),
): Promise<FailedHandOver | undefined> {
  try {
    await old.native.opened // S-162: an upgrade may be asked for before there is a connection
  } catch {
    // Asked before the upgrade is dropped, which fails for a reason of its own.
    const failure = await old.explain()
    void giveUp(old, upgrade)
    return { failure, orphan: true }
  }
  const failure = upgrade.failure ?? (await old.announceUpgrade()) ?? (await finish(old, held))
  if (failure === undefined) return undefined
  void giveUp(old, upgrade)
  return { failure, orphan: false }
}

/** The edge has stopped relaying and ends its stream; then this side ends its own. */
async function finish(old: EdgeCall, { nextRead, writer }: HeldStreams): Promise<FlowFailure | undefined> {
  try {
    if (!(await nextRead()).done) return CLEAR_BYTES
    await writer.close() // flushes
    return undefined
  } catch {
    return old.explain()
  }
}
