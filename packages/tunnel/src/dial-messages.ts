import { HawserError, isErrorCode } from '@hawser/core'
import type { DialTarget } from '@hawser/core'
import { encodeMessage } from './messages.ts'
import type { Message } from './messages.ts'

/** RFC 1035 section 2.3.4, and longer than any address literal with a zone. */
const MAX_HOST_LENGTH = 253
const MAX_FLOW_LENGTH = 64
const MAX_TIMEOUT_MS = 600_000
/** Of resolvers in one request, and of the text of an address. */
const MAX_RESOLVERS = 8
const MAX_ADDRESS_LENGTH = 45
/** Of the text in a refusal. */
const MAX_REASON_LENGTH = 1_000

/** What a stream that wants a connection begins with (docs/protocol.md, "Dial"). */
export function encodeDialRequest(target: DialTarget): Buffer {
  const { host, port, otherHost: other, resolverIps: resolvers, flowId, timeoutMs } = target
  return encodeMessage({ op: 'dial', host, port, flow: flowId, timeoutMs, other, resolvers }) // without what is undefined
}

/** @throws {HawserError} `tunnel_protocol_error`, naming the field */
export function parseDialRequest(message: Message): DialTarget {
  const { host, port, flow, timeoutMs, other, resolvers } = message
  if (typeof host !== 'string' || host === '' || host.length > MAX_HOST_LENGTH) {
    throw invalid('host', host, `a string of 1 to ${MAX_HOST_LENGTH} characters`)
  }
  if (typeof flow !== 'string' || flow.length > MAX_FLOW_LENGTH) {
    throw invalid('flow', flow, `a string of up to ${MAX_FLOW_LENGTH} characters`)
  }
  if (!isInteger(port, 1, 65_535)) throw invalid('port', port, 'an integer of 1 to 65535')
  if (!isInteger(timeoutMs, 1, MAX_TIMEOUT_MS))
    throw invalid('timeoutMs', timeoutMs, `an integer of 1 to ${MAX_TIMEOUT_MS}`)
  if (other === undefined && resolvers === undefined) return { host, port, flowId: flow, timeoutMs }
  if (other !== undefined && !isAddressText(other)) throw invalid('other', other, 'an address')
  if (resolvers !== undefined && !isAddressList(resolvers)) {
    throw invalid('resolvers', resolvers, `up to ${MAX_RESOLVERS} addresses`)
  }
  return { host, port, otherHost: other, resolverIps: resolvers, flowId: flow, timeoutMs }
}

/** Long enough and no longer: what it says is for the connector to judge, as `host` is. */
function isAddressText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ADDRESS_LENGTH
}

function isAddressList(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MAX_RESOLVERS && value.every(isAddressText)
}

/** The connection stands: raw bytes follow, both ways. `remote` is the address that answered, `ip:port`. */
export function encodeDialed(remote: string): Buffer {
  return encodeMessage({ ok: true, remote })
}

/** The request is refused; nothing but the end follows. */
export function encodeRefusal(error: HawserError): Buffer {
  return encodeMessage({ ok: false, code: error.code, message: error.message.slice(0, MAX_REASON_LENGTH) })
}

/**
 * Reads the reply to a dial request.
 *
 * @returns the address that answered, `ip:port`
 * @throws {HawserError} the code of the refusal (`destination_unavailable` for one this version does not know), or
 *   `tunnel_protocol_error` for a message that is no reply
 */
export function parseDialReply(message: Message): string {
  if (message['ok'] === true && typeof message['remote'] === 'string') return message['remote']
  throw refusalOf(message, 'destination_unavailable')
}

/** The error that a refusal carries. `unknown` stands for a code this version does not know. */
export function refusalOf(message: Message, unknown: 'destination_unavailable' | 'tunnel_protocol_error'): HawserError {
  const { ok, code, message: text } = message
  if (ok !== false) return new HawserError('tunnel_protocol_error', 'the reply is neither a success nor a refusal')
  const reason = typeof text === 'string' ? text.slice(0, MAX_REASON_LENGTH) : 'no reason given'
  return new HawserError(isErrorCode(code) ? code : unknown, reason)
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
}

function invalid(field: string, given: unknown, wanted: string): HawserError {
  const shown = JSON.stringify(given)?.slice(0, 100) ?? 'nothing'
  return new HawserError('tunnel_protocol_error', `dial request: ${field}: expected ${wanted}, got ${shown}`)
}
