import {
  ChannelDialed,
  connectDirectly,
  dialError,
  formatHostPort,
  HawserError,
  raceConnect,
  resetStream,
} from '@hawser/core'
import type { Duplex } from 'node:stream'
import type { ConnectAddress, Dialed, DialTarget, DirectSocket, RaceLimits, StopSignal } from '@hawser/core'
import type { AddressRules } from './address-rules.ts'
import type { NameResolver } from './name-resolver.ts'
import { remember } from './remember.ts'
import { readTargetHost } from './target-host.ts'

/** What dialling leans on. Tests bring their own resolver and sockets. */
export interface TargetDialerOptions {
  readonly rules: AddressRules
  readonly resolver: NameResolver
  readonly connect?: ConnectAddress<DirectSocket> | undefined
}

/** Opens one connection to a private target. Its shape is the tunnel's `DialHandler`. */
export type TargetDialer = (target: DialTarget, signal: StopSignal) => Promise<TargetDialed>

/** A connection to a target. */
export interface TargetDialed extends Dialed {
  /** What it stands on, for who counts its bytes when it closes. */
  readonly socket: Duplex
}

class DirectDialed extends ChannelDialed implements TargetDialed {
  readonly socket: DirectSocket

  constructor(socket: DirectSocket, remoteAddress: string) {
    super(socket.channel, remoteAddress)
    this.socket = socket
  }
}

const MIN_TIMEOUT_MS = 1
const MAX_TIMEOUT_MS = 120_000
const readHost = remember(readTargetHost)

/** Waits for `work` within the limits; `work` itself goes on and its outcome is dropped. */
function within<T>(work: Promise<T>, { signal, timeoutMs }: RaceLimits): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = (): void => reject(signal.reason)
  const onTime = (): void => reject(new HawserError('dns_timeout', `no answer in ${Math.round(timeoutMs)} ms`))
  const timer = setTimeout(onTime, timeoutMs)
  signal.addEventListener('abort', onAbort, { once: true })
  work.then(resolve, reject)
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  })
}

/** What a target stands for; at once, unless a name has to be looked up. */
function addressesOf(
  target: DialTarget,
  { resolver, rules }: TargetDialerOptions,
  limits: () => RaceLimits,
): readonly string[] | Promise<readonly string[]> {
  const host = readHost(target.host)
  if (host.kind === 'ip') return target.otherHost === undefined ? [host.ip] : [host.ip, addressIn(target.otherHost)]
  const servers = target.resolverIps?.map(addressIn)
  const refused = servers?.map((ip) => rules(ip)).findIndex((reason) => reason !== undefined) ?? -1
  if (servers !== undefined && refused >= 0) {
    const ip = servers[refused] ?? ''
    throw new HawserError('destination_ip_prohibited', `${target.host}: resolver ${ip} ${rules(ip)}`)
  }
  const found = resolver.resolve(host.name, servers)
  return found instanceof Promise ? within(found, limits()) : found
}

/** @throws {HawserError} `address_invalid` for a name */
function addressIn(text: string): string {
  const host = readHost(text)
  if (host.kind === 'ip') return host.ip
  throw new HawserError('address_invalid', `${JSON.stringify(text)}: expected an IP address`)
}

/** Those that may be dialled. Throws if there is none. */
function allowedOf(found: readonly string[], target: DialTarget, rules: AddressRules): readonly string[] {
  let refusal = ''
  const allowed = found.filter((ip) => {
    const reason = rules(ip)
    if (reason !== undefined && refusal === '')
      refusal = ip === target.host ? `${ip} ${reason}` : `${target.host}: ${ip} ${reason}`
    return reason === undefined
  })
  if (allowed.length === 0) throw new HawserError('destination_ip_prohibited', refusal)
  return allowed
}

/**
 * Makes the dialer of a connector: read the host, resolve a name once, judge every address, connect to what is left. The
 * addresses that were judged are the ones dialled; nothing is looked up again. Resolvers that a target names are judged as
 * addresses are: no question leaves for where no connection may.
 *
 * The dialer throws `address_invalid`, `destination_ip_prohibited`, `dns_error`, `dns_timeout`, `connection_refused`,
 * `connection_timeout`, `destination_ip_unroutable`, `connection_limit_reached`, `destination_unavailable`, and
 * `connection_aborted` once the signal has aborted; a connection that arrives after that is reset, not handed out.
 */
export function createTargetDialer(options: TargetDialerOptions): TargetDialer {
  const connect = options.connect ?? connectDirectly
  return async (target, signal) => {
    const { port } = target
    const what = formatHostPort(target)
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new HawserError('address_invalid', `port: expected 1 to 65535, got ${String(port)}`)
    }
    if (signal.aborted) throw givenUp(what, 'before')
    const deadline = performance.now() + Math.min(MAX_TIMEOUT_MS, Math.max(MIN_TIMEOUT_MS, target.timeoutMs))
    // The caller's time is one budget, the name included.
    const limits = (): RaceLimits => ({ signal, timeoutMs: Math.max(MIN_TIMEOUT_MS, deadline - performance.now()) })
    try {
      const found = addressesOf(target, options, limits)
      const addresses = allowedOf(found instanceof Promise ? await found : found, target, options.rules)
      const { socket, ip } = await raceConnect(addresses, port, connect, limits())
      if (signal.aborted) resetStream(socket)
      else return new DirectDialed(socket, formatHostPort({ host: ip, port }))
    } catch (error) {
      if (!signal.aborted) throw dialError(error, what)
    }
    throw givenUp(what, 'while')
  }
}

function givenUp(what: string, when: 'before' | 'while'): HawserError {
  return new HawserError('connection_aborted', `${what}: given up ${when} it was dialled`)
}
