import type { Writable } from 'node:stream'
import { Fifo } from './fifo.ts'
import { Flag, FrameType, HEADER_BYTES, writeHeader } from './frame.ts'
import type { GoAwayCode } from './frame.ts'

/** Whoever found the sender full and waits for a turn. */
export interface SendWaiter {
  /** There is room for one frame now. Called once per {@link FrameSender.waitForRoom}. */
  onRoom(): void
}

/** A batch of so many bytes makes streams wait: enough to fill a fast link, and a bound on how long a frame queues. */
const ROOM_BYTES = 256 * 1024
/** Frames without payload that a peer may provoke without reading any: beyond it the peer is not playing along. */
const CONTROL_ROOM_BYTES = 1024 * 1024
const SLAB_BYTES = 64 * 1024
/**
 * Payload up to this size is copied behind its header, so that a batch of small messages leaves as one buffer; larger payload
 * is passed by reference. Measured: a buffer more in a write costs about as much as copying a kilobyte.
 */
const COPY_BYTES = 1024
/**
 * On a busy connection a batch waits for company: until a turn of the event loop adds nothing to it, or it has so many frames or
 * bytes, or is so many turns old. A write costs as much CPU at both ends as opening a stream, and Node accepts only one
 * connection a turn: writing every turn cost a fifth of all connections a second. A connection is busy when this batch or the
 * last one has more frames than a single exchange needs; where it is not, waiting would only delay that exchange.
 */
const ENOUGH_FRAMES = 8
const ENOUGH_BYTES = 16 * 1024
const MAX_TURNS = 3
const QUIET_FRAMES = 2

/**
 * Frames on their way to the transport. They leave in batches, each in one write, and while a write is under way the next
 * batch gathers: the busier the connection, the larger the batches.
 */
export class FrameSender {
  readonly #transport: Writable
  readonly #onOverflow: () => void
  /** Streams that found no room, in the order in which they get their turn. */
  readonly #waiting = new Fifo<SendWaiter>()
  #batch: Buffer[] = []
  #batchBytes = 0
  #batchFrames = 0
  #controlBytes = 0
  #lastBatchFrames = 0
  /** Frames at the end of the last turn, and turns that the batch has waited. */
  #framesBefore = 0
  #turns = 0
  /** Headers and small payload are written here; a spent slab is dropped, never rewound, since its bytes may be queued. */
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #slabAt = 0
  /** Where the slab bytes that are not yet in the batch begin. */
  #slabCut = 0
  #scheduled = false
  #writing = false
  #closed = false
  /** Bytes handed to the transport, headers included. */
  bytesSent = 0

  /** @param onOverflow the peer provokes control frames and does not read them; nothing is sent any more */
  constructor(transport: Writable, onOverflow: () => void) {
    this.#transport = transport
    this.#onOverflow = onOverflow
  }

  /** False while streams must wait: the batch is full, or others are waiting already. */
  get hasRoom(): boolean {
    return this.#batchBytes < ROOM_BYTES && this.#waiting.length === 0
  }

  /** Queues `waiter` for one turn, behind those already waiting. It must not be waiting. */
  waitForRoom(waiter: SendWaiter): void {
    this.#waiting.push(waiter)
  }

  /** `waiter` does not want its turn any more. */
  forget(waiter: SendWaiter): void {
    this.#waiting.remove(waiter)
  }

  /** A frame without payload. Never waits; a peer that makes them pile up ends the session. */
  control(type: FrameType, flags: number, streamId: number, length: number): void {
    if (this.#closed) return
    this.#header(type, flags, streamId, length)
    this.#controlBytes += HEADER_BYTES
    if (this.#controlBytes > CONTROL_ROOM_BYTES) {
      this.close()
      this.#onOverflow()
    } else this.#schedule()
  }

  /** Accepts a stream. Nothing hurries: it leaves with the next frame that does, at the latest a ping. */
  acknowledge(streamId: number): void {
    if (!this.#closed) this.#header(FrameType.WindowUpdate, Flag.Ack, streamId, 0)
  }

  ping(id: number, isAnswer: boolean): void {
    this.control(FrameType.Ping, isAnswer ? Flag.Ack : Flag.Syn, 0, id)
  }

  goAway(code: GoAwayCode): void {
    this.control(FrameType.GoAway, 0, 0, code)
  }

  /** A data frame. The caller has the credit for it and has seen {@link hasRoom}; `payload` must not change afterwards. */
  data(flags: number, streamId: number, payload: Buffer): void {
    if (this.#closed) return
    this.#header(FrameType.Data, flags, streamId, payload.length)
    this.#batchBytes += payload.length
    if (payload.length <= COPY_BYTES && payload.length <= SLAB_BYTES - this.#slabAt) {
      payload.copy(this.#slab, this.#slabAt)
      this.#slabAt += payload.length
    } else {
      this.#cutSlab()
      this.#batch.push(payload)
    }
    this.#schedule()
  }

  /** Sends what is queued, then ends the transport; later frames are dropped. */
  end(): void {
    if (this.#closed) return
    this.#flush()
    this.close()
    this.#transport.end()
  }

  /** Later frames are dropped, and nobody waiting gets a turn. */
  close(): void {
    this.#closed = true
    this.#waiting.clear()
  }

  #header(type: FrameType, flags: number, streamId: number, length: number): void {
    if (SLAB_BYTES - this.#slabAt < HEADER_BYTES) {
      this.#cutSlab()
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#slabAt = 0
      this.#slabCut = 0
    }
    this.#slabAt = writeHeader(this.#slab, this.#slabAt, type, flags, streamId, length)
    this.#batchBytes += HEADER_BYTES
    this.#batchFrames += 1
  }

  #cutSlab(): void {
    if (this.#slabCut === this.#slabAt) return
    this.#batch.push(this.#slab.subarray(this.#slabCut, this.#slabAt))
    this.#slabCut = this.#slabAt
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing) return
    this.#scheduled = true
    setImmediate(this.#onTurn)
  }

  readonly #onTurn = (): void => {
    if (this.#gathers()) {
      this.#framesBefore = this.#batchFrames
      this.#turns += 1
      setImmediate(this.#onTurn)
      return
    }
    this.#scheduled = false
    if (!this.#closed && !this.#writing) this.#flush()
  }

  /** Whether the batch waits another turn. */
  #gathers(): boolean {
    const frames = this.#batchFrames
    if (frames === this.#framesBefore || frames >= ENOUGH_FRAMES) return false
    if (this.#turns >= MAX_TURNS || this.#batchBytes >= ENOUGH_BYTES) return false
    return frames > QUIET_FRAMES || this.#lastBatchFrames > QUIET_FRAMES
  }

  /** One write of all that is queued. */
  #flush(): void {
    this.#cutSlab()
    const batch = this.#batch
    const last = batch.length - 1
    if (last < 0) return
    this.bytesSent += this.#batchBytes
    this.#batch = []
    this.#batchBytes = 0
    this.#lastBatchFrames = this.#batchFrames
    this.#batchFrames = 0
    this.#controlBytes = 0
    this.#framesBefore = 0
    this.#turns = 0
    this.#writing = true
    if (last === 0) return void this.#transport.write(batch[0], this.#onWritten)
    this.#transport.cork()
    for (let index = 0; index < last; index += 1) this.#transport.write(batch[index])
    this.#transport.write(batch[last], this.#onWritten)
    return this.#transport.uncork()
  }

  readonly #onWritten = (error: Error | null | undefined): void => {
    this.#writing = false
    if (this.#closed || error) return // the transport's own error event ends the session
    while (this.#waiting.length > 0 && this.#batchBytes < ROOM_BYTES) this.#waiting.shift()?.onRoom()
    this.#flush()
  }
}
