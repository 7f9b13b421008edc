import { HawserError } from './errors.ts'

/** What a connector asks a target from time to time, so that flows need not find out that it is gone. */
export interface Probe {
  /** `tcp`: a connection opens. `http`: a GET is answered with a status of 200 to 399. */
  readonly type: 'tcp' | 'http'
  /** As Workers name the target: in lower case, without brackets. */
  readonly host: string
  readonly port: number
  /** Of an `http` probe. @default '/' */
  readonly path: string
  /** 1,000 to 600,000. @default 10_000 */
  readonly intervalMs: number
  /** 100 to 60,000. @default 2_000 */
  readonly timeoutMs: number
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What the edge tells the connectors of a tunnel to do, while they run. */
export interface ConnectorSettings {
  /** CIDRs that may be dialled; empty for all. The connector's own lists hold as well. */
  readonly allow: readonly string[]
  /** CIDRs that may not be dialled. */
  readonly deny: readonly string[]
  /** Undefined for what the connector was started with. */
  readonly logLevel?: LogLevel | undefined
  readonly probes: readonly Probe[]
}

/** Fits, with what stands around it, into one message of the tunnel protocol. */
export const MAX_SETTINGS_BYTES: number = 12 * 1024
export const MAX_PROBES = 32
const MAX_CIDRS = 256
const MAX_CIDR_LENGTH = 64
const HOST = /^[a-z0-9_:](?:[a-z0-9_.:-]{0,251}[a-z0-9_:])?$/
const PATH = /^\/[\x21-\x7e]{0,255}$/

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads settings, wherever they come from. Whether a CIDR is one is left to those who use it.
 *
 * @throws {HawserError} `options_invalid`, naming the field
 */
export function parseConnectorSettings(value: unknown): ConnectorSettings {
  const fields = objectOf(value, 'settings', ['allow', 'deny', 'logLevel', 'probes'])
  const { logLevel, probes = [] } = fields
  if (logLevel !== undefined && !LOG_LEVELS.includes(logLevel as LogLevel)) {
    throw invalid('logLevel', `one of ${LOG_LEVELS.join(', ')}`, logLevel)
  }
  if (!Array.isArray(probes) || probes.length > MAX_PROBES)
    throw invalid('probes', `up to ${MAX_PROBES} of them`, probes)
  const settings: ConnectorSettings = {
    allow: cidrsOf(fields, 'allow'),
    deny: cidrsOf(fields, 'deny'),
    ...(logLevel === undefined ? {} : { logLevel: logLevel as LogLevel }),
    probes: probes.map(probeOf),
  }
  const bytes = Buffer.byteLength(JSON.stringify(settings))
  if (bytes <= MAX_SETTINGS_BYTES) return settings
  throw new HawserError('options_invalid', `settings: expected up to ${MAX_SETTINGS_BYTES} bytes of JSON, got ${bytes}`)
}

function probeOf(value: unknown, at: number): Probe {
  const field = `probes[${at}]`
  const fields = objectOf(value, field, ['type', 'host', 'port', 'path', 'intervalMs', 'timeoutMs'])
  const { type, path = '/' } = fields
  const host = typeof fields['host'] === 'string' ? fields['host'].toLowerCase() : fields['host']
  if (type !== 'tcp' && type !== 'http') throw invalid(`${field}.type`, 'tcp or http', type)
  if (typeof host !== 'string' || !HOST.test(host))
    throw invalid(`${field}.host`, 'a name, or an address without brackets', host)
  if (typeof path !== 'string' || !PATH.test(path)) throw invalid(`${field}.path`, 'a path such as /health', path)
  return {
    type,
    host,
    port: numberOf(fields, field, 'port', 1, 65_535),
    path,
    intervalMs: numberOf(fields, field, 'intervalMs', 1_000, 600_000, 10_000),
    timeoutMs: numberOf(fields, field, 'timeoutMs', 100, 60_000, 2_000),
  }
}

function cidrsOf(fields: Fields, field: 'allow' | 'deny'): readonly string[] {
  const { [field]: list = [] } = fields
  if (!Array.isArray(list) || list.length > MAX_CIDRS) throw invalid(field, `up to ${MAX_CIDRS} CIDRs`, list)
  for (const [at, text] of list.entries()) {
    if (typeof text !== 'string' || text.length > MAX_CIDR_LENGTH) throw invalid(`${field}[${at}]`, 'a CIDR', text)
  }
  return list as readonly string[]
}

function numberOf(fields: Fields, of: string, name: string, min: number, max: number, standard?: number): number {
  const { [name]: value = standard } = fields
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw invalid(`${of}.${name}`, `an integer of ${min} to ${max}`, value)
}

function objectOf(value: unknown, field: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(field, 'an object', value)
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown === undefined) return value as Fields
  throw new HawserError(
    'options_invalid',
    `${field}.${unknown.slice(0, 64)}: no such setting; known are ${known.join(', ')}`,
  )
}

function invalid(field: string, wanted: string, given: unknown): HawserError {
  const shown = JSON.stringify(given)?.slice(0, 100) ?? 'nothing'
  return new HawserError('options_invalid', `${field}: expected ${wanted}, got ${shown}`)
}
