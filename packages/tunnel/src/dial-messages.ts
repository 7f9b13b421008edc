import { HawserError } from '@hawser/core'
import type { DialTarget } from '@hawser/core'
import { MESSAGE_LENGTH_BYTES, parseMessage } from './messages.ts'
import { refusalOf, unknownOperation } from './refusal.ts'

/**
 * First byte of a message that is no JSON. There are thousands of dials a second, of all messages only of them; as JSON they
 * cost some 4 % of what both ends do for a short connection.
 */
const DIAL = 0x01
const DIALED = 0x02
/** Kind, port, time limit. */
const DIAL_HEAD_BYTES = 1 + 2 + 4
const MAX_TEXT_BYTES = 0xff

/** RFC 1035 section 2.3.4, and longer than any address literal with a zone. */
const MAX_HOST_BYTES = 253
const MAX_FLOW_BYTES = 64
const MAX_TIMEOUT_MS = 600_000
/** Of resolvers in one request, and of the text of an address. */
const MAX_RESOLVERS = 8
const MAX_ADDRESS_BYTES = 45
const NONE: readonly string[] = []

/**
 * What a stream that wants a connection begins with (docs/protocol.md, "Dial").
 *
 * @throws {HawserError} `address_invalid` for a host or an address that no text field holds
 */
export function encodeDialRequest(target: DialTarget): Buffer {
  const { host, port, flowId, timeoutMs, otherHost = '', resolverIps = NONE } = target
  let bytes = DIAL_HEAD_BYTES + textBytes(host) + textBytes(flowId) + textBytes(otherHost) + 1
  for (const ip of resolverIps) bytes += textBytes(ip)
  const out = Buffer.allocUnsafe(MESSAGE_LENGTH_BYTES + bytes)
  let at = out.writeUInt16BE(bytes, 0)
  at = out.writeUInt8(DIAL, at)
  at = out.writeUInt16BE(port, at)
  at = out.writeUInt32BE(timeoutMs, at)
  at = writeText(out, at, host)
  at = writeText(out, at, flowId)
  at = writeText(out, at, otherHost)
  at = out.writeUInt8(resolverIps.length, at)
  for (const ip of resolverIps) at = writeText(out, at, ip)
  return out
}

/**
 * Reads a dial request. What stands behind its last field is for later versions.
 *
 * @throws {HawserError} `tunnel_protocol_error`, naming the field
 */
export function parseDialRequest(message: Buffer): DialTarget {
  if (message[0] !== DIAL) throw unknownOperation(message[0] === 0x7b ? parseMessage(message)['op'] : message[0])
  if (message.length < DIAL_HEAD_BYTES) throw invalid('length', message.length, 'the whole of the request')
  const port = message.readUInt16BE(1)
  const timeoutMs = message.readUInt32BE(3)
  if (port === 0) throw invalid('port', port, 'an integer of 1 to 65535')
  if (timeoutMs === 0 || timeoutMs > MAX_TIMEOUT_MS) {
    throw invalid('timeoutMs', timeoutMs, `an integer of 1 to ${MAX_TIMEOUT_MS}`)
  }
  const hostEnd = textEnd(message, DIAL_HEAD_BYTES, 'host', 1, MAX_HOST_BYTES)
  const flowEnd = textEnd(message, hostEnd, 'flow', 0, MAX_FLOW_BYTES)
  const otherEnd = textEnd(message, flowEnd, 'other', 0, MAX_ADDRESS_BYTES)
  const host = message.toString('utf8', DIAL_HEAD_BYTES + 1, hostEnd)
  const flowId = message.toString('utf8', hostEnd + 1, flowEnd)
  const resolvers = message[otherEnd] ?? MAX_TEXT_BYTES
  if (resolvers === 0 && otherEnd === flowEnd + 1) return { host, port, flowId, timeoutMs }
  if (resolvers > MAX_RESOLVERS) throw invalid('resolvers', resolvers, `up to ${MAX_RESOLVERS} addresses`)
  const otherHost = otherEnd === flowEnd + 1 ? undefined : message.toString('utf8', flowEnd + 1, otherEnd)
  if (resolvers === 0) return { host, port, flowId, timeoutMs, otherHost }
  return { host, port, flowId, timeoutMs, otherHost, resolverIps: readResolvers(message, otherEnd + 1, resolvers) }
}

/** The connection stands: raw bytes follow, both ways. `remote` is the address that answered, `ip:port`. */
export function encodeDialed(remote: string): Buffer {
  const bytes = 1 + textBytes(remote)
  const out = Buffer.allocUnsafe(MESSAGE_LENGTH_BYTES + bytes)
  writeText(out, out.writeUInt8(DIALED, out.writeUInt16BE(bytes, 0)), remote)
  return out
}

/**
 * Reads the reply to a dial request.
 *
 * @returns the address that answered, `ip:port`
 * @throws {HawserError} the code of the refusal (`destination_unavailable` for one this version does not know), or
 *   `tunnel_protocol_error` for a message that is no reply
 */
export function parseDialReply(message: Buffer): string {
  if (message[0] !== DIALED) throw refusalOf(parseMessage(message), 'destination_unavailable')
  return message.toString('utf8', 2, textEnd(message, 1, 'remote', 1, MAX_TEXT_BYTES))
}

function readResolvers(message: Buffer, start: number, count: number): string[] {
  const resolvers: string[] = []
  for (let at = start; resolvers.length < count;) {
    const end = textEnd(message, at, 'resolvers', 1, MAX_ADDRESS_BYTES)
    resolvers.push(message.toString('utf8', at + 1, end))
    at = end
  }
  return resolvers
}

/** A text is one byte of length and so many bytes of UTF-8. */
function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text)
  if (bytes <= MAX_TEXT_BYTES) return 1 + bytes
  throw new HawserError('address_invalid', `${text.slice(0, 100)}…: ${bytes} bytes, allowed are ${MAX_TEXT_BYTES}`)
}

function writeText(out: Buffer, at: number, text: string): number {
  const bytes = out.write(text, at + 1)
  out[at] = bytes
  return at + 1 + bytes
}

/** Where the text at `at` ends. */
function textEnd(message: Buffer, at: number, field: string, min: number, max: number): number {
  const bytes = message[at] ?? Infinity
  const end = at + 1 + bytes
  if (bytes >= min && bytes <= max && end <= message.length) return end
  const given = end <= message.length ? `${bytes} bytes` : 'less than its length says'
  throw invalid(field, given, `${min} to ${max} bytes`)
}

function invalid(field: string, given: string | number, wanted: string): HawserError {
  return new HawserError('tunnel_protocol_error', `dial: ${field}: expected ${wanted}, got ${given}`)
}
