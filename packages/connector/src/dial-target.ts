import { connectAddress, dialError, formatHostPort, HawserError, raceConnect, resetStream } from '@hawser/core'
import type { ConnectAddress, Dialed, DialTarget } from '@hawser/core'
import type { AddressRules } from './address-rules.ts'
import type { NameResolver } from './name-resolver.ts'
import { readTargetHost } from './target-host.ts'

/** What dialling leans on. Tests bring their own resolver and sockets. */
export interface TargetDialerOptions {
  readonly rules: AddressRules
  readonly resolver: NameResolver
  readonly connect?: ConnectAddress | undefined
}

/** Opens one connection to a private target. Its shape is the tunnel's `DialHandler`. */
export type TargetDialer = (target: DialTarget, signal: AbortSignal) => Promise<Dialed>

const MIN_TIMEOUT_MS = 1
const MAX_TIMEOUT_MS = 120_000
/** Waits for `work` no longer than `signal` allows; `work` itself goes on and its outcome is dropped. */
function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** The addresses of a target that may be dialled. Throws if there is none. */
async function judgedAddresses(
  target: DialTarget,
  options: TargetDialerOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const host = readTargetHost(target.host)
  const found = host.kind === 'ip' ? [host.ip] : await until(options.resolver.resolve(host.name), signal)
  let refusal = ''
  const allowed = found.filter((ip) => {
    const reason = options.rules(ip)
    if (reason !== undefined && refusal === '')
      refusal = host.kind === 'ip' ? `${ip} ${reason}` : `${target.host}: ${ip} ${reason}`
    return reason === undefined
  })
  if (allowed.length === 0) throw new HawserError('destination_ip_prohibited', refusal)
  return allowed
}

/**
 * Makes the dialer of a connector: read the host, resolve a name once, judge every address, connect to what is left. The
 * addresses that were judged are the ones dialled; nothing is looked up again.
 *
 * The dialer throws `address_invalid`, `destination_ip_prohibited`, `dns_error`, `dns_timeout`, `connection_refused`,
 * `connection_timeout`, `destination_ip_unroutable`, `connection_limit_reached`, `destination_unavailable`, and
 * `connection_aborted` once the signal has aborted; a connection that arrives after that is reset, not handed out.
 */
export function createTargetDialer(options: TargetDialerOptions): TargetDialer {
  const connect = options.connect ?? connectAddress
  // One controller and one timer for the whole dial, name included: the caller's time is one budget.
  return async (target, signal) => {
    const { port, timeoutMs } = target
    const what = formatHostPort(target)
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new HawserError('address_invalid', `port: expected 1 to 65535, got ${String(port)}`)
    }
    if (signal.aborted) throw new HawserError('connection_aborted', `${what}: given up before it was dialled`)

    const limit = new AbortController() // ends this dial: given up, or out of time
    let resolved = false
    const onAbort = (): void =>
      limit.abort(new HawserError('connection_aborted', `${what}: given up while it was dialled`))
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = setTimeout(
      () => {
        limit.abort(
          new HawserError(resolved ? 'connection_timeout' : 'dns_timeout', `${what}: no answer in ${timeoutMs} ms`),
        )
      },
      Math.min(MAX_TIMEOUT_MS, Math.max(MIN_TIMEOUT_MS, timeoutMs)),
    )
    try {
      const addresses = await judgedAddresses(target, options, limit.signal)
      resolved = true
      const { socket, ip } = await raceConnect(addresses, port, connect, limit.signal)
      if (limit.signal.aborted) {
        resetStream(socket)
        throw limit.signal.reason
      }
      return { stream: socket, remoteAddress: formatHostPort({ host: ip, port }) }
    } catch (error) {
      throw dialError(error, what)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}
