import { HawserError } from '@hawser/core'
import { NoMatch, parseHostMatch } from '@hawser/workers'
import type { HostMatch, HostStandIn, NetworkStandIns, ServiceStandIn, WorkerConfig } from '@hawser/workers'
import type { ServiceAddress, StandInOptions } from './hawser.ts'

const MAX_PORT = 65_535

function invalid(field: string, what: string, got: unknown): HawserError {
  return new HawserError('options_invalid', `${field}: must be ${what}, got ${JSON.stringify(got)}`)
}

function readMatch(field: string, text: string, wildcards: boolean): HostMatch {
  try {
    if (!wildcards && text.startsWith('*')) throw new NoMatch('one host')
    return parseHostMatch(text)
  } catch (error) {
    if (error instanceof NoMatch) throw invalid(field, error.message, text)
    throw error
  }
}

function readHosts(field: string, hosts: Readonly<Record<string, string>>): HostStandIn[] {
  return Object.entries(hosts).map(([written, value]) => ({
    match: readMatch(field, written, true),
    ...readMatch(`${field}["${written}"]`, value, false),
    written,
  }))
}

/** @throws {HawserError} `options_invalid` */
function readService(binding: string, written: ServiceAddress): ServiceStandIn {
  const field = `services.${binding}`
  const { host, port } = readMatch(`${field}.host`, written.host, false)
  if (port !== undefined) throw invalid(`${field}.host`, 'a host without a port', written.host)
  for (const key of ['httpPort', 'httpsPort', 'tcpPort'] as const) {
    const value = written[key]
    if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= MAX_PORT)) continue
    throw invalid(`${field}.${key}`, `a port from 1 to ${MAX_PORT}`, value)
  }
  return { ...written, host }
}

/** Without a prototype: a binding may be called `constructor`. */
function copy<T>(entries: Readonly<Record<string, T>>): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, entries)
}

function checkName(section: 'networks' | 'services', binding: string, config: WorkerConfig): void {
  const known = config[section].map((entry) => entry.binding)
  if (known.includes(binding)) return
  const names = known.length === 0 ? 'there are none' : `there are: ${known.join(', ')}`
  throw new HawserError(
    'options_invalid',
    `${section}: must name bindings of "vpc_${section}" (${names}), got ${JSON.stringify(binding)}`,
  )
}

/**
 * A Worker's configuration with the stand-ins of a test, which take the place of those that `hawser.jsonc` has for the same
 * host or service.
 *
 * @throws {HawserError} `options_invalid`, naming the option
 */
export function withStandIns(
  config: WorkerConfig,
  { egress, networks = {}, services = {} }: StandInOptions,
): WorkerConfig {
  const standIns = {
    // The first of two that say the same counts.
    egress: { hosts: [...readHosts('egress.hosts', egress?.hosts ?? {}), ...config.standIns.egress.hosts] },
    networks: copy<NetworkStandIns>(config.standIns.networks),
    services: copy<ServiceStandIn>(config.standIns.services),
  }
  for (const [binding, { hosts }] of Object.entries(networks)) {
    checkName('networks', binding, config)
    const before = standIns.networks[binding]
    const given = readHosts(`networks.${binding}.hosts`, hosts)
    standIns.networks[binding] = { ...before, hosts: [...given, ...(before?.hosts ?? [])] }
  }
  for (const [binding, service] of Object.entries(services)) {
    checkName('services', binding, config)
    standIns.services[binding] = readService(binding, service)
  }
  return { ...config, standIns }
}
