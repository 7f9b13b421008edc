import { HawserError, isErrorCode, parseConnectorSettings } from '@hawser/core'
import type { ConnectorSettings, ErrorCode } from '@hawser/core'
import type { Announcement } from './control-stream.ts'
import type { Message } from './messages.ts'

/** The settings of a tunnel, and how many there were before. */
export interface Configuration {
  /** Counts from 1; the greatest is the one that counts. */
  readonly version: number
  readonly settings: ConnectorSettings
}

/** How a connector finds one target that it was told to probe. */
export interface TargetHealth {
  readonly host: string
  readonly port: number
  readonly healthy: boolean
  /** Why not. */
  readonly code?: ErrorCode | undefined
}

/** How things stand with a connector. The same goes to every edge. */
export interface ConnectorReport {
  /** Tunnel connections it has and wants, to all edges together. */
  readonly connections: { readonly up: number; readonly of: number }
  /** Version of the configuration that it follows; 0 for none. */
  readonly configuration: number
  /** Of targets that have been probed at least once. */
  readonly targets: readonly TargetHealth[]
}

/** More than any connector may be told to probe. */
const MAX_TARGETS = 64
const MAX_CONNECTIONS = 255
const MAX_HOST_LENGTH = 253

/** docs/protocol.md, "Configuration". */
export function configureRequest({ version, settings }: Configuration): Announcement {
  return { op: 'configure', version, settings }
}

/** @throws {HawserError} `tunnel_protocol_error` or `options_invalid`, naming the field */
export function parseConfigure({ version, settings }: Message): Configuration {
  return {
    version: integer('version', version, 1, Number.MAX_SAFE_INTEGER),
    settings: parseConnectorSettings(settings),
  }
}

/** docs/protocol.md, "Reports". */
export function reportRequest({ connections, configuration, targets }: ConnectorReport): Announcement {
  return { op: 'report', connections, configuration, targets }
}

/** @throws {HawserError} `tunnel_protocol_error`, naming the field */
export function parseReport(message: Message): ConnectorReport {
  const { connections, configuration, targets } = message
  const { up, of } = objectOf('connections', connections)
  if (!Array.isArray(targets) || targets.length > MAX_TARGETS) throw invalid('targets', `up to ${MAX_TARGETS}`)
  return {
    connections: {
      up: integer('connections.up', up, 0, MAX_CONNECTIONS),
      of: integer('connections.of', of, 1, MAX_CONNECTIONS),
    },
    configuration: integer('configuration', configuration, 0, Number.MAX_SAFE_INTEGER),
    targets: targets.map(targetOf),
  }
}

function targetOf(value: unknown, at: number): TargetHealth {
  const field = `targets[${at}]`
  const { host, port, healthy, code } = objectOf(field, value)
  if (typeof host !== 'string' || host === '' || host.length > MAX_HOST_LENGTH) throw invalid(`${field}.host`, 'a host')
  if (typeof healthy !== 'boolean') throw invalid(`${field}.healthy`, 'true or false')
  const target = { host, port: integer(`${field}.port`, port, 1, 65_535), healthy }
  return isErrorCode(code) ? { ...target, code } : target // codes of newer versions say no more than that it failed
}

function objectOf(field: string, value: unknown): Message {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Message
  throw invalid(field, 'an object')
}

function integer(field: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw invalid(field, `an integer of ${min} to ${max}`)
}

function invalid(field: string, wanted: string): HawserError {
  return new HawserError('tunnel_protocol_error', `${field}: expected ${wanted}`)
}
