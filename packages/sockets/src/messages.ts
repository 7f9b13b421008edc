import { randomBytes } from 'node:crypto'

/**
 * The exact texts of workerd (S-nnn name the behaviours). Programs written for Workers match on them, so they are part of
 * the contract and never reworded. What workerd does not say, the reason, travels beside them as `code` and `cause`.
 */
export const TEXT = {
  addressUnparsable: 'Specified address could not be parsed.',
  addressWithoutHost: 'Specified address is missing hostname.',
  addressWithoutPort: 'Specified address is missing port.',
  addressCharacters: 'Specified address is empty string, contains unsupported characters or is too long.',
  refused: 'proxy request failed, cannot connect to the specified address',
  refusedHttpHint:
    '. It looks like you might be trying to connect to a HTTP-based service — consider using fetch instead',
  lost: 'Network connection lost.',
  cancelled: 'Stream was cancelled.',
  socketClosed: 'This socket has been closed.',
  readableClosing: 'This ReadableStream belongs to an object that is closing.',
  readableLocked: 'This ReadableStream is currently locked to a reader.',
  readableLockedForTls: 'The ReadableStream has been locked to a reader.',
  readerReleased: 'This ReadableStream reader has been released.',
  readerMode: "mode must be undefined or 'byob' in call to getReader().",
  readPending: 'This ReadableStream only supports a single pending read request at a time.',
  releasePending: 'Cannot call releaseLock() on a reader with outstanding read promises.',
  viewEmpty: 'You must call read() on a "byob" reader with a positive-sized TypedArray object.',
  viewFixed: 'Unable to use non-detachable ArrayBuffer',
  writableClosing: 'This WritableStream belongs to an object that is closing.',
  writableClosed: 'This WritableStream has been closed.',
  writableLocked: 'This WritableStream is currently locked to a writer.',
  pipeTargetLocked: 'This WritableStream is currently locked to a writer',
  writerReleased: 'This WritableStream writer has been released.',
  chunkInvalid:
    'This TransformStream is being used as a byte stream, but received an object of non-ArrayBuffer/ArrayBufferView type on its writable side.',
  tlsAlready: 'Cannot startTls on a TLS socket.',
  tlsTooLate: 'The connection was closed before startTls could be started.',
  tlsNotAsked: "The `secureTransport` socket option must be set to 'starttls' for startTls to be used.",
  tlsTwice: 'startTls has already been called on this socket, or the socket was transferred over RPC.',
  notInteger: 'The value cannot be converted because it is not an integer.',
  negativeNumber: 'The value cannot be converted because it is negative and this API expects a positive number.',
  negativeBigint: 'The value cannot be converted because it is negative and this API expects a positive bigint.',
  truncatedBigint:
    'The value cannot be converted because it is either negative and this API expects a positive bigint, or the value would be truncated.',
} as const

/** Port numbers whose failure carries the hint to use `fetch()` (S-061). */
const HTTP_PORTS: ReadonlySet<number> = new Set([80, 443])

/** The text of a connection that could not be opened (S-060, S-061). */
export function refusedText(port: number): string {
  return HTTP_PORTS.has(port) ? TEXT.refused + TEXT.refusedHttpHint : TEXT.refused
}

/**
 * An `Error` with workerd's text, and with what workerd hides: the Node error as `cause`, its code as `code`. Neither is
 * enumerable, so that what a program prints, copies or compares is what it would be in a Worker.
 */
export function errorWithCause(text: string, cause: unknown): Error {
  const error = new Error(text, { cause })
  const code = codeOf(cause)
  if (code !== undefined) Object.defineProperty(error, 'code', { value: code, configurable: true, writable: true })
  return error
}

/** A connection that broke after it was open (E-LOST of S-110); `retryable` is workerd's own property. */
export function lostError(cause: unknown): Error {
  return Object.assign(errorWithCause(TEXT.lost, cause), { retryable: true })
}

/** What workerd says of every failed upgrade, with a reference of its form; the reason is the `cause`. */
export function internalError(cause: unknown): Error {
  const reference = Array.from(randomBytes(24), (byte) => (byte % 32).toString(32)).join('')
  return errorWithCause(`internal error; reference = ${reference}`, cause)
}

/** What a stream reports for a reason that is not an error: the reason's text (S-077, S-091). */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined
  return typeof cause.code === 'string' ? cause.code : undefined
}
