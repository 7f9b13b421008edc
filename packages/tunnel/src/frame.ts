/**
 * The yamux frame header (docs/protocol.md, "Frames"; hashicorp's yamux specification, "Framing").
 */

/** Version, type, flags, stream id, length. */
export const HEADER_BYTES = 12
/** The only version there is. */
export const PROTOCOL_VERSION = 0
/** Credit for each direction of a new stream before any window update: 256 KiB. */
export const INITIAL_WINDOW_BYTES: number = 256 * 1024
/** Ids are 32 bits; a session that has used them all opens nothing more. */
export const MAX_STREAM_ID = 0xffff_ffff

/** What a frame is; the meaning of its length field hangs on it. */
export const FrameType = {
  /** Length: payload bytes that follow. The only frame with a payload, and the only one that costs credit. */
  Data: 0,
  /** Length: credit granted to the receiver of the frame, in bytes, on top of what it has. */
  WindowUpdate: 1,
  /** Length: an opaque value that the answer repeats. Stream id 0. */
  Ping: 2,
  /** Length: one of {@link GoAwayCode}. Stream id 0. */
  GoAway: 3,
} as const
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

/** Bits of the flags field. SYN and ACK also tell a ping from its answer. */
export const Flag = {
  /** Opens the stream. */
  Syn: 1,
  /** Accepts the stream. */
  Ack: 2,
  /** The sender will send no more data on the stream. */
  Fin: 4,
  /** The stream is gone at once, both ways. */
  Rst: 8,
} as const

/** Why a session ends, or will: the length field of a go-away. */
export const GoAwayCode = {
  Normal: 0,
  ProtocolError: 1,
  InternalError: 2,
  /** Hawser's own, from the edge: somebody asked it to end the connection. */
  Disconnected: 3,
} as const
export type GoAwayCode = (typeof GoAwayCode)[keyof typeof GoAwayCode]

/**
 * Writes one frame header into `out` at `at`: version u8, type u8, flags u16, stream id u32, length u32, big-endian.
 *
 * Allocates nothing and keeps no reference to `out`. The caller must not reuse that memory until the transport has taken
 * it: Node queues the bytes by reference, not by copy.
 *
 * @returns the offset just past the header, `at + HEADER_BYTES`
 * @throws {RangeError} if `out` has fewer than `HEADER_BYTES` bytes after `at`
 */
export function writeHeader(
  out: Buffer,
  at: number,
  type: FrameType,
  flags: number,
  streamId: number,
  length: number,
): number {
  out.writeUInt32BE(length, at + 8) // the furthest write first, so that a short buffer fails untouched
  out.writeUInt32BE(streamId, at + 4)
  out.writeUInt16BE(flags, at + 2)
  out[at + 1] = type
  out[at] = PROTOCOL_VERSION
  return at + HEADER_BYTES
}
