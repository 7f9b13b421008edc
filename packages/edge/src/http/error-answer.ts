import { ERROR_HEADER } from '@hawser/core'
import type { ErrorCode, FlowRecord, HawserError } from '@hawser/core'

/** Status and number by which the vendor's edge reports a failed fetch to a public address. */
interface PublicAnswer {
  readonly status: number
  readonly number: number
}

const PROHIBITED: PublicAnswer = { status: 403, number: 1003 }
const UNRESOLVED: PublicAnswer = { status: 530, number: 1016 }

const PUBLIC_ANSWERS: Readonly<Partial<Record<ErrorCode, PublicAnswer>>> = {
  destination_ip_prohibited: PROHIBITED,
  destination_port_prohibited: PROHIBITED,
  proxy_loop_detected: PROHIBITED,
  dns_error: UNRESOLVED,
  dns_timeout: UNRESOLVED,
  connection_refused: { status: 521, number: 521 },
  connection_timeout: { status: 522, number: 522 },
  tls_protocol_error: { status: 525, number: 525 },
  tls_certificate_error: { status: 526, number: 526 },
}
const OTHERWISE: PublicAnswer = { status: 502, number: 502 }

const REASONS: Readonly<Record<number, string>> = {
  403: 'Forbidden',
  502: 'Bad Gateway',
  521: 'Web Server Is Down',
  522: 'Connection Timed Out',
  525: 'SSL Handshake Failed',
  526: 'Invalid SSL Certificate',
  530: 'Origin DNS Error',
}

function answer(status: number, fields: string, body: string, method: string): string {
  const bytes = Buffer.from(body) // names of hosts may be beyond ASCII; the caller writes one byte a character
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\n${fields}Content-Length: ${bytes.length}\r\n\r\n`
  return method === 'HEAD' ? head : head + bytes.toString('latin1')
}

/** What a module is told of a failed call: body of an error answer and of the outcome asked for by id. */
export function failureBody(error: { readonly code: ErrorCode; readonly message: string }, flowId: string): string {
  return JSON.stringify({ code: error.code, message: error.message, flow: flowId })
}

/**
 * The edge's own answer to a call it could not deliver, one character a byte. A binding to a private network is told in
 * the form its runtime module turns into an exception (V-037, V-039); public egress answers as the vendor's edge does.
 */
export function errorAnswer(error: HawserError, flow: FlowRecord, method: string): string {
  if (flow.network.kind !== 'public') {
    const fields = `${ERROR_HEADER}: ${error.code}\r\nContent-Type: application/json\r\n`
    return answer(502, fields, failureBody(error, flow.id), method)
  }
  const { status, number } = PUBLIC_ANSWERS[error.code] ?? OTHERWISE
  const body = `error code: ${number}\nProxyError: ${error.code}: ${error.message}\nflow ${flow.id}\n`
  return answer(status, 'Content-Type: text/plain; charset=utf-8\r\n', body, method)
}
