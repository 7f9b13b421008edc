import { HawserError, isErrorCode } from '@hawser/core'
import { encodeMessage } from './messages.ts'
import type { Message } from './messages.ts'

/** Of the text in a refusal. */
const MAX_REASON_LENGTH = 1_000

/** The reply that says no (docs/protocol.md, "Messages"). */
export function encodeRefusal(error: HawserError): Buffer {
  return encodeMessage({ ok: false, code: error.code, message: error.message.slice(0, MAX_REASON_LENGTH) })
}

/** The error that a refusal carries. `unknown` stands for a code this version does not know. */
export function refusalOf(message: Message, unknown: 'destination_unavailable' | 'tunnel_protocol_error'): HawserError {
  const { ok, code, message: text } = message
  if (ok !== false) return new HawserError('tunnel_protocol_error', 'the reply is neither a success nor a refusal')
  const reason = typeof text === 'string' ? text.slice(0, MAX_REASON_LENGTH) : 'no reason given'
  return new HawserError(isErrorCode(code) ? code : unknown, reason)
}

/** Says that a message asks for what this version does not know. */
export function unknownOperation(op: unknown): HawserError {
  return new HawserError('tunnel_protocol_error', `unknown operation ${(JSON.stringify(op) ?? 'none').slice(0, 100)}`)
}
