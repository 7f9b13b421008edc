import { dialError, formatHostPort, HawserError } from '@hawser/core'
import type { FlowVerdict } from '@hawser/core'
import { refusalCode } from './egress.ts'
import type { EgressPolicy } from './egress.ts'
import { parseHost } from './host.ts'
import { judgeName } from './names.ts'

/** All the addresses of a name, in the order they should be tried. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<readonly string[]>

export interface EgressRequest {
  /** As the caller wrote it; brackets allowed. */
  readonly host: string
  readonly port: number
  /** Called once for a name and never for a literal. */
  readonly resolve: Resolve
  readonly policy: EgressPolicy
  readonly signal?: AbortSignal | undefined
}

export interface ResolvedEgress {
  /** The host in the form of `FlowTarget.host`. */
  readonly host: string
  /** At least one, canonical. Dial exactly these: a second look-up could answer otherwise (DNS rebinding). */
  readonly addresses: readonly string[]
  readonly verdict: FlowVerdict
}

/** A refusal by policy: the code for the caller, the verdict for the flow record. */
export class EgressRefusal extends HawserError {
  readonly verdict: FlowVerdict

  constructor(verdict: FlowVerdict, message: string) {
    super(refusalCode(verdict.rule), message)
    this.verdict = verdict
  }
}

/**
 * From what a caller wrote to the addresses that may be dialled for it: parse, judge the port and the name, resolve once,
 * judge what came back.
 *
 * The message of a refusal names the rule and not the addresses: what a private resolver answers is nothing a Worker
 * should be able to read.
 *
 * @throws {HawserError} `address_invalid`, `dns_error`, `dns_timeout` or the resolver's own code, `connection_aborted`
 * @throws {EgressRefusal} `destination_ip_prohibited`, `destination_port_prohibited`, `proxy_loop_detected`, and
 * `address_invalid` for port 0
 */
export async function resolveEgress(request: EgressRequest): Promise<ResolvedEgress> {
  const { port, policy } = request
  const parsed = parseHost(request.host)
  const host = parsed.kind === 'ip' ? parsed.ip : parsed.name
  const what = formatHostPort({ host, port })
  refuseUnless(policy.judgePort(port), what)
  if (parsed.kind === 'name') refuseUnless(judgeName(host), what)
  const resolved = parsed.kind === 'ip' ? [host] : await lookUp(host, request)
  const { verdict, allowed } = policy.judge(resolved, port)
  refuseUnless(verdict, what)
  return { host, addresses: allowed, verdict }
}

function refuseUnless(verdict: FlowVerdict, what: string): void {
  if (!verdict.allowed) throw new EgressRefusal(verdict, `${what} may not be reached from here (${verdict.rule})`)
}

async function lookUp(name: string, request: EgressRequest): Promise<readonly string[]> {
  const signal = request.signal ?? new AbortController().signal
  try {
    signal.throwIfAborted()
    const addresses = await request.resolve(name, signal)
    signal.throwIfAborted() // an answer that comes after the caller has gone is not acted on
    if (addresses.length > 0) return addresses
  } catch (error) {
    if (signal.aborted)
      throw new HawserError('connection_aborted', `the look-up of ${name} was given up`, { cause: error })
    throw dialError(error, name)
  }
  throw new HawserError('dns_error', `${name} has no addresses`)
}
