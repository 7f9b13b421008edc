import { HawserError } from '@hawser/core'
import type { Channel, ChannelSink } from '@hawser/core'
import { Fifo } from './fifo.ts'
import { Flag, FrameType, INITIAL_WINDOW_BYTES } from './frame.ts'
import { ReceiveQueue } from './receive-queue.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { WindowPool } from './receive-window.ts'
import type { FrameSender, SendWaiter } from './sender.ts'

/** What a stream needs of its session. */
export interface StreamHost {
  readonly sender: FrameSender
  readonly pool: WindowPool
  /** The stream has ended both ways or was reset: its id means nothing any more. */
  forget(stream: MuxStream): void
}

/** So much of one stream leaves before others get a turn. */
const MAX_FRAME_BYTES = 64 * 1024
const MAX_CREDIT = 0xffff_ffff
/** Above one read of a socket (64 KiB), so that a chunk that leaves at once does not stop its source. */
const FULL_BYTES = 128 * 1024

/**
 * One stream of a session. Its two directions end independently; writing waits for the peer's credit and for room on the
 * connection; what is delivered earns the peer new credit, what waits for {@link resume} does not. `reset()` before both ends
 * tells the peer, which would otherwise wait for credit for ever. What it is lost with are `HawserError`s:
 * `connection_terminated` for a reset by the peer, else what ended the session.
 */
export class MuxStream implements Channel, SendWaiter {
  readonly id: number
  /** For the session: the peer has accepted the stream. */
  acknowledged = false
  readonly #host: StreamHost
  readonly #window: ReceiveWindow
  /** SYN or ACK, until a frame has carried it. */
  #openingFlags: number
  #sendCredit = INITIAL_WINDOW_BYTES
  #sink: ChannelSink | undefined
  /** Nothing is delivered: nobody reads yet, or whoever reads has enough. */
  #paused = true
  /** Inside {@link resume}, where what is delivered may call it again. */
  #resuming = false
  /** Received and not delivered. Made on first use: most streams never need one. */
  #received: ReceiveQueue | undefined
  /** What is left of the chunk that is being sent, and the chunks behind it. */
  #sending: Buffer | undefined
  readonly #unsent = new Fifo<Buffer>()
  #unsentBytes = 0
  /** `write` has asked for a pause. */
  #full = false
  /** Stands in the sender's queue for a turn. */
  #waiting = false
  #ending = false
  #localEnded = false
  #remoteEnded = false
  #endDelivered = false
  #lost: HawserError | undefined
  /** The peer has reset the stream: what it is lost with once all that came before has been delivered. */
  #resetBy: HawserError | undefined

  constructor(host: StreamHost, id: number, openingFlags: number) {
    this.id = id
    this.#host = host
    this.#window = new ReceiveWindow(host.pool)
    this.#openingFlags = openingFlags
  }

  /** Bytes the peer may still send. */
  get receiveCredit(): number {
    return this.#window.credit
  }

  /** Bytes this side may still send. */
  get sendCredit(): number {
    return this.#sendCredit
  }

  /** Bytes received and not delivered: at most the window. */
  get bufferedBytes(): number {
    return this.#received?.bytes ?? 0
  }

  /** Bytes written that wait for credit or room. */
  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** Whether the peer has sent its end. */
  get remoteEnded(): boolean {
    return this.#remoteEnded
  }

  get lost(): HawserError | undefined {
    return this.#lost
  }

  /** Sends the SYN or ACK in a frame of its own, unless another frame has carried it. */
  announce(): void {
    const flags = this.#takeOpeningFlags()
    if (flags === Flag.Ack) this.#host.sender.acknowledge(this.id)
    else if (flags !== 0) this.#host.sender.control(FrameType.WindowUpdate, flags, this.id, 0)
  }

  /**
   * Sends a small message without waiting for room: for the request or the reply that a stream begins with, before anything
   * else is written.
   */
  sendPreface(payload: Buffer): void {
    if (this.#lost !== undefined) return
    this.#sendCredit -= payload.length
    this.#host.sender.data(this.#takeOpeningFlags(), this.id, payload)
  }

  deliverTo(sink: ChannelSink): void {
    this.#sink = sink
  }

  /** Puts back the end of what has just been delivered, for the next sink. Only while paused. */
  unread(rest: Buffer): void {
    if (rest.length > 0) this.#receivedQueue().unshift(rest)
  }

  /** Takes any number of chunks; {@link ChannelSink.onDrain} once all have left, if it has asked for a pause. */
  write(chunk: Buffer): boolean {
    if (this.#resetBy !== undefined) this.#lose(this.#resetBy)
    if (this.#lost !== undefined || chunk.length === 0) return true
    this.#unsentBytes += chunk.length
    if (this.#sending === undefined) {
      this.#sending = chunk
      this.#send(false)
    } else this.#unsent.push(chunk)
    if (this.#unsentBytes < FULL_BYTES) return true
    this.#full = true
    return false
  }

  end(): void {
    if (this.#resetBy !== undefined) this.#lose(this.#resetBy)
    if (this.#lost !== undefined || this.#ending) return
    this.#ending = true
    if (this.#sending === undefined) this.#sendEnd()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#resuming) return
    this.#resuming = true
    this.#deliverReceived()
    this.#resuming = false
    this.#grant()
    if (this.#paused || this.#lost !== undefined) return
    if (this.#resetBy !== undefined) this.#lose(this.#resetBy)
    else if (this.#remoteEnded) this.#deliverEnd()
  }

  reset(): void {
    this.#release(new HawserError('connection_aborted', 'the stream was reset on this side'), true)
  }

  /** For the session: a piece of payload that the credit covers. */
  onData(piece: Buffer): void {
    if (this.#lost !== undefined) return
    this.#window.spend(piece.length)
    if (this.#paused || this.bufferedBytes > 0) this.#receivedQueue().push(piece)
    else this.#sink?.onData(piece)
    this.#grant()
  }

  /**
   * For the session: the peer has granted credit.
   *
   * @returns false if the credit exceeds 32 bits, which is an error of the peer
   */
  onCredit(bytes: number): boolean {
    this.#sendCredit += bytes
    if (this.#sendCredit > MAX_CREDIT) return false
    if (this.#sending !== undefined) this.#send(false)
    return true
  }

  /**
   * For the session: the peer has sent its end.
   *
   * @returns false if it had done so before, which is an error of the peer
   */
  onFin(): boolean {
    if (this.#remoteEnded) return false
    this.#remoteEnded = true
    if (this.#localEnded) this.#host.forget(this)
    if (!this.#paused && this.bufferedBytes === 0) this.#deliverEnd()
    return true
  }

  /** For the session: the stream is over and the peer knows. */
  onGone(error: HawserError): void {
    this.#lose(error)
  }

  /**
   * For the session: the peer has reset a stream that this side opened. As with a socket of the kernel's, what came before is
   * delivered first, and a write fails at once. (For a stream that the peer opened, its reset means that nobody wants the
   * answer any more: see {@link onGone}.)
   */
  onReset(error: HawserError): void {
    if (this.bufferedBytes > 0 && this.#sending === undefined) this.#resetBy = error
    else this.#lose(error)
  }

  /** For the sender: there is room for one frame. */
  onRoom(): void {
    this.#waiting = false
    this.#send(true)
  }

  /** Sends what credit and room allow. `turn`: there is room for one frame, whoever else waits. */
  #send(turn: boolean): void {
    const { sender } = this.#host
    let mayPass = turn
    while (this.#sending !== undefined) {
      const chunk = this.#sending
      const bytes = Math.min(chunk.length, this.#sendCredit, MAX_FRAME_BYTES)
      if (bytes === 0) return // until the peer grants credit
      if (!mayPass && !sender.hasRoom) return this.#waitForRoom()
      mayPass = false
      this.#sendCredit -= bytes
      this.#unsentBytes -= bytes
      this.#sending = bytes === chunk.length ? this.#unsent.shift() : chunk.subarray(bytes)
      sender.data(this.#takeOpeningFlags(), this.id, bytes === chunk.length ? chunk : chunk.subarray(0, bytes))
    }
    if (this.#full) {
      this.#full = false
      this.#sink?.onDrain()
    }
    if (this.#ending && this.#sending === undefined) this.#sendEnd()
  }

  #sendEnd(): void {
    if (this.#localEnded || this.#lost !== undefined) return
    this.#localEnded = true
    this.#control(Flag.Fin, 0)
    if (this.#remoteEnded) this.#host.forget(this)
    this.#sink?.onSent()
  }

  #waitForRoom(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.#host.sender.waitForRoom(this)
  }

  #receivedQueue(): ReceiveQueue {
    return (this.#received ??= new ReceiveQueue())
  }

  #deliverReceived(): void {
    const queue = this.#received
    while (!this.#paused && queue !== undefined) {
      const piece = queue.shift()
      if (piece === undefined) return
      this.#sink?.onData(piece)
    }
  }

  #deliverEnd(): void {
    if (this.#endDelivered) return
    this.#endDelivered = true
    this.#sink?.onEnd()
  }

  #grant(): void {
    if (this.#remoteEnded || this.#resetBy !== undefined || this.#lost !== undefined) return
    const bytes = this.#window.grant(this.bufferedBytes)
    if (bytes > 0) this.#control(0, bytes)
  }

  #control(flags: number, credit: number): void {
    this.#host.sender.control(FrameType.WindowUpdate, flags | this.#takeOpeningFlags(), this.id, credit)
  }

  #takeOpeningFlags(): number {
    const flags = this.#openingFlags
    this.#openingFlags = 0
    return flags
  }

  /** The peer is gone, and whoever uses the stream is told. */
  #lose(error: HawserError): void {
    if (this.#release(error, false)) this.#sink?.onLost(error)
  }

  /** @returns whether there was something to release */
  #release(error: HawserError, tellPeer: boolean): boolean {
    if (this.#lost !== undefined) return false
    this.#lost = error
    this.#received?.clear()
    this.#window.release()
    if (this.#waiting) this.#host.sender.forget(this)
    this.#sending = undefined
    this.#unsent.clear()
    this.#unsentBytes = 0
    if (this.#localEnded && this.#remoteEnded) return true
    if (tellPeer && this.#resetBy === undefined) this.#control(Flag.Rst, 0)
    this.#host.forget(this)
    return true
  }
}
