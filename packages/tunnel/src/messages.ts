import { HawserError } from '@hawser/core'
import type { ChannelSink } from '@hawser/core'
import type { MuxStream } from './stream.ts'

/** Longest JSON text of one message, in bytes. */
export const MAX_MESSAGE_BYTES: number = 16 * 1024
/** Of the length that every message begins with. */
export const MESSAGE_LENGTH_BYTES = 2

/** A JSON object as it came from the peer: nothing in it has been checked. */
export type Message = Readonly<Record<string, unknown>>

/**
 * One message as bytes: u16 big-endian length, then JSON (docs/protocol.md, "Messages").
 *
 * @throws {HawserError} `tunnel_protocol_error` if the JSON is longer than {@link MAX_MESSAGE_BYTES}
 */
export function encodeMessage(message: Message): Buffer {
  const json = JSON.stringify(message)
  const bytes = Buffer.byteLength(json)
  if (bytes > MAX_MESSAGE_BYTES) throw badLength(bytes)
  const out = Buffer.allocUnsafe(MESSAGE_LENGTH_BYTES + bytes)
  out.writeUInt16BE(bytes, 0)
  out.write(json, MESSAGE_LENGTH_BYTES)
  return out
}

/** Cuts messages out of a byte stream, whatever the pieces it arrives in. Holds at most one incomplete message. */
export class MessageDecoder {
  /** The message that the last {@link push} completed, without its length; a view of what was pushed. */
  message: Buffer | undefined
  /** Bytes of the message under way, its length field included. Grows to the whole message once the length is known. */
  #held: Buffer | undefined
  #heldBytes = 0

  /**
   * Reads up to the end of one message, then says so in {@link message}.
   *
   * @returns how many bytes of `piece` it has used; the rest belongs to what follows
   * @throws {HawserError} `tunnel_protocol_error`: too long, or empty
   */
  push(piece: Buffer): number {
    this.message = undefined
    if (this.#held === undefined) {
      const whole = wholeLength(piece, piece.length)
      if (whole <= piece.length) {
        this.message = piece.subarray(MESSAGE_LENGTH_BYTES, whole) // the usual case: nothing is copied
        return whole
      }
      this.#held = Buffer.allocUnsafe(MESSAGE_LENGTH_BYTES)
      this.#heldBytes = 0
    }
    return this.#gather(this.#held, piece, 0)
  }

  /** Moves bytes of `piece` from `at` on into `held`: first the length, then, in a second step, the rest. */
  #gather(held: Buffer, piece: Buffer, at: number): number {
    const used = at + piece.copy(held, this.#heldBytes, at)
    this.#heldBytes += used - at
    if (this.#heldBytes < held.length) return used
    if (held.length > MESSAGE_LENGTH_BYTES) {
      this.#held = undefined
      this.message = held.subarray(MESSAGE_LENGTH_BYTES)
      return used
    }
    this.#held = Buffer.allocUnsafe(wholeLength(held, MESSAGE_LENGTH_BYTES))
    held.copy(this.#held)
    return this.#gather(this.#held, piece, used)
  }
}

/** The first message of a stream has come, or will never come. */
export interface FirstMessage {
  /** The stream is paused; what follows waits for whoever reads next. */
  onMessage(message: Buffer): void
  /** The stream ended, failed, or sent something else, and is released. */
  onLost(error: HawserError): void
}

/** Reads the first message of a stream, just opened or accepted. */
export function readFirstMessage(stream: MuxStream, reader: FirstMessage): void {
  stream.deliverTo(new FirstMessageSink(stream, reader))
  stream.resume()
}

class FirstMessageSink implements ChannelSink {
  readonly #stream: MuxStream
  readonly #reader: FirstMessage
  readonly #decoder = new MessageDecoder()

  constructor(stream: MuxStream, reader: FirstMessage) {
    this.#stream = stream
    this.#reader = reader
  }

  onData(piece: Buffer): void {
    let used
    try {
      used = this.#decoder.push(piece)
    } catch (error) {
      return this.#fail(HawserError.from(error, 'tunnel_protocol_error'))
    }
    const { message } = this.#decoder
    if (message === undefined) return undefined
    this.#stream.pause()
    this.#stream.unread(piece.subarray(used))
    return this.#reader.onMessage(message)
  }

  onEnd(): void {
    this.#fail(new HawserError('connection_terminated', 'the peer ended the stream before its first message'))
  }

  onLost(error: HawserError): void {
    this.#reader.onLost(error)
  }

  onDrain(): void {}

  onSent(): void {}

  #fail(error: HawserError): void {
    this.#stream.reset()
    this.#reader.onLost(error)
  }
}

/** Bytes of the message that `from` begins with; infinite while its length field is incomplete. */
function wholeLength(from: Buffer, available: number): number {
  if (available < MESSAGE_LENGTH_BYTES) return Infinity
  const bytes = from.readUInt16BE(0)
  if (bytes === 0 || bytes > MAX_MESSAGE_BYTES) throw badLength(bytes)
  return MESSAGE_LENGTH_BYTES + bytes
}

/**
 * Reads a message that is JSON.
 *
 * @throws {HawserError} `tunnel_protocol_error` if it is no JSON object
 */
export function parseMessage(message: Buffer): Message {
  let value: unknown
  try {
    value = JSON.parse(message.toString())
  } catch (cause) {
    throw new HawserError('tunnel_protocol_error', 'a message is not JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HawserError('tunnel_protocol_error', 'a message is not a JSON object')
  }
  return value as Message
}

function badLength(bytes: number): HawserError {
  return new HawserError('tunnel_protocol_error', `a message of ${bytes} bytes, allowed are 1 to ${MAX_MESSAGE_BYTES}`)
}
