import type { Duplex } from 'node:stream'
import { FrameDecoder } from './decoder.ts'
import type { FrameSink } from './decoder.ts'
import { FrameType, HEADER_BYTES, writeHeader } from './frame.ts'

/** One frame as it was seen on the wire. */
export interface SeenFrame {
  readonly type: FrameType
  readonly flags: number
  readonly streamId: number
  /** The length field. */
  readonly length: number
  readonly payload: Buffer
}

/** The bytes of one frame. `length` is the payload's unless it is given. */
export function frameBytes(type: FrameType, flags: number, streamId: number, rest: Buffer | number = 0): Buffer {
  const payload = typeof rest === 'number' ? Buffer.alloc(0) : rest
  const out = Buffer.alloc(HEADER_BYTES + payload.length)
  writeHeader(out, 0, type, flags, streamId, typeof rest === 'number' ? rest : payload.length)
  payload.copy(out, HEADER_BYTES)
  return out
}

/** For tests: a peer that does nothing by itself, sends what it is told, and keeps the frames it gets. */
export class RawPeer implements FrameSink {
  readonly frames: SeenFrame[] = []
  readonly #transport: Duplex
  readonly #decoder = new FrameDecoder(this)
  #payload: Buffer[] = []
  #header: Omit<SeenFrame, 'payload'> | undefined
  #onFrame = Promise.withResolvers<void>()
  ended = false

  constructor(transport: Duplex) {
    this.#transport = transport
    transport.on('data', (chunk: Buffer) => this.#decoder.push(chunk))
    transport.on('error', () => {})
    for (const event of ['end', 'close']) {
      transport.once(event, () => {
        this.ended = true
        this.#wake()
      })
    }
  }

  send(type: FrameType, flags: number, streamId: number, rest: Buffer | number = 0): void {
    this.#transport.write(frameBytes(type, flags, streamId, rest))
  }

  sendBytes(bytes: Buffer): void {
    this.#transport.write(bytes)
  }

  /** Stops reading, as a peer that hangs. */
  stall(): void {
    this.#transport.pause()
  }

  /** Ends the connection; reads what is still to come. */
  end(): void {
    this.#transport.end()
    this.#transport.resume()
  }

  /** The first frame that `matches`, as soon as there is one. Frames before it stay. */
  async frame(matches: (frame: SeenFrame) => boolean): Promise<SeenFrame> {
    for (;;) {
      const found = this.frames.find(matches)
      if (found !== undefined) return found
      if (this.ended) throw new Error(`the connection ended without such a frame: ${JSON.stringify(this.frames)}`)
      await this.#onFrame.promise
    }
  }

  /** The go-away that the session ends with. */
  goAway(): Promise<SeenFrame> {
    return this.frame(({ type }) => type === FrameType.GoAway)
  }

  onFrame(type: FrameType, flags: number, streamId: number, length: number): void {
    this.#header = { type, flags, streamId, length }
    this.#payload = []
    if (type !== FrameType.Data || length === 0) this.#complete()
  }

  onPayload(piece: Buffer, left: number): void {
    this.#payload.push(piece)
    if (left === 0) this.#complete()
  }

  onGarbage(reason: string): void {
    throw new Error(reason)
  }

  #complete(): void {
    if (this.#header !== undefined) this.frames.push({ ...this.#header, payload: Buffer.concat(this.#payload) })
    this.#wake()
  }

  #wake(): void {
    this.#onFrame.resolve()
    this.#onFrame = Promise.withResolvers()
  }
}
