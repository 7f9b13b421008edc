import { lookup } from 'node:dns/promises'
import { createSecureContext } from 'node:tls'
import { connectAddress, dialError, formatHostPort, HawserError, raceConnect } from '@hawser/core'
import type { ErrorCode, HostPort, TlsRule } from '@hawser/core'
import { TlsClient } from '@hawser/edge'
import { formatTarget } from './plan-checks.ts'
import type { PlannedCheck } from './plan-checks.ts'

/** What came of one check. `untried`: there was nothing to connect to. */
export interface CheckResult {
  readonly status: 'ok' | 'failed' | 'untried'
  readonly binding: string
  readonly key: string
  /** `host:port`, or the host alone. */
  readonly target?: string | undefined
  /** One or two sentences, without the target. */
  readonly said: string
  readonly code?: ErrorCode | undefined
}

/** A service of one's own machine or office answers well within this. */
const TIMEOUT_MS = 3000

/** What a failure most likely means to whoever wrote the entry. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  connection_refused: 'nothing listens there. Start the service, or correct the entry',
  connection_timeout: 'no answer. A firewall may be in between, or the address is not that of the service',
  dns_error: 'the name does not resolve on this machine. Correct it, or give an address',
  dns_timeout: 'the resolver of this machine does not answer',
  destination_ip_unroutable: 'this machine has no way to that address',
  tls_certificate_error:
    'connected, but its certificate is not accepted. Name its CA, or the name that it is for, under "tls"',
  tls_protocol_error: 'connected, but there was no TLS. Correct the port, or remove its entry under "tls"',
}

/** Tries the targets of stand-ins as the edge would reach them. */
export class TargetTrier {
  readonly #rules: TlsClient
  /** For services, whose certificate is judged by a name that only the Worker's URL tells. */
  readonly #anybody: TlsClient
  readonly #signal: AbortSignal

  /** @throws {HawserError} `config_invalid`, naming the TLS rule that cannot be used */
  constructor(rules: readonly TlsRule[], signal: AbortSignal) {
    const trust = createSecureContext()
    this.#rules = new TlsClient({ rules, trust, sessions: false })
    this.#anybody = new TlsClient({ trust, sessions: false })
    this.#signal = signal
  }

  /** Resolves, connects, and speaks TLS where that is expected. Never rejects but for the signal. */
  async try(check: PlannedCheck): Promise<CheckResult> {
    const { binding, key, target } = check
    const common = { binding, key, ...(target === undefined ? {} : { target: formatTarget(target) }) }
    if (target === undefined) return { ...common, status: 'untried', said: check.remark ?? '' }
    try {
      const addresses = await resolve(target.host)
      const { port } = target
      if (port === undefined) return { ...common, status: 'untried', said: untried(target.host, addresses, check) }
      return { ...common, status: 'ok', said: await this.#connect(addresses, port, check) }
    } catch (error) {
      this.#signal.throwIfAborted()
      const { code, message } = HawserError.from(error, 'destination_unavailable')
      const advice = ADVICE[code]
      return { ...common, status: 'failed', code, said: advice === undefined ? message : `${advice} (${message})` }
    }
  }

  async #connect(addresses: readonly string[], port: number, { tls }: PlannedCheck): Promise<string> {
    const { socket, ip } = await raceConnect(addresses, port, connectAddress, {
      signal: this.#signal,
      timeoutMs: TIMEOUT_MS,
    })
    try {
      if (tls === undefined) return 'connected'
      const signal = this.#signal
      const request = { ...(tls === 'any' ? { host: ip, port } : tls), timeoutMs: TIMEOUT_MS, signal }
      const client = tls === 'any' ? this.#anybody : this.#rules
      const verify = tls === 'any' ? 'disabled' : undefined
      const secured = await client.secure(socket, { ...request, verify })
      secured.stream.destroy()
      return secure(secured.tls.protocol, tls, secured.tls.authorized)
    } finally {
      socket.destroy()
    }
  }
}

function secure(protocol: string, tls: HostPort | 'any', authorized: boolean): string {
  if (tls === 'any') return `connected, ${protocol}; its certificate is judged by the name in the Worker's URL`
  const name = formatHostPort(tls)
  return authorized
    ? `connected, ${protocol}, its certificate is good for ${name}`
    : `connected, ${protocol}, unverified`
}

function untried(host: string, addresses: readonly string[], { remark }: PlannedCheck): string {
  const resolved = addresses.includes(host) ? '' : `resolves to ${addresses.join(', ')}; `
  return `${resolved}${remark ?? 'the port is the one that the Worker names, so no connection was tried'}`
}

async function resolve(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (error) {
    throw dialError(error, host)
  }
}
