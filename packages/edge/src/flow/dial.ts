import { HawserError, resetDialed } from '@hawser/core'
import type { Dialed, Dialer, ErrorCode } from '@hawser/core'
import type { FlowContext, TunnelDialer } from './context.ts'
import { asFlowError, isTunnelError } from './flow-error.ts'

/** A dialer keeps to the limit it is given; one that does not answer at all is given up this much later. */
const OVERTIME_MS = 2_000
/** A dial that has waited this long may be waiting for nobody: its dialer is asked for a sign of life. */
const SLOW_MS = 750
/** Connectors that a target which does not answer is tried through. */
const MAX_CONNECTORS = 3

/**
 * Failures that another connector of the tunnel may not have, since it stands elsewhere. Not `connection_timeout`, which has
 * used the flow's time up, and no refusal by a rule.
 */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set([
  'connection_refused',
  'destination_ip_unroutable',
  'destination_unavailable',
  'dns_error',
  'dns_timeout',
])

/**
 * Step 6, dial: open it. Knows nothing but the Dialer interface; nothing is left to do where a kept connection serves. A
 * connector that is leaving, has just died or does not reach the target costs nothing while another one is there: dialling
 * has no effect that could not be had twice.
 *
 * @throws {HawserError} a code of V-040, `connection_aborted`
 */
export function dial(context: FlowContext): void | Promise<void> {
  return context.upstream === undefined ? open(context) : undefined
}

async function open(context: FlowContext): Promise<void> {
  const { flow } = context
  const dialed = await dialAny(context)
  // Between two owners an error must not go uncaught; the stream is destroyed by it.
  if (dialed.channel === undefined) dialed.stream.on('error', ignore)
  context.dialed = dialed
  if (flow.route === undefined) throw new HawserError('proxy_internal_error', 'a step ran before the route was known')
  const { via, tunnelId, matched, connectorId } = flow.route
  const { remoteAddress } = dialed
  flow.route = { via, tunnelId, matched, connectorId: dialed.connectorId ?? connectorId, remoteAddress }
  if (context.aborted) resetDialed(dialed)
  context.throwIfAborted()
}

async function dialAny(context: FlowContext): Promise<Dialed> {
  let retries: Retries | undefined
  for (let { dialer } = context; dialer !== undefined;) {
    try {
      context.dialer = dialer
      return await dialOne(context, dialer)
    } catch (error) {
      context.throwIfAborted() // its reason says more than what the dialer made of it
      retries ??= new Retries(context)
      dialer = retries.after(dialer, HawserError.from(error, 'proxy_internal_error'))
    }
  }
  throw retries?.failure ?? new HawserError('proxy_internal_error', 'a step ran before the route was known')
}

/** What has been tried for one flow that could not be opened at once. */
class Retries {
  /** What to tell the Worker if nothing else is left: rather of the target than of a tunnel. */
  failure: HawserError | undefined
  readonly #context: FlowContext
  readonly #tried = new Set<Dialer>()
  /** Connectors that reached no target. */
  readonly #failed = new Set<string | undefined>()

  constructor(context: FlowContext) {
    this.#context = context
  }

  /** @returns where to try next, if anywhere */
  after(dialer: Dialer, error: HawserError): TunnelDialer | undefined {
    const { alternative, flow } = this.#context
    const { code } = error
    const ofTunnel = isTunnelError(error)
    if (!ofTunnel) this.failure = error
    this.failure ??= asFlowError(error, 'destination_unavailable')
    if (!ofTunnel && !ELSEWHERE.has(code)) return undefined
    this.#tried.add(dialer)
    if (!ofTunnel)
      this.#failed.add('connector' in dialer ? (dialer as TunnelDialer).connector.id : flow.route?.connectorId)
    if (this.#failed.size >= MAX_CONNECTORS) return undefined
    const next = alternative?.(this.#tried)
    return next === undefined || this.#failed.has(next.connector.id) ? undefined : next
  }
}

/** One attempt. It is left to itself where its connector turns out to be silent and there is another one, or comes one. */
function dialOne(context: FlowContext, dialer: Dialer): Promise<Dialed> {
  const { flow, target, services } = context
  const { host, port, otherHost, resolverIps } = target
  const timeoutMs = services.limits.dialTimeoutMs
  return new Promise((resolve, reject) => {
    let state: 'waiting' | 'answered' | 'left' = 'waiting'
    let leftMs = timeoutMs + OVERTIME_MS
    const onSlow = async (): Promise<void> => {
      leftMs -= SLOW_MS
      if (leftMs <= 0) {
        context.abort(new HawserError('connection_timeout', `${flow.requested}: no answer in ${timeoutMs} ms`))
        return
      }
      timer = setTimeout(() => void onSlow(), Math.min(SLOW_MS, leftMs))
      if (dialer.answers === undefined || (await dialer.answers()) || state !== 'waiting') return
      const other = context.alternative?.(new Set([dialer]))
      if (other === undefined || other.silent === true) return // nobody better: it may yet come back
      state = 'left'
      clearTimeout(timer)
      reject(new HawserError('tunnel_timeout', 'the connector does not answer'))
    }
    let timer = setTimeout(() => void onSlow(), SLOW_MS)
    const settle = (): boolean => {
      clearTimeout(timer)
      const left = state === 'left'
      state = 'answered'
      return left
    }
    dialer.dial({ host, port, otherHost, resolverIps, flowId: flow.id, timeoutMs }, context.signal).then(
      (dialed) => (settle() ? resetDialed(dialed) : resolve(dialed)),
      (error: unknown) => {
        settle()
        reject(error)
      },
    )
  })
}

function ignore(): void {}
