import { FrameType, HEADER_BYTES, PROTOCOL_VERSION } from './frame.ts'

/** What a decoder tells of the bytes it is given, in their order. */
export interface FrameSink {
  /** A header is complete. Of a data frame with a length, the payload follows in one or more {@link onPayload} calls. */
  onFrame(type: FrameType, flags: number, streamId: number, length: number): void
  /**
   * A piece of the payload of the last data frame: a view of the chunk that was read, never a copy, never empty.
   *
   * @param left payload bytes of the frame still to come; 0 with the last piece
   */
  onPayload(piece: Buffer, left: number): void
  /** The bytes are no yamux; nothing more will be decoded. */
  onGarbage(reason: string): void
}

/**
 * Cuts a byte stream into frames, whatever the pieces it arrives in. Holds at most one incomplete header: payload is handed
 * on as it arrives, so a frame of any length costs no memory here.
 */
export class FrameDecoder {
  readonly #sink: FrameSink
  /** The start of a header that the last chunk cut in two. */
  readonly #partial: Buffer = Buffer.alloc(HEADER_BYTES)
  #partialBytes = 0
  #payloadLeft = 0
  #stopped = false

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Decodes nothing more, not even the rest of the chunk under way: for a session that has just ended. */
  stop(): void {
    this.#stopped = true
  }

  /** Reads one chunk. The sink is called synchronously and may keep the pieces it is given. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && !this.#stopped) {
      if (this.#payloadLeft > 0) at = this.#payload(chunk, at)
      else if (this.#partialBytes === 0 && chunk.length - at >= HEADER_BYTES) {
        this.#header(chunk, at)
        at += HEADER_BYTES
      } else at = this.#headerInPieces(chunk, at)
    }
  }

  #payload(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#payloadLeft, chunk.length)
    this.#payloadLeft -= end - at
    this.#sink.onPayload(end - at === chunk.length ? chunk : chunk.subarray(at, end), this.#payloadLeft)
    return end
  }

  #headerInPieces(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#partial, this.#partialBytes, at)
    this.#partialBytes += copied
    if (this.#partialBytes === HEADER_BYTES) {
      this.#partialBytes = 0
      this.#header(this.#partial, 0)
    }
    return at + copied
  }

  #header(from: Buffer, at: number): void {
    const type = from[at + 1]
    if (from[at] !== PROTOCOL_VERSION) return this.#garbage(`frame version ${from[at]}, expected ${PROTOCOL_VERSION}`)
    if (!isFrameType(type)) return this.#garbage(`frame type ${type}, expected 0 to ${FrameType.GoAway}`)
    const length = from.readUInt32BE(at + 8)
    if (type === FrameType.Data) this.#payloadLeft = length
    this.#sink.onFrame(type, from.readUInt16BE(at + 2), from.readUInt32BE(at + 4), length)
    return undefined
  }

  #garbage(reason: string): void {
    this.#stopped = true
    this.#sink.onGarbage(reason)
  }
}

function isFrameType(value: number | undefined): value is FrameType {
  return value !== undefined && value <= FrameType.GoAway
}
