import { HawserError } from '@hawser/core'
import { encodeMessage } from './messages.ts'
import type { Message } from './messages.ts'
import { refusalOf } from './refusal.ts'

/** What a connector says of itself. Shown to operators, never trusted. */
export interface ConnectorInfo {
  /** UUID, new at each start of the process. */
  readonly id: string
  readonly version: string
  readonly hostname: string
  /** `linux-x64`. */
  readonly platform: string
}

/** The first message of a connector on its control stream (docs/protocol.md, "Register"). */
export interface Registration {
  readonly tunnelId: string
  readonly connector: ConnectorInfo
  /** 0 to 100: while connectors of a greater weight can serve, those of a smaller one stand by. */
  readonly weight: number
  /** See `proofOf`. */
  readonly proof: string
}

/** Up to 255 characters to show; none that a terminal or a log would act on. */
const TEXT = /^[^\p{Cc}]{1,255}$/u
/** Of a connector that does not say, and the greatest there is. */
export const DEFAULT_WEIGHT = 100
/** Ids are compared, looked up and part of the proof. */
const ID = /^[\w.-]{1,64}$/

export function encodeRegistration(registration: Registration): Buffer {
  const { tunnelId, connector, weight, proof } = registration
  return encodeMessage({ op: 'register', tunnel: tunnelId, connector, weight, proof })
}

/** @throws {HawserError} `tunnel_protocol_error`, naming the field */
export function parseRegistration(message: Message): Registration {
  if (message['op'] !== 'register')
    throw new HawserError('tunnel_protocol_error', 'the first message is no registration')
  const connector = message['connector']
  const fields = typeof connector === 'object' && connector !== null ? (connector as Message) : {}
  return {
    tunnelId: textOf(message, 'tunnel', ID),
    weight: weightOf(message),
    proof: textOf(message, 'proof'),
    connector: {
      id: textOf(fields, 'id', ID),
      version: textOf(fields, 'version'),
      hostname: textOf(fields, 'hostname'),
      platform: textOf(fields, 'platform'),
    },
  }
}

/** The edge accepts; `edgeId` names it. */
export function encodeAccepted(edgeId: string): Buffer {
  return encodeMessage({ ok: true, edge: edgeId })
}

/**
 * Reads the reply to a registration.
 *
 * @returns the edge's id
 * @throws {HawserError} the code of the refusal, `tunnel_protocol_error` for a message that is no reply
 */
export function parseAccepted(message: Message): string {
  if (message['ok'] === true) return textOf(message, 'edge')
  throw refusalOf(message, 'tunnel_protocol_error')
}

function weightOf(message: Message): number {
  const { weight = DEFAULT_WEIGHT } = message
  if (typeof weight === 'number' && Number.isInteger(weight) && weight >= 0 && weight <= DEFAULT_WEIGHT) return weight
  throw new HawserError('tunnel_protocol_error', `registration: weight: expected an integer of 0 to ${DEFAULT_WEIGHT}`)
}

function textOf(message: Message, field: string, form: RegExp = TEXT): string {
  const value = message[field]
  if (typeof value === 'string' && form.test(value)) return value
  throw new HawserError('tunnel_protocol_error', `registration: ${field}: expected a string like ${form.source}`)
}
