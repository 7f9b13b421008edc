import { Duplex } from 'node:stream'
import { HawserError } from '@hawser/core'
import { Flag, FrameType, INITIAL_WINDOW_BYTES } from './frame.ts'
import { ReceiveQueue, isSmallPart } from './receive-queue.ts'
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

/** Reads the first bytes of a stream, before anyone uses it as a Duplex. See {@link MuxStream.expect}. */
export interface Preface {
  onBytes(piece: Buffer): void
  /** The stream ended or failed before {@link MuxStream.hand}. Nobody else is told. */
  onLost(error: HawserError): void
}

type Done = (error?: Error | null) => void

/** So much of one stream leaves before others get a turn. */
const MAX_FRAME_BYTES = 64 * 1024
const MAX_CREDIT = 0xffff_ffff
/** Writing: above one read of a socket (64 KiB), so that a chunk that leaves at once does not stop its source. */
const OPTIONS = { readableHighWaterMark: 16 * 1024, writableHighWaterMark: 128 * 1024 } as const

/**
 * One stream of a session as a Duplex. Its two directions end independently; writing waits for the peer's credit and for
 * room on the connection; reading grants the peer credit. `destroy()` before both ends is a reset, since the peer would
 * otherwise wait for credit for ever. Errors are `HawserError`s: `connection_terminated` for a reset by the peer, else what
 * ended the session.
 */
export class MuxStream extends Duplex implements SendWaiter {
  readonly id: number
  /** For the session: the peer has accepted the stream. */
  acknowledged = false
  readonly #host: StreamHost
  readonly #window: ReceiveWindow
  /** SYN or ACK, until a frame has carried it. */
  #openingFlags: number
  #sendCredit = INITIAL_WINDOW_BYTES
  /** The chunk being written, or what is left of it. */
  #pending: Buffer | undefined
  #pendingDone: Done | undefined
  /** Stands in the sender's queue for a turn. */
  #waiting = false
  /** Received, while the Readable has enough. */
  readonly #queue = new ReceiveQueue()
  /** The Readable has asked for more than it got. False until somebody reads. */
  #wanted = false
  #preface: Preface | undefined
  #localEnded = false
  #remoteEnded = false
  /** The peer has reset the stream, or the session is gone: there is nobody to send a reset to. */
  #peerGone = false
  /** What the stream fails with once all that came before the peer's reset has been read. */
  #lateError: HawserError | undefined

  constructor(host: StreamHost, id: number, openingFlags: number) {
    super(OPTIONS)
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

  /** Bytes received and not yet read: at most the window. */
  get bufferedBytes(): number {
    return this.#queue.bytes + this.readableLength
  }

  /** Whether the peer has sent its end. */
  get remoteEnded(): boolean {
    return this.#remoteEnded
  }

  /** Sends the SYN or ACK in a frame of its own, unless another frame has carried it. */
  announce(): void {
    const flags = this.#takeOpeningFlags()
    if (flags === Flag.Ack) this.#host.sender.acknowledge(this.id)
    else if (flags !== 0) this.#host.sender.control(FrameType.WindowUpdate, flags, this.id, 0)
  }

  /**
   * Sends a small message past the Writable, without waiting for room: for the request or the reply that a stream begins
   * with, before anything else is written.
   */
  sendPreface(payload: Buffer): void {
    if (this.destroyed) return
    this.#sendCredit -= payload.length
    this.#host.sender.data(this.#takeOpeningFlags(), this.id, payload)
  }

  /** `preface` gets the bytes from here on, until {@link hand}. Call it as soon as the stream exists. */
  expect(preface: Preface): void {
    this.#preface = preface
  }

  /** What follows, `rest` first, is for the Duplex's reader. */
  hand(rest: Buffer): void {
    this.#preface = undefined
    if (rest.length === 0) return
    if (this.#wanted) this.#wanted = this.push(rest)
    else this.#queue.push(rest)
  }

  /** Resets the stream at once: the peer sees an error, not an end. Nothing queued is sent. */
  resetAndDestroy(): this {
    return this.destroy()
  }

  /** Ends writing and destroys the stream once all is sent, as `net.Socket` does. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** For the session: a piece of payload that the credit covers. */
  onData(piece: Buffer): void {
    if (this.destroyed) return
    this.#window.spend(piece.length)
    if (this.#preface !== undefined) this.#preface.onBytes(piece)
    else if (!this.#wanted || this.#queue.bytes > 0) this.#queue.push(piece)
    else if (this.readableLength > 0 && isSmallPart(piece)) this.#wanted = this.push(Buffer.from(piece))
    else this.#wanted = this.push(piece)
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
    if (this.#pending !== undefined) this.#send(false)
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
    if (this.#preface !== undefined) {
      this.destroy(new HawserError('connection_terminated', 'the peer ended the stream before its first message'))
    } else if (this.#wanted && this.#queue.bytes === 0) this.push(null)
    return true
  }

  /** For the session: the stream is over and the peer knows. */
  onGone(error: HawserError): void {
    this.#peerGone = true
    this.destroy(error)
  }

  /**
   * For the session: the peer has reset a stream that this side opened. As with a socket of the kernel's, what came before is
   * read first, and a write fails at once. (For a stream that the peer opened, its reset means that nobody wants the answer
   * any more: see {@link onGone}.)
   */
  onReset(error: HawserError): void {
    const mayWait = this.#preface === undefined && this.#pending === undefined && this.bufferedBytes > 0
    if (!mayWait) return this.onGone(error)
    this.#peerGone = true
    this.#lateError = error
    return undefined
  }

  /** For the sender: there is room for one frame. */
  onRoom(): void {
    this.#waiting = false
    this.#send(true)
  }

  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null
    if (this.#lateError !== undefined && this.bufferedBytes === 0) this.destroy(this.#lateError)
    return chunk
  }

  override _read(): void {
    this.#wanted = true
    while (this.#wanted) {
      const piece = this.#queue.shift()
      if (piece === undefined) break
      this.#wanted = this.push(piece)
    }
    if (this.#remoteEnded && this.#queue.bytes === 0) this.push(null)
    else this.#grant()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#lateError !== undefined) return done(this.#lateError)
    if (chunk.length === 0) return done()
    this.#pending = chunk
    this.#pendingDone = done
    return this.#send(false)
  }

  override _final(done: Done): void {
    if (this.#lateError !== undefined) return done(this.#lateError)
    this.#localEnded = true
    this.#control(Flag.Fin, 0)
    if (this.#remoteEnded) this.#host.forget(this)
    return done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#queue.clear()
    this.#window.release()
    if (this.#waiting) this.#host.sender.forget(this)
    if (!this.#localEnded || !this.#remoteEnded) {
      if (!this.#peerGone) this.#control(Flag.Rst, 0)
      this.#host.forget(this)
    }
    this.#pending = undefined
    const pendingDone = this.#pendingDone
    this.#pendingDone = undefined
    pendingDone?.(error ?? new HawserError('connection_aborted', 'the stream was destroyed before all was sent'))
    const preface = this.#preface
    this.#preface = undefined
    if (preface === undefined) return done(error)
    preface.onLost(HawserError.from(error ?? 'the stream was destroyed', 'connection_aborted'))
    return done()
  }

  /** Sends of the pending chunk what credit and room allow. `turn`: there is room for one frame, whoever else waits. */
  #send(turn: boolean): void {
    const sender = this.#host.sender
    let mayPass = turn
    while (this.#pending !== undefined) {
      const chunk = this.#pending
      const bytes = Math.min(chunk.length, this.#sendCredit, MAX_FRAME_BYTES)
      if (bytes === 0) return // until the peer grants credit
      if (!mayPass && !sender.hasRoom) return this.#waitForRoom()
      mayPass = false
      this.#sendCredit -= bytes
      this.#pending = bytes === chunk.length ? undefined : chunk.subarray(bytes)
      sender.data(this.#takeOpeningFlags(), this.id, bytes === chunk.length ? chunk : chunk.subarray(0, bytes))
    }
    const done = this.#pendingDone
    this.#pendingDone = undefined
    done?.()
  }

  #waitForRoom(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.#host.sender.waitForRoom(this)
  }

  #grant(): void {
    if (this.#remoteEnded || this.#peerGone || this.destroyed) return
    const bytes = this.#window.grant(this.#queue.bytes + this.readableLength)
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
}
